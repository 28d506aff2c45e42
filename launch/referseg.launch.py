"""Starts referseg_node. `ros2 launch referseg referseg.launch.py --show-args` lists the arguments.

The XML and YAML files beside this one do the same with the same arguments.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

MODEL = PathJoinSubstitution([FindPackageShare('referseg'), 'models', 'demo'])

ARGUMENTS = [
    ('namespace', '', 'Namespace of the node and its relative topics'),
    ('image_topic', 'image', 'sensor_msgs/Image to look at'),
    ('command_topic', 'command', 'std_msgs/String with what to find'),
    ('model', MODEL, 'Model folder'),
    ('proposals', '', 'regions, sam or labels:FILE.png; empty for the configured ones'),
    ('sam_model', '', 'Weights of Segment Anything for proposals:=sam; empty for the configured ones'),
    ('config', '', 'YAML file of segmenter settings; empty for none'),
    ('device', 'auto', 'auto, cpu or cuda:N'),
    ('mode', 'continuous', 'continuous or once'),
    ('log_level', 'info', 'debug, info, warn, error or fatal'),
    ('use_sim_time', 'false', 'Take the time from /clock'),
]


def text(name):
    return ParameterValue(LaunchConfiguration(name), value_type=str)


def generate_launch_description():
    node = Node(
        package='referseg',
        executable='referseg_node',
        name='referseg',
        namespace=LaunchConfiguration('namespace'),
        output='screen',
        parameters=[{
            'model': text('model'),
            'proposals': text('proposals'),
            'sam_model': text('sam_model'),
            'config': text('config'),
            'device': text('device'),
            'mode': text('mode'),
            'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool),
        }],
        remappings=[
            ('image', LaunchConfiguration('image_topic')),
            ('command', LaunchConfiguration('command_topic')),
        ],
        arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')],
    )
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=description)
        for name, value, description in ARGUMENTS
    ]
    return LaunchDescription([*declared, node])
