#!/usr/bin/env bash
# demo.sh: sets up what is missing, builds, starts referseg_node on the shipped model, plays the shipped
# recording over DDS, says three commands, and shows what was found. Exit status 0 when all answers are right.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/build.sh
set +u
. target/ros/env.sh
set -u
exec python scripts/demo.py "$@"
