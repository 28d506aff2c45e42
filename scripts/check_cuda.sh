#!/usr/bin/env bash
# check_cuda.sh: type-checks the cuda feature on a machine without GPU or CUDA.
#
# Uses the CUDA toolkit of CUDA_HOME if there is one, else nvcc from PyPI wheels in target/cuda.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ ! -x "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" ]; then
    venv=$PWD/target/cuda
    if [ ! -f "$venv/.done" ]; then
        python3 -m venv "$venv"
        "$venv/bin/python" -m pip install -q --disable-pip-version-check \
            nvidia-cuda-nvcc==13.0.* nvidia-nvvm==13.0.* nvidia-cuda-crt==13.0.* \
            nvidia-cuda-runtime==13.0.* nvidia-cuda-cccl==13.0.*
        touch "$venv/.done"
    fi
    CUDA_HOME=$(echo "$venv"/lib/python3*/site-packages/nvidia/cu13)
fi
export CUDA_HOME=${CUDA_HOME:-/usr/local/cuda}
export CUDA_PATH=$CUDA_HOME CUDA_ROOT=$CUDA_HOME CUDA_TOOLKIT_ROOT_DIR=$CUDA_HOME
export PATH=$CUDA_HOME/bin:$PATH CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-87}
cargo check --locked --features cuda --target-dir target/cuda/check
