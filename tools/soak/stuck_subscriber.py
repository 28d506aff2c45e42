"""What a subscriber costs that has stopped taking messages: the node's memory at 1080p while a reliable subscriber of all its pictures and
answers runs, and while it is stopped (SIGSTOP).

    python stuck_subscriber.py [--seconds 60]        # with target/ros/env.sh sourced

Exit status 1 when the stopped subscriber costs more than 64 MB.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import rclpy
from domain_coordinator import domain_id
from faults import ROOT
from measure import Life
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from referseg.msg import Segmentation
from sensor_msgs.msg import Image
from std_msgs.msg import String

NODE = ROOT / "target/release/referseg_node"
WIDTH, HEIGHT, HERTZ = 1920, 1080, 4.0
LIMIT_MB = 64.0
# until the model is loaded and the pictures of the first answers have been made
WARM_UP = 20.0


def subscribe():
    """The subscriber: takes everything, until it is stopped."""
    rclpy.init()
    node = rclpy.create_node("subscriber", enable_rosout=False, start_parameter_services=False)
    reliable = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
    topics = [("segmentation", Segmentation), ("mask", Image), ("overlay", Image), ("label_mask", Image), ("confidence", Image)]
    taken = [node.create_subscription(kind, f"/referseg/{topic}", lambda _: None, reliable) for topic, kind in topics]
    while rclpy.ok():
        rclpy.spin_once(node, timeout_sec=0.1)
    del taken


def scene():
    """The recording's first image, enlarged to 1080p."""
    sys.path.insert(0, str(ROOT / "tools/soak"))
    from camera import recorded

    small = recorded()[0]
    rows = []
    for y in range(HEIGHT):
        row = small.data[y * small.height // HEIGHT * small.step :][: small.step]
        columns = [x * small.width // WIDTH * 3 for x in range(WIDTH)]
        rows.append(b"".join(bytes(row[column : column + 3]) for column in columns))
    return Image(width=WIDTH, height=HEIGHT, step=WIDTH * 3, encoding=small.encoding, data=b"".join(rows))


def play(node, publisher, image, life, seconds):
    """Publishes at HERTZ, and samples the node's memory; its largest, MB."""
    before, end = len(life.samples), time.monotonic() + seconds
    while time.monotonic() < end:
        image.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(image)
        rclpy.spin_once(node, timeout_sec=0.0)
        time.sleep(1.0 / HERTZ)
        life.sample(None)
    return max(sample[1] for sample in life.samples[before:])


def measure(seconds):
    rclpy.init()
    node = rclpy.create_node("stuck", enable_rosout=False, start_parameter_services=False)
    publisher = node.create_publisher(Image, "/image", QoSProfile(depth=1))
    command = node.create_publisher(String, "/command", QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))
    answers = []
    node.create_subscription(Segmentation, "/referseg/segmentation", lambda message: answers.append(message.status), QoSProfile(depth=10))
    image = scene()
    with tempfile.TemporaryFile() as log:
        arguments = ["-p", f"model:={ROOT / 'models/demo'}", "-p", "static_tolerance:=0.0", "-p", "tracking:=false"]
        process = subprocess.Popen([str(NODE), "--ros-args", *arguments], stdout=log, stderr=log)
        subscriber = subprocess.Popen([sys.executable, __file__, "--subscribe"])
        try:
            life = Life(process.pid)
            command.publish(String(data="the ball"))
            play(node, publisher, image, life, WARM_UP)
            running = play(node, publisher, image, life, seconds)
            before = len(answers)
            os.kill(subscriber.pid, signal.SIGSTOP)
            stuck = play(node, publisher, image, life, seconds)
            return {
                "answers_while_running": before, "answers_while_stopped": len(answers) - before,
                "resident_mb_while_running": round(running, 1), "resident_mb_while_stopped": round(stuck, 1),
                "cost_mb": round(stuck - running, 1),
            }
        finally:
            subscriber.kill()
            subscriber.wait()
            process.send_signal(signal.SIGINT)
            process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="of each half")
    parser.add_argument("--subscribe", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.subscribe:
        subscribe()
        return
    with domain_id() as domain:
        os.environ.update(ROS_DOMAIN_ID=str(domain), ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST")
        report = measure(arguments.seconds)
    print(json.dumps(report, indent=2))
    sys.exit(1 if report["cost_mb"] > LIMIT_MB or not report["answers_while_stopped"] else 0)


if __name__ == "__main__":
    main()
