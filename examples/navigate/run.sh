#!/usr/bin/env bash
# run.sh [--seed N] [--scenes N] [--picture FILE.gif]: a simulated robot drives to what was named. Exit status 0 when it arrived everywhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. examples/shared/environment.sh
exec python examples/navigate/run.py "$@"
