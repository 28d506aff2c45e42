"""Starts the simulated robot and referseg_node, has things put somewhere ("put the red cube between the green can and the blue ball"), and
counts which then stand there with nothing knocked over; place.sh calls it."""

import collections
import json
import pathlib
import sys
import time

import commands
from geometry_msgs.msg import PoseStamped
from pick import Picker
from rclpy.qos import DurabilityPolicy, QoSProfile
from referseg.msg import Segmentation
from scene import HEIGHT, WIDTH, camera
from std_msgs.msg import String

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "shared"))
from programs import Film, Programs, scene_arguments  # noqa: E402

MOVED, LEAN = 0.015, 0.95  # metres, cosine: beyond these a thing was knocked
ENDS = ("placed", "in another place", "fell", "knocked something", "another thing lifted", "nothing lifted", "not found", "no place")


def judge(relation, anchors, things, before, after):
    """How it ended, from the places of all things before and after; the first thing was moved."""
    leans = [now[3] < LEAN and not name.endswith("ball") for name, now in zip(things, after)]
    if abs(after[0][2] - before[0][2]) > 0.012 or leans[0]:
        return "fell"
    moved = [max(abs(a - b) for a, b in zip(then[:3], now[:3])) > MOVED for then, now in zip(before, after)]
    if any(moved[1:]) or any(leans[1:]):
        return "knocked something"
    return "placed" if commands.stands_so(relation, after[0], [after[anchor] for anchor in anchors]) else "in another place"


def main():
    arguments = scene_arguments(__doc__).parse_args()
    parameters = {"depth": "true", "mode": "once",
                  # the best guess counts: the shipped thresholds were calibrated on another renderer
                  "min_score": -1.0, "min_margin": 0.0,
                  # the fingers open beside the thing
                  "footprint": 0.05, "clearance": 0.03}
    with Programs(pathlib.Path(__file__).with_name("scene.py"), "place", ["image:=camera/image", "depth:=camera/depth"], **parameters) as programs:
        placed = place_all(arguments, programs)
    return 0 if placed == arguments.scenes else 1


def place_all(arguments, programs):
    """Goes through the scenes; how many things were put where they should go."""
    me, spin_until = programs.node, programs.spin_until
    truths, lifted, placed = [], [], []
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    me.create_subscription(String, "truth", lambda message: truths.append(json.loads(message.data)), latched)
    me.create_subscription(String, "lifted", lambda message: lifted.append(json.loads(message.data)), 10)
    me.create_subscription(String, "placed", lambda message: placed.append(json.loads(message.data)), 10)
    scene = me.create_publisher(String, "scene", 1)
    grasp, place = me.create_publisher(PoseStamped, "grasp", 1), me.create_publisher(PoseStamped, "place", 1)
    rotation, _, focal = camera()
    picker = Picker(me, focal, (WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5), rotation.T @ [0, 0, -1])
    ends = collections.Counter()
    film = Film(me, "referseg/overlay", arguments.picture, every=1)
    spin_until(lambda: all(publisher.get_subscription_count() for publisher in (scene, grasp, place)))
    for seed in range(arguments.seed, arguments.seed + arguments.scenes):
        errand = None
        for attempt in range(200):  # a table with room for it
            truths.clear()
            scene.publish(String(data=json.dumps({"seed": seed + 1000 * attempt})))
            spin_until(lambda: truths and truths[-1]["seed"] == seed + 1000 * attempt)
            things, places = truths[-1]["things"], truths[-1]["places"]
            errand = commands.errand(seed, things, places)
            if errand:
                break
        text, relation, anchors = errand
        lifted.clear(), placed.clear()
        # frames of the table before are on their way still
        spin_for = time.monotonic() + 1.0
        spin_until(lambda: time.monotonic() > spin_for)
        answer = picker.ask(text, spin_until)
        what = answer.reason
        if answer.status != Segmentation.FOUND or not answer.has_object:
            end, what = "not found", answer.reason or answer.object_reason
        elif not answer.destination.has_pose:
            end, what = "no place", answer.destination.reason or answer.destination.pose_reason
        else:
            grasp.publish(picker.grasp(answer))
            spin_until(lambda: lifted)
            if lifted[-1] != [things[0]]:
                end, what = ("another thing lifted" if lifted[-1] else "nothing lifted"), ", ".join(lifted[-1])
            else:
                place.publish(answer.destination.pose)
                spin_until(lambda: placed)
                end = judge(relation, anchors, things, places, placed[-1])
        ends[end] += 1
        print(f"scene {seed}: on the table {', '.join(things)}; asked {text!r}: {end}" + (f" ({what})" if what else ""), flush=True)
    film.write()
    print(f"{ends['placed']} of {arguments.scenes} placed; " + ", ".join(f"{end}: {ends[end]}" for end in ENDS))
    return ends["placed"]


if __name__ == "__main__":
    sys.exit(main())
