"""What the examples have in common: programs beside each other, waiting, and a moving picture of what was seen."""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import rclpy
from PIL import Image as Picture
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 90.0  # seconds for anything that is waited for


def own_domain():
    """Loopback only, in a domain that no robot nearby uses by default."""
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(20 + os.getpid() % 80))


def scene_arguments(description):
    """A parser of the arguments that every example takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seed", type=int, default=1, help="the first scene")
    parser.add_argument("--scenes", type=int, default=1, help="how many")
    parser.add_argument("--picture", help="write what was answered or followed here, as a GIF")
    return parser


class Programs:
    """A simulation, referseg_node, and a ROS node of one's own; all end with the block."""

    def __init__(self, simulation, name, remapped=(), **parameters):
        own_domain()
        node = [ROOT / "target" / "release" / "referseg_node", "--ros-args", "--log-level", "warn"]
        node += [word for rule in remapped for word in ("-r", rule)]
        parameters = {"model": ROOT / "models" / "demo", **parameters}
        node += [word for key, value in parameters.items() for word in ("-p", f"{key}:={value}")]
        self.programs = [subprocess.Popen([sys.executable, simulation]), subprocess.Popen(node)]
        rclpy.init()
        self.node = rclpy.create_node(name)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)

    def __enter__(self):
        return self

    def spin_until(self, ready, limit=LIMIT, otherwise=None):
        """Spins until something is so; ends the program when it takes too long, unless there is something `otherwise`."""
        end = time.monotonic() + limit
        while not ready():
            if any(program.poll() is not None for program in self.programs):
                sys.exit("a program ended early")
            if time.monotonic() > end:
                if otherwise is not None:
                    return otherwise
                sys.exit("waited too long")
            self.executor.spin_once(timeout_sec=0.05)
        return True

    def __exit__(self, *_):
        for program in self.programs:
            if program.poll() is None:
                program.send_signal(signal.SIGINT)
        for program in self.programs:
            program.wait(20)
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown()


class Film:
    """Collects pictures of a topic and writes them as an animated GIF."""

    def __init__(self, node, topic, path, every=2, most=60):
        self.path, self.every, self.most, self.count, self.frames = path, every, most, 0, []
        if path:
            node.create_subscription(Image, topic, self.take, 5)

    def take(self, message):
        self.count += 1
        if self.count % self.every == 0 and len(self.frames) < self.most:
            rgb = np.frombuffer(bytes(message.data), np.uint8).reshape(message.height, message.width, 3)
            picture = Picture.fromarray(rgb)
            picture.thumbnail((320, 240))
            self.frames.append(picture)

    def write(self):
        if not self.path or not self.frames:
            return
        small = [frame.quantize(64, dither=Picture.Dither.NONE) for frame in self.frames]
        small[0].save(self.path, save_all=True, append_images=small[1:], duration=150, loop=0, optimize=True)
        print(f"{self.path}: {len(small)} pictures")
