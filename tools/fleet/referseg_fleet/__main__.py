from referseg_fleet.cli import main

main()
