"""Starts referseg_node. `ros2 launch referseg referseg.launch.py --show-args` lists the arguments.

The XML and YAML files beside this one do the same with the same arguments, but for `managed`: only Python knows
launch_ros's LifecycleNode. In all three, autostart:=false leaves the node to a lifecycle manager.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare('referseg')
MODEL = PathJoinSubstitution([SHARE, 'models', 'demo'])

ARGUMENTS = [
    ('namespace', '', 'Namespace of the node and its relative topics'),
    ('image_topic', 'image', 'sensor_msgs/Image to look at'),
    ('command_topic', 'command', 'std_msgs/String with what to find'),
    ('depth_topic', 'depth', 'Depth image aligned with the image, camera_info beside it; for depth:=true'),
    ('depth', 'false', 'Listen to depth images and say where things are in space'),
    ('image_transport', 'raw', 'raw or compressed'),
    ('model', MODEL, 'Model folder'),
    ('proposals', '', 'regions, sam or labels:FILE.png; empty for the configured ones'),
    ('sam_model', '', 'Weights of Segment Anything for proposals:=sam; empty for the configured ones'),
    ('config', '', 'YAML file of segmenter settings; empty for none'),
    ('device', 'auto', 'auto, cpu or cuda:N'),
    ('mode', 'continuous', 'continuous or once'),
    ('autostart', 'true', 'Configure and activate at the start; false for a lifecycle manager'),
    ('managed', 'false', 'Start as a LifecycleNode, whose transitions launch files can ask for and wait for'),
    ('large_images', 'false', 'Start this and what is launched after it with a Fast DDS profile for large best-effort images'),
    ('log_level', 'info', 'debug, info, warn, error or fatal'),
    ('use_sim_time', 'false', 'Take the time from /clock'),
]


def value(name, kind=str):
    return ParameterValue(LaunchConfiguration(name), value_type=kind)


def generate_launch_description():
    def node(action, condition):
        return action(
            package='referseg',
            executable='referseg_node',
            name='referseg',
            namespace=LaunchConfiguration('namespace'),
            output='screen',
            condition=condition,
            parameters=[{
                'image_transport': value('image_transport'),
                'depth': value('depth', bool),
                'model': value('model'),
                'proposals': value('proposals'),
                'sam_model': value('sam_model'),
                'config': value('config'),
                'device': value('device'),
                'mode': value('mode'),
                'autostart': value('autostart', bool),
                'use_sim_time': value('use_sim_time', bool),
            }],
            remappings=[
                ('image', LaunchConfiguration('image_topic')),
                ('command', LaunchConfiguration('command_topic')),
                ('depth', LaunchConfiguration('depth_topic')),
            ],
            arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')],
        )

    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, default, description in ARGUMENTS
    ]
    profile = SetEnvironmentVariable(
        'FASTRTPS_DEFAULT_PROFILES_FILE', PathJoinSubstitution([SHARE, 'config', 'fastdds_large_images.xml']),
        condition=IfCondition(LaunchConfiguration('large_images')))
    managed = LaunchConfiguration('managed')
    return LaunchDescription([
        *declared, profile, node(Node, UnlessCondition(managed)), node(LifecycleNode, IfCondition(managed))])
