#!/usr/bin/env python3
"""Writes launch/referseg.launch.{py,xml,yaml} from the node's table of parameters, so that the three take the same arguments.

    python tools/launch_files.py            # writes them
    python tools/launch_files.py --check    # says which differ; exit status 1

Names, kinds, ranges and meanings are read from src/ros/parameters/table.rs, defaults from the table in docs/interface.md, which a test compares with it.
"""

import re
import sys
from pathlib import Path
from xml.sax.saxutils import quoteattr

ROOT = Path(__file__).resolve().parent.parent
TOPICS = [
    ("namespace", "", "Namespace of the node and its relative topics"),
    ("image_topic", "image", "Topic of sensor_msgs/Image; not for cameras:=[...], whose topics are NAME/image"),
    ("command_topic", "command", "Topic of std_msgs/String with the command"),
    ("depth_topic", "depth", "Topic of the depth images, camera_info beside it; for depth:=true without cameras"),
    ("params_file", "$(find-pkg-share referseg)/config/empty.yaml",
     "YAML file of the node's parameters (ros__parameters); arguments given here override it"),
]
PROCESS = [
    ("managed", "false", "Start as a LifecycleNode, whose transitions launch files can request and wait for"),
    ("large_images", "false", "Start this and what is launched after it with a Fast DDS profile for large best-effort images"),
    ("log_level", "info", "debug, info, warn, error or fatal"),
]
REMAPPED = [("image", "image_topic"), ("command", "command_topic"), ("depth", "depth_topic")]


def table():
    """(name, kind, meaning) of each parameter, the default in the meaning."""
    source = (ROOT / "src/ros/parameters/table.rs").read_text()
    specs = re.findall(r'spec\(\s*"(\w+)",\s*(\w+),\s*"[^"]*",\s*\w+,\s*"((?:[^"\\]|\\.)*)",?\s*\)', source)
    document = (ROOT / "docs/interface.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| .*? \| (?:live|reload|start) \| (.*) \|$", document, re.M))
    defaults = dict(re.findall(r"^\| `(\w+)` \| (.*?) \| (?:live|reload|start) \|", document, re.M))
    assert len(specs) == len(rows) == len(defaults), (len(specs), len(rows))
    said = {name: f" [{defaults[name]}]" if defaults[name] else "" for name in rows}
    return [(name, kind, rows[name] + said[name]) for name, kind, _ in specs]


def python_file(parameters):
    def entry(row):
        name, default, meaning = row
        return f"    ({name!r}, {default!r},\n     {meaning!r}),\n"

    arguments = "".join(entry((name, "", meaning)) for name, _, meaning in parameters)
    topics = "".join(entry(row) for row in TOPICS if row[0] != "params_file")
    texts = ", ".join(repr(name) for name, kind, _ in parameters if kind == "Text")
    return f'''"""Starts referseg_node. `ros2 launch referseg referseg.launch.py --show-args` lists the arguments.

Every parameter of the node is an argument; an empty one leaves what params_file says, or else the node's own default, which stands in [].
The XML and YAML files beside this one do the same with the same arguments, but for `managed`: only Python knows launch_ros's
LifecycleNode. In all three, autostart:=false leaves the node to a lifecycle manager.

Made by tools/launch_files.py of the table of parameters.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue
from launch_ros.substitutions import FindPackageShare

TOPICS = [
{topics}]
PARAMS_FILE = {TOPICS[-1][2]!r}
PARAMETERS = [
{arguments}]
PROCESS = [
{"".join(entry(row) for row in PROCESS)}]

# the others are read as YAML: a number, true or false, a list of names, or nothing
TEXTS = [{texts}]


def value(name):
    return ParameterValue(LaunchConfiguration(name), value_type=str if name in TEXTS else None)


def generate_launch_description():
    def node(action, condition):
        return action(
            package='referseg',
            executable='referseg_node',
            name='referseg',
            namespace=LaunchConfiguration('namespace'),
            output='screen',
            condition=condition,
            parameters=[
                ParameterFile(LaunchConfiguration('params_file')), {{name: value(name) for name, _, _ in PARAMETERS}}],
            remappings=[
{"".join(f"                ({name!r}, LaunchConfiguration({argument!r})),{chr(10)}" for name, argument in REMAPPED)}            ],
            arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')],
        )

    share = FindPackageShare('referseg')
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, default, description in TOPICS + PARAMETERS + PROCESS
    ]
    params_file = DeclareLaunchArgument(
        'params_file', default_value=PathJoinSubstitution([share, 'config', 'empty.yaml']), description=PARAMS_FILE)
    # Fast DDS 2 reads the first, Fast DDS 3 the second
    profiles = [
        SetEnvironmentVariable(
            name,
            PathJoinSubstitution([share, 'config', 'fastdds_large_images.xml']),
            condition=IfCondition(LaunchConfiguration('large_images')))
        for name in ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')]
    managed = LaunchConfiguration('managed')
    return LaunchDescription([
        *declared, params_file, *profiles, node(Node, UnlessCondition(managed)), node(LifecycleNode, IfCondition(managed))])
'''


def xml_file(parameters):
    rows = TOPICS + [(name, "", meaning) for name, _, meaning in parameters] + PROCESS[1:]
    arguments = "".join(
        f"  <arg name={quoteattr(name)} default={quoteattr(default)} description={quoteattr(meaning)}/>\n"
        for name, default, meaning in rows)
    typed = {"Text": ' type="str"'}
    passed = "".join(f'    <param name="{name}" value="$(var {name})"{typed.get(kind, "")}/>\n' for name, kind, _ in parameters)
    remapped = "".join(f'    <remap from="{name}" to="$(var {argument})"/>\n' for name, argument in REMAPPED)
    return f'''<!-- Starts referseg_node; the same as referseg.launch.py. Made by tools/launch_files.py of the table of parameters. -->
<launch>
{arguments}
  <set_env name="FASTRTPS_DEFAULT_PROFILES_FILE" value="$(find-pkg-share referseg)/config/fastdds_large_images.xml" if="$(var large_images)"/>
  <set_env name="FASTDDS_DEFAULT_PROFILES_FILE" value="$(find-pkg-share referseg)/config/fastdds_large_images.xml" if="$(var large_images)"/>
  <node pkg="referseg" exec="referseg_node" name="referseg" namespace="$(var namespace)" output="screen"
        args="--ros-args --log-level $(var log_level)">
    <param from="$(var params_file)"/>
{passed}{remapped}  </node>
</launch>
'''


def yaml_file(parameters):
    def quoted(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    rows = TOPICS + [(name, "", meaning) for name, _, meaning in parameters] + PROCESS[1:]
    arguments = "".join(
        f"- arg:\n    name: {name}\n    default: {quoted(default)}\n    description: {quoted(meaning)}\n"
        for name, default, meaning in rows)
    typed = {"Text": ", type: str"}
    passed = "".join(f'    - {{name: {name}, value: "$(var {name})"{typed.get(kind, "")}}}\n' for name, kind, _ in parameters)
    remapped = "".join(f'    - {{from: {name}, to: "$(var {argument})"}}\n' for name, argument in REMAPPED)
    return f'''# Starts referseg_node; the same as referseg.launch.py. Made by tools/launch_files.py of the table of parameters.
launch:
{arguments}- set_env:
    name: FASTRTPS_DEFAULT_PROFILES_FILE
    value: "$(find-pkg-share referseg)/config/fastdds_large_images.xml"
    if: "$(var large_images)"
- set_env:
    name: FASTDDS_DEFAULT_PROFILES_FILE
    value: "$(find-pkg-share referseg)/config/fastdds_large_images.xml"
    if: "$(var large_images)"
- node:
    pkg: referseg
    exec: referseg_node
    name: referseg
    namespace: "$(var namespace)"
    output: screen
    args: "--ros-args --log-level $(var log_level)"
    param:
    - {{from: "$(var params_file)"}}
{passed}    remap:
{remapped.rstrip()}
'''


def main():
    parameters = table()
    differ = []
    for kind, text in (("py", python_file(parameters)), ("xml", xml_file(parameters)), ("yaml", yaml_file(parameters))):
        path = ROOT / "launch" / f"referseg.launch.{kind}"
        if path.read_text() != text:
            differ.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(text)
    if "--check" in sys.argv and differ:
        sys.exit(f"{', '.join(differ)}: not what the table of parameters says; run python tools/launch_files.py")


if __name__ == "__main__":
    main()
