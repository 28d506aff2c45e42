#!/usr/bin/env bash
# run.sh [--seed N] [--scenes N] [--picture FILE.gif]: a simulated robot asks back what a person means. Exit status 0 when it understood everything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bash scripts/build.sh
set +u
. target/ros/env.sh
set -u
python -c 'import pybullet' 2>/dev/null || python -m pip install -q --disable-pip-version-check pybullet==3.2.7
exec python examples/ask_back/run.py "$@"
