#!/usr/bin/env bash
# build_cuda.sh [CAPABILITY...]: builds the programs with CUDA, on a machine with or without a GPU.
#
# One build for each compute capability (default: 87 Jetson Orin, 89 GeForce RTX 40 and L4, 90 H100), for the processor
# of this machine: target/cuda/sm_90/referseg, and referseg_node where a ROS 2 is sourced. To run, they need a driver
# and the libraries of the CUDA that they were built with (cublas, curand, cudart): a toolkit, or PyTorch's wheels.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/cuda_env.sh
features=cuda programs=(referseg)
if [ -n "${AMENT_PREFIX_PATH:-}" ]; then
    features=cuda,ros programs=(referseg referseg_node)
fi
[ $# -gt 0 ] || set -- 87 89 90
for capability; do
    CUDA_COMPUTE_CAP=$capability cargo build --locked --release --no-default-features --features "$features" --target-dir target/cuda/build \
        "${programs[@]/#/--bin=}" --example stages
    mkdir -p "target/cuda/sm_$capability"
    for program in "${programs[@]}"; do
        strip -o "target/cuda/sm_$capability/$program" "target/cuda/build/release/$program"
    done
    strip -o "target/cuda/sm_$capability/stages" target/cuda/build/release/examples/stages # for bench_gpu.sh
    ls -l "target/cuda/sm_$capability"
done
