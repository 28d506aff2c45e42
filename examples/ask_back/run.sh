#!/usr/bin/env bash
# run.sh [--seed N] [--scenes N] [--picture FILE.gif]: a simulated robot asks back what a person means. Exit status 0 when it understood everything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. examples/shared/environment.sh
exec python examples/ask_back/run.py "$@"
