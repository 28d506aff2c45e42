#!/usr/bin/env python3
"""Stubs of CUDA's libraries: shared objects with the right names and functions, to link against and never to run.

cuda_stubs.py TOOLKIT_LIB OUT writes them to OUT. The functions are those that the crate cudarc, candle's binding to
CUDA, declares; libcudart is the toolkit's own. The linked program finds the real libraries at run time by SONAME.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

# library: (module of cudarc, SONAME in CUDA 13)
LIBRARIES = {
    "cuda": ("driver", "libcuda.so.1"),
    "nvrtc": ("nvrtc", "libnvrtc.so.13"),
    "curand": ("curand", "libcurand.so.10"),
    "cublas": ("cublas", "libcublas.so.13"),
    "cublasLt": ("cublaslt", "libcublasLt.so.13"),
}


def cudarc() -> Path:
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--features", "cuda"]
    packages = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packages"]
    found = [package for package in packages if package["name"] == "cudarc"]
    if not found:
        sys.exit("cargo metadata names no package cudarc; expected it as a dependency of candle-core's feature cuda")
    return Path(found[0]["manifest_path"]).parent


def main() -> None:
    toolkit, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    source = cudarc() / "src"
    for library, (module, soname) in LIBRARIES.items():
        declared = set(re.findall(r"\bfn ((?:cu|nvrtc)\w+)\(", (source / module / "sys/mod.rs").read_text()))
        lines = [f"void {name}(void) {{}}" for name in sorted(declared)]
        command = ["cc", "-shared", "-fPIC", f"-Wl,-soname,{soname}", "-x", "c", "-", "-o", out / f"lib{library}.so"]
        subprocess.run(command, check=True, text=True, input="\n".join(lines) + "\n")
    runtime = out / "libcudart.so"
    runtime.unlink(missing_ok=True)
    runtime.symlink_to(sorted(toolkit.resolve().glob("libcudart.so.*"))[0])


if __name__ == "__main__":
    main()
