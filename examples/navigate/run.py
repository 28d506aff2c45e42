"""Starts the simulated room and referseg_node, sends the robot to one thing a scene, and counts where it arrived; run.sh calls it."""

import json
import math
import pathlib
import sys

from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "shared"))
from navigate import Navigator  # noqa: E402
from programs import Film, Programs, scene_arguments  # noqa: E402

TIME = 60.0  # seconds for a scene


def nearest(things, pose):
    """The thing whose surface the robot is nearest to, and how near, metres."""
    gaps = {name: math.hypot(x - pose[0], y - pose[1]) - size for name, (x, y, size) in things.items()}
    name = min(gaps, key=gaps.get)
    return name, gaps[name]


def main():
    arguments = scene_arguments(__doc__).parse_args()
    arrived = 0
    with Programs(pathlib.Path(__file__).with_name("world.py"), "navigate", ["image:=camera/image"], mode="once") as programs:
        node, truths, poses = programs.node, [], []
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_subscription(String, "truth", lambda message: truths.append(json.loads(message.data)), latched)
        node.create_subscription(String, "pose", lambda message: poses.append(json.loads(message.data)), 1)
        scene, navigator = node.create_publisher(String, "scene", 1), Navigator(node)
        film = Film(node, "referseg/track/overlay", arguments.picture)
        programs.spin_until(lambda: scene.get_subscription_count() and navigator.command.get_subscription_count()
                            and node.count_publishers("referseg/track"))
        for seed in range(arguments.seed, arguments.seed + arguments.scenes):
            truths.clear()
            scene.publish(String(data=json.dumps({"seed": seed})))
            programs.spin_until(lambda: truths and truths[-1]["seed"] == seed)
            things = truths[-1]["things"]
            wanted = sorted(things)[seed % len(things)]
            text = f"go to the {wanted}"
            poses.clear()
            programs.spin_until(lambda: len(poses) > 3)  # pictures of the room before are on their way still
            navigator.go(text)

            def over():
                navigator.tick()
                return navigator.state in ("arrived", "given up")

            programs.spin_until(over, limit=TIME, otherwise=False)
            end = navigator.state if navigator.state in ("arrived", "given up") else "out of time"
            navigator.state = "idle"
            navigator.drive(0.0, 0.0)
            name, gap = nearest(things, poses[-1])
            good = end == "arrived" and name == wanted and gap < 1.2
            arrived += good
            print(f"scene {seed}: in the room {', '.join(sorted(things))}; {text!r}: {end}, {gap:.2f} m before the {name}", flush=True)
        film.write()
    print(f"{arrived} of {arguments.scenes} arrived at the right thing")
    return 0 if arrived == arguments.scenes else 1


if __name__ == "__main__":
    sys.exit(main())
