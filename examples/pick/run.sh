#!/usr/bin/env bash
# run.sh ["the red cube"] [--seed N] [--scenes N]: a simulated robot picks what was named. Exit status 0 when it was lifted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bash scripts/build.sh
set +u
. target/ros/env.sh
set -u
python -c 'import pybullet' 2>/dev/null || python -m pip install -q --disable-pip-version-check pybullet==3.2.7
exec python examples/pick/run.py "$@"
