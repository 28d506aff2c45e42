"""The other side of the ROS tests: starts the built node and talks to it through rclpy.

Each test has a ROS domain of its own and talks over loopback only. Nothing sleeps blindly: every wait
ends when what is waited for happens, and fails after a limit.
"""

import json
import os
import pathlib
import subprocess
import time

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Duration
from diagnostic_msgs.msg import DiagnosticArray
from domain_coordinator import domain_id
from PIL import Image as Picture
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from referseg.msg import Segmentation
from referseg.srv import Segment
from sensor_msgs.msg import Image
from std_msgs.msg import String

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE = ROOT / "target" / "release" / "referseg_node"
SCENE = ROOT / "tests" / "data" / "scene"
LIMIT = 30.0
ASKED = json.loads((SCENE / "asked.json").read_text())  # {"text": ..., "target": label, "phrase": ...}


def picture():
    return np.asarray(Picture.open(SCENE / "000000.png").convert("RGB"))


def truth():
    return np.asarray(Picture.open(SCENE / "000000_ids.png"))


def image(rgb, stamp=(12, 345), frame_id="camera_optical", encoding="rgb8", padding=0):
    """A message of an RGB array [h, w, 3] in the given encoding, rows padded."""
    order = {"rgb8": [0, 1, 2], "bgr8": [2, 1, 0], "rgba8": [0, 1, 2, 0], "bgra8": [2, 1, 0, 0], "mono8": [0]}[encoding]
    rows = rgb[..., order].reshape(rgb.shape[0], -1)
    rows = np.pad(rows, ((0, 0), (0, padding)))
    message = Image(height=rgb.shape[0], width=rgb.shape[1], encoding=encoding, step=rows.shape[1])
    message.header.stamp.sec, message.header.stamp.nanosec = stamp
    message.header.frame_id = frame_id
    message.data = rows.tobytes()
    return message


def duration(seconds):
    return Duration(sec=int(seconds), nanosec=int(seconds % 1 * 1e9))


class Peer:
    """A node under test and an rclpy node beside it."""

    def __init__(self, domain):
        self.env = dict(os.environ, ROS_DOMAIN_ID=str(domain), ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST")
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("tester", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.process, self.heard, self.clients = None, [], {}

    def start(self, *args, namespace="", name="referseg", wait=True, **parameters):
        """Starts the node with parameters; waits until it is ready and its endpoints have met ours."""
        given = [a for k, v in parameters.items() for a in ("-p", f"{k}:={v}")]
        defaults = [] if "model" in parameters else ["-p", f"model:={ROOT / 'models' / 'demo'}"]
        self.run([str(NODE), "--ros-args", *defaults, *given, *args])
        if wait:
            self.connect(namespace, name)
        return self

    def run(self, command, cwd=ROOT):
        self.log = open(self.env.get("TMPDIR", "/tmp") + f"/referseg_{os.getpid()}_{self.env['ROS_DOMAIN_ID']}.log", "w+")
        self.process = subprocess.Popen(command, env=self.env, stdout=self.log, stderr=subprocess.STDOUT, cwd=cwd)

    def connect(self, namespace="", name="referseg", image_topic=None, command_topic=None, reliable=True, result=None):
        qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT)
        node = self.node
        self.images = node.create_publisher(Image, image_topic or f"{namespace}/image", qos)
        self.commands = node.create_publisher(String, command_topic or f"{namespace}/command", 10)
        self.results = node.create_subscription(
            Segmentation, result or f"{namespace}/{name}/segmentation", self.heard.append, 10)
        self.until(lambda: self.images.get_subscription_count() and self.commands.get_subscription_count()
                   and node.count_publishers(self.results.topic_name), "the node's endpoints")

    def until(self, ready, what, limit=LIMIT):
        end = time.monotonic() + limit
        while not ready():
            if self.process and self.process.poll() is not None:
                pytest.fail(f"the node ended with {self.process.returncode} before {what}:\n{self.output()}")
            if time.monotonic() > end:
                pytest.fail(f"waited {limit} s for {what}; the node says:\n{self.output()}")
            self.executor.spin_once(timeout_sec=0.05)
        return ready()

    def say(self, text):
        self.commands.publish(String(data=text))

    def ask(self, text, message=None, count=1, again=True):
        """Says a command, shows the frame (again and again, as a camera does) until `count` more answers came."""
        had = len(self.heard)
        if text is not None:
            self.say(text)
        message = message or image(picture())
        shown, said = [0.0], [time.monotonic()]

        def ready():
            if time.monotonic() - shown[0] > (0.3 if again else 1e9):
                self.images.publish(message)
                shown[0] = time.monotonic()
            if text and again and len(self.heard) == had and time.monotonic() - said[0] > 5.0:
                # DDS may lose what is published while the other side has not matched yet
                self.say(text)
                said[0] = time.monotonic()
            return len(self.heard) >= had + count

        self.until(ready, f"{count} answers to {text!r}")
        return self.heard[had : had + count]

    def film(self, ready, message=None, limit=90.0):
        """Shows the frame again and again, each time later, as a camera does, until something is so."""
        message, end, last = message or image(picture()), time.monotonic() + limit, 0.0

        def done():
            nonlocal last
            if time.monotonic() - last > 0.2:
                message.header.stamp.sec += 1
                self.images.publish(message)
                last = time.monotonic()
            return ready()

        self.until(done, "what the frames are shown for", limit=end - time.monotonic())

    def call_async(self, service, kind, request, node="/referseg"):
        if (node, service) not in self.clients:
            qos = QoSProfile(depth=100)  # rclpy's 10 would lose replies that come together
            self.clients[node, service] = self.node.create_client(kind, f"{node}/{service}", qos_profile=qos)
        client = self.clients[node, service]
        self.until(client.service_is_ready, service)
        return client.call_async(request)

    def call(self, service, kind, request, node="/referseg"):
        """The reply. While two processes discover each other DDS may lose the first; what only asks is asked again."""
        futures, asked = [self.call_async(service, kind, request, node)], time.monotonic()

        def replied():
            nonlocal asked
            if kind.__name__.startswith(("Get", "List", "Describe")) and time.monotonic() - asked > 5:
                futures.append(self.call_async(service, kind, request, node))
                asked = time.monotonic()
            return next((future for future in futures if future.done()), None)

        return self.until(replied, f"the reply of {service}", limit=60).result()

    def segment(self, node="/referseg", timeout=0.0, **request):
        request["timeout"] = duration(timeout)
        return self.call("segment", Segment, Segment.Request(**request), node).result

    def topic_answers_up_to(self, message, node="/referseg"):
        """The answers to the topic's commands, up to a frame and with it: for what must not happen.

        Calls on a frame are answered together with the commands that wait for it, and published in that order.
        """
        asked = []

        def answered():
            self.images.publish(message)
            asked.append(f"up to a frame {len(self.heard)} {len(asked)}")
            answer = self.segment(node, text="the thing", request_id=asked[-1], timeout=5.0)
            return answer.header.stamp == message.header.stamp

        self.until(answered, "an answer on the frame")
        self.until(lambda: any(answer.request_id == asked[-1] for answer in self.heard), "the call's answer on the topic")
        return [answer for answer in self.heard if answer.origin == Segmentation.TOPIC]

    def health(self):
        """Diagnostics as they come, by the status's name."""
        heard = {}

        def take(message):
            for status in message.status:
                heard.setdefault(status.name, []).append(status)

        self.node.create_subscription(DiagnosticArray, "/diagnostics", take, 10)
        return heard

    def spin(self, seconds):
        """Listens for a while: for what must not happen."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.05)

    def stop(self, how, limit):
        """Ends the node and returns its exit status."""
        self.process.send_signal(how)
        return self.process.wait(limit)

    def output(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()


@pytest.fixture
def peer():
    assert NODE.is_file(), f"{NODE} is absent; scripts/build.sh makes it"
    with domain_id() as domain:
        peer = Peer(int(domain))
        yield peer
        peer.close()


def mask_of(message):
    return np.frombuffer(bytes(message.data), np.uint8).reshape(message.height, message.width)


def iou(mask, other):
    return np.logical_and(mask, other).sum() / max(1, np.logical_or(mask, other).sum())
