"""Plays the shipped recording to a running referseg_node and checks its answers; scripts/demo.sh calls it."""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import rclpy
from mcap.reader import make_reader
from PIL import Image as Picture
from rclpy.executors import SingleThreadedExecutor
from referseg.msg import Segmentation
from sensor_msgs.msg import Image
from std_msgs.msg import String

ROOT = pathlib.Path(__file__).resolve().parents[1]
RECORDING = ROOT / "tests" / "data" / "recording"
STATUS = {Segmentation.FOUND: "FOUND", Segmentation.NOT_FOUND: "NOT_FOUND",
          Segmentation.AMBIGUOUS: "AMBIGUOUS", Segmentation.ERROR: "ERROR"}
LIMIT = 60.0  # seconds for one answer; one core of a laptop takes about two


def nanoseconds(stamp):
    return stamp.sec * 10**9 + stamp.nanosec


def iou(mask, truth):
    return np.logical_and(mask, truth).sum() / max(1, np.logical_or(mask, truth).sum())


class Player:
    """The camera of the recording and the person who commands."""

    def __init__(self, node):
        with open(RECORDING / "bag" / "bag.mcap", "rb") as file:
            self.frames = [message.data for _, _, message in make_reader(file).iter_messages()]
        self.images = node.create_publisher(Image, "image", 10)
        self.commands = node.create_publisher(String, "command", 10)
        self.answers, self.overlays = [], {}
        node.create_subscription(Segmentation, "referseg/segmentation", self.answers.append, 10)
        node.create_subscription(Image, "referseg/overlay", self.keep, 10)
        self.number = 0

    def keep(self, overlay):
        self.overlays[nanoseconds(overlay.header.stamp)] = overlay

    def connected(self):
        return self.images.get_subscription_count() and self.commands.get_subscription_count()

    def play(self):
        # the recorded bytes as they are, headers included
        self.images.publish(self.frames[self.number % len(self.frames)])
        self.number += 1


def wait(executor, process, ready, what, every=None):
    end, last = time.monotonic() + LIMIT, 0.0
    while not ready():
        if process.poll() is not None:
            sys.exit(f"demo: the node ended with {process.returncode} before {what}")
        if time.monotonic() > end:
            sys.exit(f"demo: waited {LIMIT:.0f} s for {what}")
        if every and time.monotonic() - last > 0.2:
            every()
            last = time.monotonic()
        executor.spin_once(timeout_sec=0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=str(ROOT / "target" / "demo"), help="folder for the overlay images")
    out = pathlib.Path(parser.parse_args().out)
    out.mkdir(parents=True, exist_ok=True)
    # loopback only, in a domain that no robot nearby uses by default
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(20 + os.getpid() % 80))
    process = subprocess.Popen([str(ROOT / "target" / "release" / "referseg_node"), "--ros-args", "-p", "mode:=once",
                                "-p", f"model:={ROOT / 'models' / 'demo'}"])
    rclpy.init()
    node = rclpy.create_node("demo")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    right = 0
    asked = json.loads((RECORDING / "commands.json").read_text())
    try:
        player = Player(node)
        wait(executor, process, player.connected, "its endpoints")
        print(f"\n{'command':<28} {'status':<10} {'score':>6}  {'box':<20} {'IoU':>5}")
        for n, question in enumerate(asked, 1):
            player.commands.publish(String(data=question["text"]))
            wait(executor, process, lambda: len(player.answers) >= n, "an answer", every=player.play)
            answer = player.answers[n - 1]
            stamp = nanoseconds(answer.header.stamp)
            truth = np.asarray(Picture.open(RECORDING / "truth" / f"{stamp}.png")) == question["target"]
            mask = np.frombuffer(bytes(answer.mask.data), np.uint8).reshape(answer.mask.height, answer.mask.width) > 0
            overlap = iou(mask, truth) if mask.shape == truth.shape else 0.0
            good = answer.command == question["text"] and answer.status == Segmentation.FOUND and overlap >= 0.5
            right += good
            box = answer.box
            place = f"{box.width}x{box.height} at {box.x_offset},{box.y_offset}"
            print(f"{question['text']:<28} {STATUS[answer.status]:<10} {answer.score:6.3f}  {place:<20} {overlap:5.2f}"
                  f"  {'' if good else 'WRONG ' + answer.reason}")
            wait(executor, process, lambda: stamp in player.overlays, "the overlay")
            overlay = player.overlays[stamp]
            rgb = np.frombuffer(bytes(overlay.data), np.uint8).reshape(overlay.height, overlay.width, 3)
            Picture.fromarray(rgb).save(out / f"answer_{n}.png")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(10)
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()
    print(f"\n{right} of {len(asked)} answers right (IoU >= 0.5); images in {out}")
    return 0 if right == len(asked) else 1


if __name__ == "__main__":
    sys.exit(main())
