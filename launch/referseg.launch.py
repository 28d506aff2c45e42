"""Starts referseg_node. `ros2 launch referseg referseg.launch.py --show-args` lists the arguments.

Every parameter of the node is an argument; an empty one leaves the node's own value. The XML and YAML files beside this
one do the same with the same arguments, but for `managed`: only Python knows launch_ros's LifecycleNode. In all three,
autostart:=false leaves the node to a lifecycle manager.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

TOPICS = [
    ('namespace', '', 'Namespace of the node and its relative topics'),
    ('image_topic', 'image', 'Topic of sensor_msgs/Image; not for cameras:=[...], whose topics are NAME/image'),
    ('command_topic', 'command', 'Topic of std_msgs/String with the command'),
    ('depth_topic', 'depth', 'Topic of the depth images, camera_info beside it; for depth:=true without cameras'),
]
PARAMETERS = [
    ('mode', 'continuous',
     'continuous: every newest frame while a command is set; once: one answer per command, on the next frame'),
    ('model', '', 'Model folder with config.json, model.safetensors and tokenizer.json'),
    ('config', '', 'YAML file of segmenter settings; empty for none. Parameters set on the node override it'),
    ('device', '', 'auto (first GPU, else CPU), cpu or cuda:N'),
    ('dtype', '', 'Type that models compute in: auto (f16 on a GPU, else f32), f32, f16 or bf16'),
    ('threads', '', 'Threads that compute, for the whole process; 0 for one a core, 0 to 1024'),
    ('preset', '', "clean (CLIP's own preprocessing), paper (the paper's constants) or best (HybridGL with SAM, for real weights)"),
    ('method', '',
     'global_local, hybrid_gl (ViT), or a baseline: cropping, region_token (ViT), score_map, grad_cam (ResNet)'),
    ('guidance', '',
     'full (places, orders, relations, exclusions, numbers decide too), hybridgl (boxes and a heat map, ViT) or none (similarity alone)'),
    ('proposals', '', 'regions, sam, prompted (sam asked where regions are), topic (masks or boxes of yours) or labels:FILE.png'),
    ('sam_model', '', 'Weights of Segment Anything for proposals sam and prompted, and refine'),
    ('sam_preset', '', "objects (whole things, coarse grid) or everything (Segment Anything's own defaults)"),
    ('refine', '', 'none, or sam: the mask of a thing that was found is made anew by Segment Anything'),
    ('proposal_limit', '', 'Maximum proposals per frame, 1 to 1000'),
    ('parser', '', "How the target's noun phrase is found: rules or dependency"),
    ('global_weight', '', 'Weight of the global visual feature against the local one, 0 to 1'),
    ('sentence_weight', '', 'Weight of the sentence against the noun phrase, 0 to 1'),
    ('min_score', '', 'Score below which the answer is NOT_FOUND, -1 to 1'),
    ('min_margin', '', 'Lead over the best other thing below which the answer is AMBIGUOUS, 0 to 2'),
    ('static_tolerance', '',
     "Largest change of an 8x8 block's mean colour, levels, in a frame that is not encoded again; 0: encode each, 0 to 255"),
    ('pipelined', 'false', "Whether the next frame's proposals are looked for while this one's features are computed"),
    ('cameras', '',
     'Names of cameras, each with its own topics NAME/image and ~/NAME/...; empty for one camera without a name'),
    ('image_transport', 'raw', 'raw (sensor_msgs/Image) or compressed (sensor_msgs/CompressedImage)'),
    ('image_reliability', 'auto',
     'auto (as the publisher offers), best_effort (takes every publisher) or reliable (only reliable publishers)'),
    ('depth', 'false', 'Whether to subscribe to depth images and publish 3D outputs'),
    ('depth_tolerance', '0.02', 'Largest time between a depth image and its image, seconds, 0 to 1'),
    ('proposals_tolerance', '', 'Largest time between proposals on a topic and their image, seconds, 0 to 1'),
    ('proposals_wait', '', 'Longest time that images wait for proposals on a topic until an answer says that none come, seconds, 0.05 to 60'),
    ('autostart', 'true', 'Whether the node configures and activates itself at the start'),
    ('diagnostics_period', '1.0', 'Period of /diagnostics, seconds, 0.1 to 60'),
    ('use_sim_time', 'false', 'Whether time comes from /clock'),
]
PROCESS = [
    ('managed', 'false', 'Start as a LifecycleNode, whose transitions launch files can request and wait for'),
    ('large_images', 'false',
     'Start this and what is launched after it with a Fast DDS profile for large best-effort images'),
    ('log_level', 'info', 'debug, info, warn, error or fatal'),
]

FLAGS = ['depth', 'pipelined', 'autostart', 'use_sim_time']
# read as YAML: a number, a list of names, or nothing
UNTYPED = [
    'threads', 'proposal_limit', 'global_weight', 'sentence_weight', 'min_score', 'min_margin', 'static_tolerance', 'cameras',
    'depth_tolerance', 'proposals_tolerance', 'proposals_wait', 'diagnostics_period',
]


def value(name):
    kind = bool if name in FLAGS else None if name in UNTYPED else str
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
            parameters=[{name: value(name) for name, _, _ in PARAMETERS}],
            remappings=[
                ('image', LaunchConfiguration('image_topic')),
                ('command', LaunchConfiguration('command_topic')),
                ('depth', LaunchConfiguration('depth_topic')),
            ],
            arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')],
        )

    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, default, description in TOPICS + PARAMETERS + PROCESS
    ]
    profile = SetEnvironmentVariable(
        'FASTRTPS_DEFAULT_PROFILES_FILE',
        PathJoinSubstitution([FindPackageShare('referseg'), 'config', 'fastdds_large_images.xml']),
        condition=IfCondition(LaunchConfiguration('large_images')))
    managed = LaunchConfiguration('managed')
    return LaunchDescription([
        *declared, profile, node(Node, UnlessCondition(managed)), node(LifecycleNode, IfCondition(managed))])
