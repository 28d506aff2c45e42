#!/usr/bin/env bash
# run.sh: tests referseg-fleet against a real Ray in an environment of its own (target/fleet); REFERSEG names the program.
# Says loudly that it was not run where Ray can't be had for this Python or from here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
env=../../target/fleet
not_run() {
    printf '\nNOT RUN: %s\n' "$1" >&2
    exit 0
}
if ! "$env/bin/python" -c 'import ray, pytest' 2> /dev/null; then
    python3 -m venv "$env" || not_run "python3 -m venv fails: referseg-fleet is not tested"
    "$env/bin/pip" install -q -r requirements.txt || not_run "Ray can't be installed: referseg-fleet is not tested"
fi
PYTHONPATH=$PWD "$env/bin/python" -m pytest -q -p no:cacheprovider tests
