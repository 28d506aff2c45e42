"""The three launch files start the node, in both of its life modes, with the arguments that they declare.

`ros2 launch` starts them where it is installed; elsewhere play_launch does (play_launch.sh), which reads the same files.
"""

import ast
import importlib.util
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree

import pytest
import yaml
from conftest import ASKED, NODE, ROOT
from lifecycle_msgs.msg import Transition
from rcl_interfaces.msg import ParameterType
from referseg.msg import Segmentation
from test_life import change, get_parameters, state

FILES = [f"referseg.launch.{kind}" for kind in ("py", "xml", "yaml")]
PLAY_LAUNCH = ROOT / "target" / "ros" / "play_launch"


def launcher(folder):
    """The words before a launch file's name, and what they need in the environment."""
    if shutil.which("ros2") and importlib.util.find_spec("launch_ros"):
        return ["ros2", "launch"], {}
    program = PLAY_LAUNCH / "play_launch" / "bin" / "play_launch"
    if not program.is_file():
        pytest.skip("NOT RUN: no `ros2 launch` here, and no play_launch in its place (tests/ros/play_launch.sh)")
    words = [str(program), "launch", "--disable-all", "--interception", "off", "--log-dir", str(folder / "log")]
    return words, {"LD_LIBRARY_PATH": [str(PLAY_LAUNCH / "play_launch" / "lib"), sysconfig.get_config_var("LIBDIR")],
                   "PYTHONPATH": [str(PLAY_LAUNCH)]}


@pytest.fixture
def launched(peer, tmp_path):
    """Starts a launch file of an installation that holds this source tree's files and the built node."""
    share = tmp_path / "share"
    (share / "ament_index" / "resource_index" / "packages").mkdir(parents=True)
    (share / "ament_index" / "resource_index" / "packages" / "referseg").touch()
    for name in ("launch", "config", "models"):
        shutil.copytree(ROOT / name, share / "referseg" / name)
    shutil.copy(ROOT / "package.xml", share / "referseg")
    (tmp_path / "lib" / "referseg").mkdir(parents=True)
    (tmp_path / "lib" / "referseg" / "referseg_node").symlink_to(NODE)

    def launch(file, *arguments):
        words, needs = launcher(tmp_path)
        for name, paths in {"AMENT_PREFIX_PATH": [str(tmp_path)], **needs}.items():
            peer.env[name] = ":".join([*paths, *filter(None, [peer.env.get(name)])])
        peer.run([*words, str(share / "referseg" / "launch" / file), *arguments], cwd=tmp_path)
        return peer

    yield launch
    if peer.process and peer.process.poll() is None:  # and with it the node
        peer.stop(signal.SIGINT, 30)


@pytest.mark.parametrize("file", FILES)
def test_the_launched_node_answers_on_the_topics_it_was_given(launched, file):
    peer = launched(file, "namespace:=/robot", "image_topic:=eye/image", "command_topic:=said", "mode:=once")
    peer.connect(image_topic="/robot/eye/image", command_topic="/robot/said", namespace="/robot")
    (answer,) = peer.ask(ASKED["text"])
    assert answer.status == Segmentation.FOUND, answer.reason
    assert state(peer, "/robot/referseg").label == "active"
    peer.stop(signal.SIGINT, 30)
    peer.process = None
    peer.until(lambda: peer.node.count_publishers("/robot/referseg/segmentation") == 0, "the node's end")


def environment_of_the_node(peer):
    """What the launched node's process was given."""
    mine = f"ROS_DOMAIN_ID={peer.env['ROS_DOMAIN_ID']}"
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            given = (process / "environ").read_text(errors="replace").split("\0")
            if (process / "exe").resolve() == NODE.resolve() and mine in given:
                return dict(line.split("=", 1) for line in given if "=" in line)
        except OSError:  # it has ended meanwhile, or is another user's
            pass
    pytest.fail(f"no process of the node's; the launcher says:\n{peer.output()}")


@pytest.mark.parametrize("file", FILES)
def test_without_autostart_the_launched_node_waits_for_a_lifecycle_manager(launched, file):
    peer = launched(file, "autostart:=false", "large_images:=true")
    assert state(peer).label == "unconfigured"
    for name in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
        assert environment_of_the_node(peer)[name].endswith("config/fastdds_large_images.xml")
    assert change(peer, Transition.TRANSITION_CONFIGURE) and change(peer, Transition.TRANSITION_ACTIVATE)
    assert state(peer).label == "active"


def test_the_python_file_can_start_a_lifecycle_node(launched):
    peer = launched("referseg.launch.py", "managed:=true", "autostart:=false")
    assert state(peer).label == "unconfigured"


@pytest.mark.parametrize("file", FILES)
def test_launch_arguments_reach_the_nodes_parameters(launched, file):
    peer = launched(file, "cameras:=[left, right]", "min_score:=-0.5", "proposal_limit:=7", "sentence_weight:=1",
                    "image_reliability:=best_effort")
    values = get_parameters(peer, ["cameras", "min_score", "proposal_limit", "sentence_weight", "image_reliability", "min_margin"])
    cameras, min_score, limit, weight, reliability, min_margin = values
    assert list(cameras.string_array_value) == ["left", "right"]
    assert (min_score.double_value, limit.integer_value, weight.double_value) == (-0.5, 7, 1.0)
    assert reliability.string_value == "best_effort" and min_margin.type == ParameterType.PARAMETER_DOUBLE
    peer.until(lambda: peer.node.count_subscribers("/left/image") and peer.node.count_subscribers("/right/image"), "the cameras")


def declared_arguments():
    """name -> (default, description), of the XML, YAML and Python file."""
    folder = ROOT / "launch"
    of_xml = {arg.get("name"): (arg.get("default"), arg.get("description"))
              for arg in xml.etree.ElementTree.parse(folder / FILES[1]).getroot().iter("arg")}
    of_yaml = {entry["arg"]["name"]: (entry["arg"]["default"], entry["arg"]["description"])
               for entry in yaml.safe_load((folder / FILES[2]).read_text())["launch"] if "arg" in entry}
    tables = {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse((folder / FILES[0]).read_text()).body
              if isinstance(node, ast.Assign)}
    of_python = {name: (default, said) for table in ("TOPICS", "PARAMETERS", "PROCESS") for name, default, said in tables[table]}
    return of_xml, of_yaml, of_python


def test_all_three_declare_the_same_arguments():
    of_xml, of_yaml, of_python = declared_arguments()
    assert of_xml == of_yaml
    assert of_python.pop("managed")[0] == "false"
    assert of_xml.pop("params_file")[0].endswith("config/empty.yaml")
    assert of_python == of_xml


def test_every_parameter_of_the_node_is_a_launch_argument_and_is_passed_on():
    # the generator reads the table of parameters; the unit test of that table checks docs/interface.md
    made = subprocess.run([sys.executable, str(ROOT / "tools" / "launch_files.py"), "--check"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    names = re.findall(r"^\| `(\w+)` \| .*? \| (?:live|reload|start) \|", (ROOT / "docs" / "interface.md").read_text(), re.M)
    assert len(names) > 20
    nodes = xml.etree.ElementTree.parse(ROOT / "launch" / FILES[1]).getroot().iter("node")
    assert [param.get("name") for node in nodes for param in node.iter("param") if param.get("name")] == names
    nodes = [entry["node"] for entry in yaml.safe_load((ROOT / "launch" / FILES[2]).read_text())["launch"] if "node" in entry]
    assert [param["name"] for node in nodes for param in node["param"] if "name" in param] == names


@pytest.mark.parametrize("file", FILES)
def test_a_params_file_is_read_and_arguments_lie_over_it(launched, file, tmp_path):
    given = tmp_path / "given.yaml"
    given.write_text("/**:\n  ros__parameters: {min_score: -0.25, proposal_limit: 9, tracking: off}\n")
    peer = launched(file, f"params_file:={given}", "proposal_limit:=7")
    min_score, limit, tracking = get_parameters(peer, ["min_score", "proposal_limit", "tracking"])
    assert (min_score.double_value, limit.integer_value, tracking.bool_value) == (-0.25, 7, False)
