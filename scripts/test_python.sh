#!/usr/bin/env bash
# test_python.sh: builds the Python package's wheel, installs it in an environment of its own, and runs its tests. Needs the command line built
# (scripts/build.sh), with which answers are compared.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
environment=target/python
python=$environment/bin/python
[ -x $python ] || python3 -m venv $environment
# what was sourced for ROS does not count here
unset PYTHONPATH
$python -m pip install -q --disable-pip-version-check 'maturin>=1.9,<2' pytest pillow numpy mypy
rm -rf target/wheels
$environment/bin/maturin build --quiet --release --locked -m python/Cargo.toml --out target/wheels
$python -m pip install -q --disable-pip-version-check --force-reinstall --no-deps target/wheels/referseg-*.whl
$python -m mypy --strict python/tests/typed.py
$python -m pytest -q python/tests
