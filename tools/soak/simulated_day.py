"""A simulated day: 24 hours of a camera at 30 Hz, commands, requests and lifecycle cycles, as fast as they go.

The pictures are of 64x48 pixels and their proposals given, so that an answer costs little; the model is the shipped one. Stamps tell the
simulated time.
"""

import pathlib
import signal
import subprocess
import tempfile
import time

import numpy as np
import rclpy
from builtin_interfaces.msg import Duration
from lifecycle_msgs.srv import ChangeState
from measure import Life
from PIL import Image as Picture
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from referseg.msg import Segmentation
from referseg.srv import Segment
from sensor_msgs.msg import Image
from std_msgs.msg import String

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOURS, HERTZ = 24, 30
COMMAND_EVERY, REQUEST_EVERY, PAUSE_EVERY, RELOAD_EVERY = 10, 30, 600, 3600  # simulated seconds


class Day:
    """The node and one client."""

    def __init__(self, program, folder, log):
        rgb = np.full((48, 64, 3), 200, np.uint8)
        rgb[10:30, 20:40] = (210, 30, 30)
        ids = np.zeros((48, 64), np.uint8)
        ids[10:30, 20:40], ids[40:46, 50:60] = 1, 2
        labels = pathlib.Path(folder) / "ids.png"
        Picture.fromarray(ids).save(labels)
        rclpy.init()
        self.node = rclpy.create_node("day", enable_rosout=False, start_parameter_services=False)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.image = Image(height=48, width=64, encoding="rgb8", step=192, data=rgb.tobytes())
        self.image.header.frame_id = "day"
        self.frames = self.node.create_publisher(Image, "/image", QoSProfile(depth=10))
        self.commands = self.node.create_publisher(String, "/command", 10)
        self.answers = self.tracks = self.foreign = 0
        self.node.create_subscription(Segmentation, "/referseg/segmentation", self.answered, 50)
        self.node.create_subscription(Segmentation, "/referseg/track", self.followed, 50)
        self.segment = self.node.create_client(Segment, "/referseg/segment")
        self.change = self.node.create_client(ChangeState, "/referseg/change_state")
        arguments = ["-p", f"model:={ROOT / 'models/demo'}", "-p", "mode:=once", "-p", f"proposals:=labels:{labels}",
                     "-p", "static_tolerance:=0.0", "-p", "min_score:=-1.0", "-p", "min_margin:=0.0"]
        self.process = subprocess.Popen([str(program), "--ros-args", *arguments], stdout=log, stderr=log)
        self.life, self.problems, self.requests, self.cycles = Life(self.process.pid), [], 0, 0

    def answered(self, message):
        self.answers += message.origin == Segmentation.TOPIC

    def followed(self, _):
        self.tracks += 1

    def until(self, done, what, limit=30.0):
        end = time.monotonic() + limit
        while not done():
            self.executor.spin_once(timeout_sec=0.01)
            if time.monotonic() > end:
                self.problems.append(f"{what}: not within {limit} s")
                return

    def ask(self, second):
        self.requests += 1
        call = self.segment.call_async(Segment.Request(text="the red box", request_id=str(second), timeout=Duration(sec=20)))
        self.until(call.done, f"request {second}")
        if call.done() and call.result().result.request_id != str(second):
            self.foreign += 1

    def transitions(self, numbers):
        self.cycles += 1
        for number in numbers:
            request = ChangeState.Request()
            request.transition.id = number
            call = self.change.call_async(request)
            self.until(call.done, f"transition {number}")

    def run(self):
        self.until(lambda: self.segment.service_is_ready() and self.change.service_is_ready()
                   and self.frames.get_subscription_count() and self.commands.get_subscription_count(), "the node", 60.0)
        began, sampled = time.monotonic(), 0.0
        for second in range(HOURS * 3600):
            if second % COMMAND_EVERY == 0:
                self.commands.publish(String(data="the red box"))
            for frame in range(HERTZ):
                self.image.header.stamp.sec, self.image.header.stamp.nanosec = 1000 + second, frame * (10**9 // HERTZ)
                self.frames.publish(self.image)
                self.executor.spin_once(timeout_sec=0.0)
            if second % REQUEST_EVERY == REQUEST_EVERY - 1:
                self.ask(second)
            if second % RELOAD_EVERY == RELOAD_EVERY - 1:
                self.transitions([4, 2, 1, 3])
                self.until(self.frames.get_subscription_count, "the image's subscription")
            elif second % PAUSE_EVERY == PAUSE_EVERY - 1:
                self.transitions([4, 3])
                self.until(self.frames.get_subscription_count, "the image's subscription")
            if time.monotonic() - sampled > 2.0:
                self.life.sample(None)
                sampled = time.monotonic()
            if self.process.poll() is not None:
                self.problems.append(f"the node ended with {self.process.returncode} after {second} simulated seconds")
                break
        took = time.monotonic() - began
        self.process.send_signal(signal.SIGINT)
        if self.process.wait(30.0) != 0:
            self.problems.append(f"the node ended with {self.process.returncode}")
        if self.foreign:
            self.problems.append(f"{self.foreign} answers of another request")
        measured = self.life.summary()
        rclpy.shutdown()
        return {"simulated_hours": HOURS, "minutes": round(took / 60.0, 1), "frames_published": HOURS * 3600 * HERTZ,
                "commands": HOURS * 3600 // COMMAND_EVERY, "topic_answers": self.answers, "tracked_frames": self.tracks,
                "requests": self.requests, "lifecycle_cycles": self.cycles, "life": measured, "problems": self.problems}


def run_day(program, log):
    with tempfile.TemporaryDirectory() as folder:
        return Day(program, folder, log).run()
