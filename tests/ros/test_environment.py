"""The environment that scripts/ros_env.sh makes of wheels."""

import os
import pathlib
import shutil
import subprocess

import pytest
from conftest import ROOT


def test_an_environment_of_an_older_script_is_brought_up_to_date_in_place(tmp_path):
    if "REFERSEG_ROS_WHEELS" not in os.environ:
        pytest.skip("NOT RUN: this ROS 2 is not made of wheels")
    prefix = tmp_path / "ros"
    shutil.copytree(pathlib.Path(os.environ["VIRTUAL_ENV"]), prefix, symlinks=True)
    stamp = (prefix / ".stamp").read_text()
    (prefix / ".stamp").write_text("older")
    made = subprocess.run(["bash", ROOT / "scripts" / "ros_env.sh", prefix], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert (prefix / ".stamp").read_text() == stamp
    assert str(prefix) in (prefix / "env.sh").read_text()
