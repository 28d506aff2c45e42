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
     'continuous: answer every newest frame while a command is set; once: answer each command once, on the next frame [continuous]'),
    ('tracking', '',
     'Track what was found from frame to frame until the next answer, while anything below ~/track has a subscriber [true]'),
    ('dialogue', '',
     'Understand commands on a topic as replies to the answers before them ("the left one", "no, the other one"). Requests name their conversation [false]'),
    ('dialogue_timeout', '',
     'Time without a command or request after which a conversation is forgotten, seconds of real time (1 to 86400) [60.0]'),
    ('model', '',
     'Model folder with config.json, model.safetensors and tokenizer.json [models/demo]'),
    ('config', '',
     'YAML file of segmenter settings, or empty. Parameters set on the node override it'),
    ('device', '',
     'auto (first GPU, else CPU), cpu or cuda:N [auto]'),
    ('dtype', '',
     'Data type of the models: auto (f16 on a GPU, else f32), f32, f16 or bf16 [auto]'),
    ('threads', '',
     'Compute threads of the whole process; 0 = one per core, 0 to 1024 [0]'),
    ('preset', '',
     "clean (CLIP's own preprocessing), paper (the paper's constants) or best (HybridGL with SAM, for real weights) [clean]"),
    ('method', '',
     'global_local, hybrid_gl (ViT), or a baseline: cropping, region_token (ViT), score_map, grad_cam (ResNet) [global_local]'),
    ('guidance', '',
     'full (places, orders, relations, exclusions and numbers also decide), hybridgl (boxes and a heat map, ViT) or none (similarity only) [full]'),
    ('proposals', '',
     'regions, sam, prompted (SAM prompted at the regions), solo (a SOLO network such as FreeSOLO), topic (your own masks or boxes) or labels:FILE.png [regions]'),
    ('solo_model', '',
     'SOLO weights, used by proposals solo [models/solo]'),
    ('sam_model', '',
     'Segment Anything weights, used by proposals sam and prompted and by refine [models/sam]'),
    ('sam_preset', '',
     "objects (whole objects, coarse grid) or everything (Segment Anything's own defaults) [objects]"),
    ('refine', '',
     'none, or sam: re-segment what was found with Segment Anything [none]'),
    ('proposal_limit', '',
     'Maximum number of proposals per frame, 1 to 1000 [40]'),
    ('parser', '',
     'How the target noun phrase is found: rules or dependency [rules]'),
    ('global_weight', '',
     "Weight of the global visual feature; the local one has the rest, 0 to 1 [the model's]"),
    ('sentence_weight', '',
     'Weight of the sentence feature; the noun phrase has the rest, 0 to 1 [0.5]'),
    ('footprint', '',
     "Diameter of the target's footprint at its destination, metres; 0 = its own size in the image. Needs depth (0 to 10) [0.0]"),
    ('clearance', '',
     'Free space required around the footprint, metres. Needs depth (0 to 10) [0.0]'),
    ('min_score', '',
     "Threshold: below this score the answer is NOT_FOUND, -1 to 1 [the model's]"),
    ('min_margin', '',
     "Threshold: with a smaller lead over the runner-up the answer is AMBIGUOUS, 0 to 2 [the model's]"),
    ('static_tolerance', '',
     'A frame is not encoded again if no 8x8 block changed its mean colour by more than this many levels; 0 = always encode, 0 to 255 [2.0]'),
    ('cameras', '',
     'Camera names, each with its own topics NAME/image and ~/NAME/...; empty for one unnamed camera'),
    ('image_transport', '',
     'raw (sensor_msgs/Image) or compressed (sensor_msgs/CompressedImage) [raw]'),
    ('image_reliability', '',
     'auto (match the publisher), best_effort (accept every publisher) or reliable (only reliable publishers) [auto]'),
    ('depth', '',
     'Subscribe to depth images and publish 3D outputs [false]'),
    ('target_frame', '',
     "Frame of the 3D outputs, looked up in /tf at the image's stamp; empty for the image's optical frame"),
    ('reference_frame', '',
     "Robot frame (x forward, y left, z up) for words such as 'on your left', with depth and /tf; empty to judge them in the image"),
    ('captions', '',
     'Text on the overlays: line (status, score and target) or terms (also command, reading and scoring terms, below the image) [line]'),
    ('depth_scale', '',
     'Metres of one unit of 16-bit depth images; 32FC1 is in metres, 0.000001 to 1 [0.001]'),
    ('rectified', '',
     "Whether depth and colour images are rectified (projection matrix P) or raw (K and distortion D): auto (by the words rect or undist in their topics' names), true or false [auto]"),
    ('max_frame_age', '',
     "Maximum age of a frame that is answered, seconds of the node's clock since its stamp, or since its arrival where stamps are of another clock; 0 for any, 0 to 3600 [2.0]"),
    ('request_timeout', '',
     'How long a request or goal that states no timeout waits, seconds, 0.1 to 3600 [10.0]'),
    ('depth_tolerance', '',
     'Maximum stamp difference between depth and colour, seconds, 0 to 1 [0.02]'),
    ('proposals_tolerance', '',
     'Maximum stamp difference between external proposals and their image, seconds, 0 to 1 [0.02]'),
    ('proposals_wait', '',
     'How long an image waits for external proposals before it is answered with an error, seconds, 0.05 to 60 [1.0]'),
    ('autostart', '',
     'Configure and activate on startup [true]'),
    ('diagnostics_period', '',
     'Period of /diagnostics, seconds, 0.1 to 60 [1.0]'),
    ('use_sim_time', '',
     'Take time from /clock [false]'),
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
TEXTS = ['mode', 'model', 'config', 'device', 'dtype', 'preset', 'method', 'guidance', 'proposals', 'solo_model', 'sam_model', 'sam_preset', 'refine', 'parser', 'image_transport', 'image_reliability', 'target_frame', 'reference_frame', 'captions', 'rectified']


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
