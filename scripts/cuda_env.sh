# cuda_env.sh: sourced; a CUDA toolkit and the libraries to link against, on a machine with or without a GPU.
#
# Takes the toolkit of CUDA_HOME or /usr/local/cuda if there is one. Else nvcc comes from PyPI wheels into target/cuda,
# and libraries that only a machine with a GPU has are stood in for at link time by empty ones with the same functions.
toolkit=${CUDA_HOME:-/usr/local/cuda}
if [ ! -x "$toolkit/bin/nvcc" ]; then
    venv=$PWD/target/cuda
    if [ ! -f "$venv/.done" ]; then
        python3 -m venv "$venv"
        "$venv/bin/python" -m pip install -q --disable-pip-version-check \
            nvidia-cuda-nvcc==13.0.* nvidia-nvvm==13.0.* nvidia-cuda-crt==13.0.* \
            nvidia-cuda-runtime==13.0.* nvidia-cuda-cccl==13.0.*
        touch "$venv/.done"
    fi
    toolkit=$(echo "$venv"/lib/python3*/site-packages/nvidia/cu13)
    python3 scripts/cuda_stubs.py "$toolkit/lib" "$venv/stubs"
    export LIBRARY_PATH=$venv/stubs${LIBRARY_PATH:+:$LIBRARY_PATH}
elif [ -d "$toolkit/lib64/stubs" ]; then
    export LIBRARY_PATH=$toolkit/lib64/stubs${LIBRARY_PATH:+:$LIBRARY_PATH} # libcuda, where the driver is absent
fi
export CUDA_HOME=$toolkit CUDA_PATH=$toolkit CUDA_ROOT=$toolkit CUDA_TOOLKIT_ROOT_DIR=$toolkit
export PATH=$toolkit/bin:$PATH
