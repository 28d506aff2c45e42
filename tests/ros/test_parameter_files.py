"""Parameter files mean for the node what they mean for an rclpy node of the same name, which reads the same files."""

import json
import subprocess
import sys

import pytest
from rcl_interfaces.msg import ParameterType
from test_life import get_parameters

RCLPY = """
import json, sys, rclpy
from rclpy.node import Node
rclpy.init(args=sys.argv)
node = Node("eye", namespace=sys.argv[1], automatically_declare_parameters_from_overrides=True, start_parameter_services=False)
values = {name: parameter.value for name, parameter in node.get_parameters_by_prefix("").items()}
print(json.dumps({name: list(v) if hasattr(v, "__iter__") and not isinstance(v, str) else v for name, v in values.items()}))
"""

WILDCARDS = """
/**:
  ros__parameters: {min_score: 0.01, min_margin: 0.01}
/**/eye:
  ros__parameters: {min_score: 0.02, global_weight: 0.02}
/*/eye:
  ros__parameters: {min_score: 0.03, sentence_weight: 0.03}
/robot/*:
  ros__parameters: {min_score: 0.04, depth_tolerance: 0.04}
/robot/eye:
  ros__parameters: {min_score: 0.05, proposals_tolerance: 0.05}
/**/deep/*:
  ros__parameters: {static_tolerance: 6.0}
/other:
  ros__parameters: {min_score: 0.99, diagnostics_period: 9.0}
"""
NESTED = """
robot:
  eye:
    ros__parameters: {min_score: 0.06, cameras: [left, right], mode: "once", use_sim_time: false}
  deep:
    eye:
      ros__parameters: {min_score: 0.07, proposal_limit: 7, tracking: on}
eye:
  ros__parameters: {min_score: 0.08, tracking: off}
"""


def value_of(message):
    kinds = {ParameterType.PARAMETER_BOOL: "bool_value", ParameterType.PARAMETER_INTEGER: "integer_value",
             ParameterType.PARAMETER_DOUBLE: "double_value", ParameterType.PARAMETER_STRING: "string_value",
             ParameterType.PARAMETER_STRING_ARRAY: "string_array_value"}
    value = getattr(message, kinds[message.type])
    return list(value) if message.type == ParameterType.PARAMETER_STRING_ARRAY else value


@pytest.mark.parametrize("namespace, order", [
    ("", "wildcards nested"), ("/robot", "wildcards nested"), ("/robot", "nested -p wildcards"), ("/robot/deep", "nested wildcards"),
    ("/elsewhere", "wildcards -p"), ("/a/deep", "wildcards nested"),
])
def test_the_node_and_rclpy_read_the_same(peer, tmp_path, namespace, order):
    given = {"-p": ["-p", "min_margin:=0.5", "-p", "eye:min_score:=0.6"]}
    for name, text in (("wildcards", WILDCARDS), ("nested", NESTED)):
        path = tmp_path / f"{name}.yaml"
        path.write_text(text)
        given[name] = ["--params-file", str(path)]
    arguments = [word for source in order.split() for word in given[source]]
    said = subprocess.run([sys.executable, "-c", RCLPY, namespace, "--ros-args", *arguments], env=peer.env, text=True,
                          capture_output=True)
    assert said.returncode == 0, said.stderr
    expected = {name: value for name, value in json.loads(said.stdout).items() if name != "start_type_description_service"}
    peer.start("-r", f"__ns:={namespace or '/'}", "-r", "__node:=eye", *arguments, wait=False, autostart="false")
    names = sorted(expected)
    heard = get_parameters(peer, names, node=f"{namespace}/eye")
    assert {name: value_of(message) for name, message in zip(names, heard)} == expected
    assert "is unknown" not in peer.output()


def test_what_has_no_effect_is_warned_about_by_name(peer, tmp_path):
    path = tmp_path / "given.yaml"
    path.write_text("/**:\n  ros__parameters: {min_scor: 0.3, qos_overrides: {a: 1}}\n")
    other = tmp_path / "other.yaml"
    other.write_text("/camera:\n  ros__parameters: {min_score: 0.3}\n")
    peer.start("--params-file", str(path), "--params-file", str(other), wait=False, autostart="false")
    peer.until(lambda: "none for this node, /referseg" in peer.output(), "the warning about the other node's file")
    assert "parameter min_scor is unknown and has no effect; did you mean min_score?" in peer.output()
    assert "qos_overrides" not in peer.output()
