#!/usr/bin/env bash
# bench_gpu.sh [--programs DIR] [--frames N] [--out FILE]: parity with the CPU, a long run and times on the GPU of this machine.
#
# Takes the programs that scripts/build_cuda.sh made (default: those for this GPU's compute capability). Needs no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! ldconfig -p | grep -q libcublas.so; then
    # PyTorch's wheels hold the same libraries
    libraries=$(python3 -c 'import glob, sysconfig
print(":".join(glob.glob(sysconfig.get_paths()["purelib"] + "/nvidia/*/lib")))')
    export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi
if [[ " $* " != *" --programs "* ]]; then
    capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader --id=0 | tr -d .)
    set -- --programs "target/cuda/sm_$capability" "$@"
fi
exec python3 tools/bench/on_gpu.py "$@"
