#!/usr/bin/env bash
# place.sh [--seed N] [--scenes N]: a simulated robot puts things where it was told. Exit status 0 when all stand there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. examples/shared/environment.sh
exec python examples/pick/place.py "$@"
