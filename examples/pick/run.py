"""Starts the simulated robot and referseg_node, asks for things, and counts which were lifted; run.sh calls it."""

import collections
import json
import pathlib
import sys
import time

import commands
import numpy as np
from geometry_msgs.msg import PoseStamped
from pick import Follower, Picker
from rclpy.qos import DurabilityPolicy, QoSProfile
from referseg.msg import Segmentation
from scene import APPROACH, COLOURS, HEIGHT, KINDS, SHAPES, WIDTH, camera
from std_msgs.msg import String

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "shared"))
from programs import Film, Programs, scene_arguments  # noqa: E402

ENDS = ("lifted", "wrong thing lifted", "nothing lifted", "not found", "lost", "no point")


def main():
    parser = scene_arguments(__doc__)
    parser.add_argument("text", nargs="?", help='what to pick: "the red cube", which is then on the table, or "the second cube from '
                        'the left", of three; without, one thing a scene, by name, order or place in turn')
    parser.add_argument("--track", action="store_true", help="the camera moves with the arm while somebody pushes the thing: it is followed")
    arguments = parser.parse_args()
    named = next((name for name in map(" ".join, KINDS) if name in (arguments.text or "")), None)
    shape = next((shape for shape in SHAPES if shape in (arguments.text or "")), None)
    if arguments.text and not shape:
        parser.error(f"{arguments.text!r} names nothing that is ever on this table: a {', '.join(COLOURS)} {', '.join(SHAPES)}")
    parameters = {"depth": "true", "proposal_limit": 40,
                  # the best guess counts: the shipped thresholds were calibrated on another renderer
                  "min_score": -1.0, "min_margin": 0.0, "mode": "once"}
    with Programs(pathlib.Path(__file__).with_name("scene.py"), "pick", ["image:=camera/image", "depth:=camera/depth"], **parameters) as programs:
        lifted = pick_all(arguments, named, shape, programs)
    return 0 if lifted == arguments.scenes else 1


def turned(pose):
    """The rotation matrix of a pose."""
    x, y, z, w = pose.orientation.x, pose.orientation.y, pose.orientation.z, pose.orientation.w
    return np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                     [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                     [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])


def pick_all(arguments, named, shape, programs):
    """Goes through the scenes; how many right things were lifted."""
    me, spin_until = programs.node, programs.spin_until
    truths, lifted = [], []
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    me.create_subscription(String, "truth", lambda message: truths.append(json.loads(message.data)), latched)
    me.create_subscription(String, "lifted", lambda message: lifted.append(json.loads(message.data)), 10)
    scene, grasp = me.create_publisher(String, "scene", 1), me.create_publisher(PoseStamped, "grasp", 1)
    rotation, _, focal = camera()
    picker = Picker(me, focal, (WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5), rotation.T @ [0, 0, -1])
    ends = collections.Counter()
    follower, poses = Follower(me), {}
    me.create_subscription(PoseStamped, "camera/pose", lambda message: poses.update({(message.header.stamp.sec,
                           message.header.stamp.nanosec): message.pose}), 50)
    approach = me.create_publisher(String, "approach", 1)
    film = Film(me, "referseg/track/overlay" if arguments.track else "referseg/overlay", arguments.picture, every=1)
    spin_until(lambda: scene.get_subscription_count() and grasp.get_subscription_count())
    for seed in range(arguments.seed, arguments.seed + arguments.scenes):
        kind = commands.KINDS[seed % len(commands.KINDS)]
        if named:
            table = {"wanted": named}
        else:
            table = {"alike": 3, "shape": shape} if shape else {"alike": commands.alike(kind)}
        asked = None
        for attempt in range(100):  # a table on which nobody could doubt what is meant
            truths.clear()
            scene.publish(String(data=json.dumps({"seed": seed + 1000 * attempt, **table})))
            spin_until(lambda: truths and truths[-1]["seed"] == seed + 1000 * attempt)
            things = truths[-1]["things"]
            if arguments.text:
                asked = arguments.text, named
            else:
                asked = commands.command(kind, seed, things, truths[-1]["pixels"])
            if asked:
                break
        text, wanted = asked
        lifted.clear()
        # frames of the table before are on their way still
        spin_for = time.monotonic() + 1.0
        spin_until(lambda: time.monotonic() > spin_for)
        answer = follower.find(text, spin_until) if arguments.track else picker.ask(text, spin_until)
        if arguments.track and answer.status == Segmentation.FOUND:
            # the arm moves with its camera, and somebody pushes the thing
            approach.publish(String(data=json.dumps({"push": wanted})))
            until = time.monotonic() + APPROACH + 1.0
            spin_until(lambda: time.monotonic() > until)
            answer = follower.track or answer
            stamp = answer.header.stamp
            spin_until(lambda: (stamp.sec, stamp.nanosec) in poses)
            picker.down = turned(poses[stamp.sec, stamp.nanosec]).T @ [0, 0, -1]
        if answer.status != Segmentation.FOUND:
            end = "lost" if answer.status == Segmentation.LOST else "not found"
            what = answer.reason
        elif not answer.has_object:
            end, what = "no point", answer.object_reason
        else:
            grasp.publish(picker.grasp(answer))
            spin_until(lambda: lifted)
            got = lifted[-1]
            right = got == [wanted] or not wanted and len(got) == 1  # of an order in words of the user's nothing is known
            end = "nothing lifted" if not got else "lifted" if right else "wrong thing lifted"
            what = ", ".join(got)
        ends[end] += 1
        print(f"scene {seed}: on the table {', '.join(things)}; asked {text!r}: {end}" + (f" ({what})" if what else ""),
              flush=True)
    film.write()
    print(f"{ends['lifted']} of {arguments.scenes} lifted the right thing; " + ", ".join(f"{end}: {ends[end]}" for end in ENDS))
    return ends["lifted"]


if __name__ == "__main__":
    sys.exit(main())
