"""Starts referseg_node. `ros2 launch referseg referseg.launch.py --show-args` lists the arguments.

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
    ('namespace', '',
     'Namespace of the node and its relative topics'),
    ('image_topic', 'image',
     'Topic of sensor_msgs/Image; not for cameras:=[...], whose topics are NAME/image'),
    ('command_topic', 'command',
     'Topic of std_msgs/String with the command'),
    ('depth_topic', 'depth',
     'Topic of the depth images, camera_info beside it; for depth:=true without cameras'),
]
PARAMS_FILE = "YAML file of the node's parameters (ros__parameters); arguments given here override it"
PARAMETERS = [
    ('mode', '',
     'continuous: every newest frame while a command is set; once: one answer per command, on the next frame [continuous]'),
    ('tracking', '',
     'Whether what was found is followed into every frame until the next answer, for whoever subscribes to ~/track [true]'),
    ('model', '',
     'Model folder with config.json, model.safetensors and tokenizer.json [models/demo]'),
    ('config', '',
     'YAML file of segmenter settings; empty for none. Parameters set on the node override it'),
    ('device', '',
     'auto (first GPU, else CPU), cpu or cuda:N [auto]'),
    ('dtype', '',
     'Type that models compute in: auto (f16 on a GPU, else f32), f32, f16 or bf16 [auto]'),
    ('threads', '',
     'Threads that compute, for the whole process; 0 for one a core, 0 to 1024 [0]'),
    ('preset', '',
     "clean (CLIP's own preprocessing), paper (the paper's constants) or best (HybridGL with SAM, for real weights) [clean]"),
    ('method', '',
     'global_local, hybrid_gl (ViT), or a baseline: cropping, region_token (ViT), score_map, grad_cam (ResNet) [global_local]'),
    ('guidance', '',
     'full (places, orders, relations, exclusions, numbers decide too), hybridgl (boxes and a heat map, ViT) or none (similarity alone) [full]'),
    ('proposals', '',
     'regions, sam, prompted (sam asked where regions are), topic (masks or boxes of yours) or labels:FILE.png [regions]'),
    ('sam_model', '',
     'Weights of Segment Anything for proposals sam and prompted, and refine [models/sam]'),
    ('sam_preset', '',
     "objects (whole things, coarse grid) or everything (Segment Anything's own defaults) [objects]"),
    ('refine', '',
     'none, or sam: the mask of a thing that was found is made anew by Segment Anything [none]'),
    ('proposal_limit', '',
     'Maximum proposals per frame, 1 to 1000 [40]'),
    ('parser', '',
     "How the target's noun phrase is found: rules or dependency [rules]"),
    ('global_weight', '',
     "Weight of the global visual feature against the local one, 0 to 1 [the model's]"),
    ('sentence_weight', '',
     'Weight of the sentence against the noun phrase, 0 to 1 [0.5]'),
    ('min_score', '',
     "Score below which the answer is NOT_FOUND, -1 to 1 [the model's]"),
    ('min_margin', '',
     "Lead over the best other thing below which the answer is AMBIGUOUS, 0 to 2 [the model's]"),
    ('static_tolerance', '',
     "Largest change of an 8x8 block's mean colour, levels, in a frame that is not encoded again; 0: encode each, 0 to 255 [2.0]"),
    ('pipelined', '',
     "Whether the next frame's proposals are looked for while this one's features are computed [false]"),
    ('cameras', '',
     'Names of cameras, each with its own topics NAME/image and ~/NAME/...; empty for one camera without a name'),
    ('image_transport', '',
     'raw (sensor_msgs/Image) or compressed (sensor_msgs/CompressedImage) [raw]'),
    ('image_reliability', '',
     'auto (as the publisher offers), best_effort (takes every publisher) or reliable (only reliable publishers) [auto]'),
    ('depth', '',
     'Whether to subscribe to depth images and publish 3D outputs [false]'),
    ('target_frame', '',
     "Frame that 3D outputs are given in, by /tf at the image's stamp; empty for the image's optical frame"),
    ('reference_frame', '',
     "The robot's frame (x forward, y left, z up), for words that mean the robot or gravity, with depth and /tf; empty: the picture's"),
    ('depth_tolerance', '',
     'Largest time between a depth image and its image, seconds, 0 to 1 [0.02]'),
    ('proposals_tolerance', '',
     'Largest time between proposals on a topic and their image, seconds, 0 to 1 [0.02]'),
    ('proposals_wait', '',
     'Longest time that images wait for proposals on a topic until an answer says that none come, seconds, 0.05 to 60 [1.0]'),
    ('autostart', '',
     'Whether the node configures and activates itself at the start [true]'),
    ('diagnostics_period', '',
     'Period of /diagnostics, seconds, 0.1 to 60 [1.0]'),
    ('use_sim_time', '',
     'Whether time comes from /clock [false]'),
]
PROCESS = [
    ('managed', 'false',
     'Start as a LifecycleNode, whose transitions launch files can request and wait for'),
    ('large_images', 'false',
     'Start this and what is launched after it with a Fast DDS profile for large best-effort images'),
    ('log_level', 'info',
     'debug, info, warn, error or fatal'),
]

# the others are read as YAML: a number, true or false, a list of names, or nothing
TEXTS = ['mode', 'model', 'config', 'device', 'dtype', 'preset', 'method', 'guidance', 'proposals', 'sam_model', 'sam_preset', 'refine', 'parser', 'image_transport', 'image_reliability', 'target_frame', 'reference_frame']


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
                ParameterFile(LaunchConfiguration('params_file')), {name: value(name) for name, _, _ in PARAMETERS}],
            remappings=[
                ('image', LaunchConfiguration('image_topic')),
                ('command', LaunchConfiguration('command_topic')),
                ('depth', LaunchConfiguration('depth_topic')),
            ],
            arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')],
        )

    share = FindPackageShare('referseg')
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, default, description in TOPICS + PARAMETERS + PROCESS
    ]
    params_file = DeclareLaunchArgument(
        'params_file', default_value=PathJoinSubstitution([share, 'config', 'empty.yaml']), description=PARAMS_FILE)
    profile = SetEnvironmentVariable(
        'FASTRTPS_DEFAULT_PROFILES_FILE',
        PathJoinSubstitution([share, 'config', 'fastdds_large_images.xml']),
        condition=IfCondition(LaunchConfiguration('large_images')))
    managed = LaunchConfiguration('managed')
    return LaunchDescription([
        *declared, params_file, profile, node(Node, UnlessCondition(managed)), node(LifecycleNode, IfCondition(managed))])
