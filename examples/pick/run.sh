#!/usr/bin/env bash
# run.sh ["the red cube"] [--seed N] [--scenes N]: a simulated robot picks what was named. Exit status 0 when it was lifted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. examples/shared/environment.sh
exec python examples/pick/run.py "$@"
