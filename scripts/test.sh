#!/usr/bin/env bash
# test.sh [--no-cuda]: formats, lints, unit, integration and ROS tests.
#
# Packages of messages that no registry here has (vision_msgs, bond, tf2_msgs, ...) are stood in for by tests/ros/stand_ins; one step checks the
# build without them.
# Finds or makes a ROS 2 first (scripts/build.sh). --no-cuda leaves out the type check of the cuda feature.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
name="" began=0 times=""
# announces a step, and notes what the one before it took
step() {
    [ -z "$name" ] || times+=$(printf '%6d s  %s' "$((SECONDS - began))" "$name")$'\n'
    name=$* began=$SECONDS
    printf '\n=== %s\n' "$*"
}

step "build"
REFERSEG_STAND_INS=1 bash scripts/build.sh
set +u
. target/ros/env.sh
set -u

step "format"
cargo fmt --all --check
step "lint: library and command line, then with ros"
cargo clippy --locked --workspace --all-targets -- -D warnings
cargo clippy --locked --all-targets --features ros -- -D warnings
step "unit and integration tests"
cargo test --locked --workspace --features ros
step "ROS tests"
python -c 'import launch_ros' 2>/dev/null || bash tests/ros/play_launch.sh target/ros/play_launch
python -m pytest -q tests/ros
step "soak, a short one: the node under load and faults"
python tools/soak/soak.py --minutes 0.7 --clients 20
step "fleet on Ray"
bash tools/fleet/tests/run.sh
step "node without vision_msgs, bond, tf2_msgs and those for viewers: type check"
rm -f target/ros/r2r.stamp # another environment: scripts/build.sh
AMENT_PREFIX_PATH=$(tr : '\n' <<< "$AMENT_PREFIX_PATH" | grep -vE "/target/ros/(vision_msgs|bond|tf2_msgs|visualization_msgs|foxglove_msgs)$" | paste -sd:) \
    cargo check --locked --features ros --bin referseg_node
if [ "${1:-}" != --no-cuda ]; then
    step "cuda feature: type check"
    bash scripts/check_cuda.sh
fi
step "all passed"
printf '%s' "$times"
