#!/usr/bin/env bash
# play_launch.sh FOLDER: a launcher for tests/ros/test_launch.py where there is no `ros2 launch`, which no registry has.
#
# play_launch (PyPI) reads launch files in XML, YAML and Python by itself. Its wheel was built for Humble and Python 3.10;
# its one link to that Python is turned to ours. It also links composition_interfaces, for which there is a stand-in.
set -euo pipefail
folder=$1
version=0.16.0
[ "$(cat "$folder/.version" 2>/dev/null)" != "$version" ] || exit 0
rm -rf "$folder"
python -m pip install -q --disable-pip-version-check --no-deps --target "$folder" "play-launch==$version"
library=$(python -c 'import sysconfig; print(sysconfig.get_config_var("INSTSONAME"))')
patchelf --replace-needed libpython3.10.so.1.0 "$library" "$folder/play_launch/bin/play_launch"
echo "$version" > "$folder/.version"
