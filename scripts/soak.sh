#!/usr/bin/env bash
# soak.sh [--minutes N] [--clients N] [--day] [--out FILE.json]: the node under load and faults; docs/reliability.md says what is done and
# what came of it. Without --minutes an hour; --day is a simulated day instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/build.sh
set +u
. target/ros/env.sh
set -u
exec python tools/soak/soak.py "$@"
