#!/usr/bin/env bash
# check_cuda.sh: type-checks the cuda feature on a machine without GPU or CUDA.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/cuda_env.sh
export CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-87}
cargo check --locked --features cuda --target-dir target/cuda/check
