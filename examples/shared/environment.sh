# Sourced in the repository's root: builds, and gives ROS and PyBullet to what follows.
bash scripts/build.sh
set +u
. target/ros/env.sh
set -u
python -c 'import pybullet' 2>/dev/null || python -m pip install -q --disable-pip-version-check pybullet==3.2.7
