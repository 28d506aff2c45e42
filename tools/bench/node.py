#!/usr/bin/env python3
"""The node's own cost, measured from outside through rclpy: what it adds to inference, how much memory it holds, how fast
it starts. Needs a sourced target/ros/env.sh (scripts/build.sh makes it); nothing leaves the loopback.

    python tools/bench/node.py --parts latency memory start [--model DIR] [--sam FILE] [--frames N] [--out FILE.md]

Frames are 1280x720 rgb8 of noise with moving squares, so that none is like the one before.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from domain_coordinator import domain_id
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from referseg.msg import Segmentation
from sensor_msgs.msg import Image
from std_msgs.msg import String

ROOT = pathlib.Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 1280, 720
LIMIT = 180.0


class Robot:
    """A node and what it talks to."""

    def __init__(self, arguments, domain, parameters=()):
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("bench", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
        self.images = self.node.create_publisher(Image, "/image", qos)
        self.commands = self.node.create_publisher(String, "/command", 10)
        self.answers, self.health = [], {}
        self.node.create_subscription(Segmentation, "/referseg/segmentation", self.heard, 10)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self.healthy, 10)
        given = {"model": arguments.model, "diagnostics_period": 0.5, **dict(parameters)}
        if arguments.sam:
            given |= {"proposals": "sam", "sam_model": arguments.sam}
        given = [word for name, value in given.items() for word in ("-p", f"{name}:={value}")]
        env = dict(os.environ, ROS_DOMAIN_ID=str(domain), ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST")
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(arguments.node), "--ros-args", *given], env=env, stdout=self.log, stderr=self.log)
        self.until(lambda: self.images.get_subscription_count() and self.commands.get_subscription_count())
        self.random, self.count = np.random.default_rng(0), 0
        self.noise = self.random.integers(100, 156, (HEIGHT, WIDTH, 3), np.uint8)

    def heard(self, answer):
        now = self.node.get_clock().now().nanoseconds
        stamp = answer.header.stamp.sec * 10**9 + answer.header.stamp.nanosec
        self.answers.append(((now - stamp) / 1e6, answer.status))

    def healthy(self, message):
        self.health |= {status.name: {value.key: value.value for value in status.values} for status in message.status}

    def until(self, ready, limit=LIMIT):
        end = time.monotonic() + limit
        while not ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.log.seek(0)
                self.process.kill()
                sys.exit(f"node.py: the node ended or is silent for {limit} s; it says:\n{self.log.read()}")
            self.executor.spin_once(timeout_sec=0.01)

    def show(self):
        """Publishes the next frame; its stamp is the time of the call."""
        picture = self.noise.copy()
        for square, colour in enumerate([(220, 30, 30), (30, 200, 40), (40, 60, 220), (230, 220, 40)]):
            x, y = (self.count * 24 + square * 300) % (WIDTH - 160), 100 + square * 130
            picture[y:y + 120, x:x + 120] = colour
        self.count += 1
        message = Image(height=HEIGHT, width=WIDTH, encoding="rgb8", step=WIDTH * 3)
        message.data.frombytes(picture.tobytes())
        message.header.stamp = self.node.get_clock().now().to_msg()
        self.images.publish(message)

    def answered(self, count):
        """Shows frame after frame, each when the one before is answered."""
        for _ in range(count):
            had, shown = len(self.answers), 0.0
            while len(self.answers) == had:  # the first ones can be lost while the processes discover each other
                if time.monotonic() - shown > 5:
                    self.show()
                    shown = time.monotonic()
                self.until(lambda: len(self.answers) > had or time.monotonic() - shown > 5)

    def rest(self, seconds):
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def resident(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()


def weights(arguments):
    """The files of weights, MB together."""
    files = [pathlib.Path(arguments.model) / "model.safetensors"]
    if arguments.sam:
        sam = pathlib.Path(arguments.sam)
        files.append(sam / "model.safetensors" if sam.is_dir() else sam)
    return files, sum(file.stat().st_size for file in files) / 2**20


def latency(arguments, domain):
    robot = Robot(arguments, domain)
    robot.commands.publish(String(data=arguments.command))
    robot.answered(5)
    robot.answers.clear()
    for _ in range(60):
        robot.show()
        robot.rest(0.5)
    robot.rest(1.5)
    camera = robot.health["referseg: camera"]
    age = statistics.median(age for age, _ in robot.answers)
    inference = 1e3 * float(camera["inference, median of the last 1000, s"])
    at_publish = 1e3 * float(camera["age, median of the last 1000, s"])
    robot.close()
    return [("age at the subscriber, median, ms", f"{age:.1f}"), ("age at publish, median, ms", f"{at_publish:.0f}"),
            ("inference, median, ms", f"{inference:.0f}"),
            ("age at the subscriber minus inference, ms (aim 4)", f"{age - inference:.1f}")]


def memory(arguments, domain):
    robot = Robot(arguments, domain)
    robot.commands.publish(String(data=arguments.command))
    seen = []
    while len(seen) * arguments.frames // 10 < arguments.frames:
        robot.answered(arguments.frames // 10)
        seen.append(robot.resident())
        print(f"node.py: {len(seen) * arguments.frames // 10} frames, {seen[-1]:.0f} MB", file=sys.stderr)
    robot.close()
    _, size = weights(arguments)
    return [("weights, MB", f"{size:.0f}"),
            (f"resident after {arguments.frames // 10} and after {arguments.frames} frames, MB", f"{seen[0]:.0f} and {seen[-1]:.0f}"),
            ("largest of ten looks, MB (aim: 1.3 weights + 200)", f"{max(seen):.0f} (aim {1.3 * size + 200:.0f})")]


def start(arguments, domain):
    files, _ = weights(arguments)

    def forget():
        for file in files:
            with open(file, "rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    reads, loads = [], []
    for _ in range(3):
        forget()
        began = time.monotonic()
        for file in files:
            with open(file, "rb", buffering=0) as opened:
                while opened.read(1 << 22):
                    pass
        reads.append(time.monotonic() - began)
        forget()
        robot = Robot(arguments, domain)

        def loaded():
            robot.log.seek(0)
            return [line for line in robot.log.read().splitlines() if "loaded in" in line]

        robot.until(loaded)
        loads.append(float(loaded()[0].split("loaded in ")[1].split()[0]))
        robot.close()
    return [("reading the weights once, s", f"{statistics.median(reads):.2f}"),
            ("configured, s (aim 1.5 of it)", f"{statistics.median(loads):.1f}")]


PARTS = {"latency": latency, "memory": memory, "start": start}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--node", type=pathlib.Path, default=ROOT / "target/release/referseg_node")
    parser.add_argument("--model", default=str(ROOT / "models/demo"))
    parser.add_argument("--sam", help="weights of Segment Anything: proposals are its, else regions")
    parser.add_argument("--command", default="the red thing")
    parser.add_argument("--frames", type=int, default=2000, help="of the part memory")
    parser.add_argument("--out", type=pathlib.Path, help="a Markdown table, else printed")
    arguments = parser.parse_args()
    rows = []
    for part in arguments.parts:
        with domain_id() as domain:
            rows += PARTS[part](arguments, int(domain))
    table = "| what | measured |\n|---|---|\n" + "".join(f"| {what} | {value} |\n" for what, value in rows)
    if arguments.out:
        arguments.out.write_text(table)
    print(table)


if __name__ == "__main__":
    main()
