"""Masks of your own: a stand-in detector and Referseg, which answers commands on what the detector found.

    ros2 launch examples/own_masks/own_masks.launch.py image_topic:=/camera/image_raw
    ros2 topic pub --once /command std_msgs/msg/String "{data: the red mug}"
"""
import sys
from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

DETECTOR = Path(__file__).resolve().parent / "detector.py"


def generate_launch_description():
    image = LaunchConfiguration("image_topic")
    return LaunchDescription([
        DeclareLaunchArgument("image_topic", default_value="/camera/image_raw"),
        ExecuteProcess(cmd=[sys.executable, str(DETECTOR), "--ros-args", "-r", ["image:=", image], "-r", "proposals:=/proposals"]),
        Node(package="referseg", executable="referseg_node", name="referseg",
             remappings=[("image", image), ("proposals", "/proposals")], parameters=[{"proposals": "topic"}]),
    ])
