"""Starts the simulated robot and referseg_node, asks for things, and counts which were lifted; run.sh calls it."""

import argparse
import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import commands
import rclpy
from geometry_msgs.msg import PoseStamped
from pick import Picker
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from referseg.msg import Segmentation
from scene import COLOURS, HEIGHT, KINDS, SHAPES, WIDTH, camera
from std_msgs.msg import String

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 90.0  # seconds for anything that is waited for
ENDS = ("lifted", "wrong thing lifted", "nothing lifted", "not found", "no point")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", nargs="?", help='what to pick: "the red cube", which is then on the table, or "the second cube from '
                        'the left", of three; without, one thing a scene, by name, order or place in turn')
    parser.add_argument("--seed", type=int, default=1, help="the first scene")
    parser.add_argument("--scenes", type=int, default=1, help="how many")
    arguments = parser.parse_args()
    named = next((name for name in map(" ".join, KINDS) if name in (arguments.text or "")), None)
    shape = next((shape for shape in SHAPES if shape in (arguments.text or "")), None)
    if arguments.text and not shape:
        parser.error(f"{arguments.text!r} names nothing that is ever on this table: a {', '.join(COLOURS)} {', '.join(SHAPES)}")
    # loopback only, in a domain that no robot nearby uses by default
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(20 + os.getpid() % 80))
    parameters = {"model": ROOT / "models" / "demo", "depth": "true", "proposal_limit": 40,
                  # the best guess counts: the shipped thresholds were calibrated on another renderer
                  "min_score": -1.0, "min_margin": 0.0}
    node = [ROOT / "target" / "debug" / "referseg_node", "--ros-args", "-r", "image:=camera/image", "-r", "depth:=camera/depth",
            "--log-level", "warn"]
    node += [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
    programs = [subprocess.Popen([sys.executable, pathlib.Path(__file__).with_name("scene.py")]), subprocess.Popen(node)]
    rclpy.init()
    me = rclpy.create_node("pick")
    executor = SingleThreadedExecutor()
    executor.add_node(me)

    def spin_until(ready):
        end = time.monotonic() + LIMIT
        while not ready():
            if any(program.poll() is not None for program in programs):
                sys.exit("pick: a program ended early")
            if time.monotonic() > end:
                sys.exit("pick: waited too long")
            executor.spin_once(timeout_sec=0.05)

    truths, lifted = [], []
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    me.create_subscription(String, "truth", lambda message: truths.append(json.loads(message.data)), latched)
    me.create_subscription(String, "lifted", lambda message: lifted.append(json.loads(message.data)), 10)
    scene, grasp = me.create_publisher(String, "scene", 1), me.create_publisher(PoseStamped, "grasp", 1)
    rotation, _, focal = camera()
    picker = Picker(me, focal, (WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5), rotation.T @ [0, 0, -1])
    ends = collections.Counter()
    try:
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
            answer = picker.ask(text, spin_until)
            if answer.status != Segmentation.FOUND:
                end, what = "not found", answer.reason
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
    finally:
        for program in programs:
            if program.poll() is None:
                program.send_signal(signal.SIGINT)
        for program in programs:
            program.wait(20)
        executor.shutdown()
        me.destroy_node()
        rclpy.try_shutdown()
    print(f"{ends['lifted']} of {arguments.scenes} lifted the right thing; " + ", ".join(f"{end}: {ends[end]}" for end in ENDS))
    return 0 if ends["lifted"] == arguments.scenes else 1


if __name__ == "__main__":
    sys.exit(main())
