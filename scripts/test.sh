#!/usr/bin/env bash
# test.sh [--no-cuda]: formats, lints, unit, integration, Python and ROS tests.
#
# Finds or makes a ROS 2 first (scripts/build.sh). Everything runs in the build that the demo and colcon make (release); the last
# steps check the node without optional message packages, and the cuda feature, which --no-cuda leaves out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
name="" began=0 times=""
# announces a step, and notes how long the previous one took
step() {
    [ -z "$name" ] || times+=$(printf '%6d s  %s' "$((SECONDS - began))" "$name")$'\n'
    name=$* began=$SECONDS
    printf '\n=== %s\n' "$*"
}

step "build"
bash scripts/build.sh
set +u
. target/ros/env.sh
set -u

step "format"
cargo fmt --all --check
step "lint: everything, then the node's build"
cargo clippy --release --locked --workspace --all-targets --features ros -- -D warnings
cargo clippy --release --locked --no-default-features --features ros --bins -- -D warnings
step "unit and integration tests"
cargo test --release --locked --workspace --features ros
step "Python package: wheel, types, tests"
bash scripts/test_python.sh
step "ROS tests"
python -c 'import launch_ros' 2>/dev/null || bash tests/ros/play_launch.sh target/ros/play_launch
python -m pytest -q tests/ros
step "soak, a short one: the node under load and faults"
python tools/soak/soak.py --minutes 0.7 --clients 20
step "fleet on Ray"
bash tools/fleet/tests/run.sh
step "node without vision_msgs, bond, tf2_msgs and those for viewers: type check"
# in the dev profile, whose r2r sees no other environment (scripts/build.sh)
AMENT_PREFIX_PATH=$(tr : '\n' <<< "$AMENT_PREFIX_PATH" | grep -vE "/target/ros/(vision_msgs|bond|tf2_msgs|visualization_msgs|foxglove_msgs)$" | paste -sd:) \
    cargo check --locked --no-default-features --features ros --bin referseg_node
if [ "${1:-}" != --no-cuda ]; then
    step "cuda feature: type check"
    bash scripts/check_cuda.sh
fi
step "all passed"
printf '%s' "$times"
