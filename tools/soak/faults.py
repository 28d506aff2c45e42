"""What goes wrong in the soak: malformed messages, other parameters, a clock that jumps, a full disk."""

import os
import pathlib
import random
import subprocess
import tempfile

from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Malformed:
    """Raw publishers that send broken CDR to every topic that the node reads."""

    def __init__(self, node):
        topics = [(f"/{camera}/{last}", kind) for camera in ("left", "right")
                  for last, kind in (("image", Image), ("depth", Image), ("camera_info", CameraInfo), ("command", String))]
        topics += [("/command", String), ("/clock", Clock)]
        self.publishers = [(node.create_publisher(kind, topic, 5), kind) for topic, kind in topics]
        self.count = 0

    def send(self):
        for publisher, kind in self.publishers:
            whole = serialize_message(kind())
            if kind is Image:
                whole = serialize_message(Image(height=2**31, width=2**31, encoding="rgb8", step=3, data=b"few"))
            broken = random.choice([
                b"", b"\x00\x01\x00\x00", bytes(random.randbytes(random.randint(1, 200))), whole[: random.randint(1, len(whole))],
                whole[:4] + b"\xff" * (len(whole) - 4)])
            if kind is Clock and len(broken) >= 12:
                continue  # a readable clock is no malformed one
            publisher.publish(broken)
            self.count += 1


def parameter(name, value):
    kinds = {bool: (ParameterType.PARAMETER_BOOL, "bool_value"), float: (ParameterType.PARAMETER_DOUBLE, "double_value"),
             int: (ParameterType.PARAMETER_INTEGER, "integer_value"), str: (ParameterType.PARAMETER_STRING, "string_value")}
    kind, field = kinds[type(value)]
    return Parameter(name=name, value=ParameterValue(type=kind, **{field: value}))


def random_parameters():
    """A change and whether it must be taken."""
    good = [("min_margin", random.choice([0.0, 0.01, 0.02])), ("mode", random.choice(["once", "continuous"])),
            ("tracking", random.random() < 0.8), ("static_tolerance", random.choice([0.0, 2.0])),
            ("depth_tolerance", random.choice([0.02, 0.05]))]
    bad = [("min_margin", 7.0), ("mode", "sometimes"), ("nothing", 1), ("proposal_limit", -3), ("device", "cuda:9")]
    name, value = random.choice(good + bad)
    return SetParameters.Request(parameters=[parameter(name, value)]), (name, value) in good


class Clocks:
    """A simulated clock that runs, stands still, and jumps to and fro."""

    def __init__(self, node):
        self.publisher, self.now = node.create_publisher(Clock, "/clock", 10), 1000.0
        self.jumps = 0

    def tick(self):
        moment = random.random()
        if moment < 0.02:
            self.now, self.jumps = max(1.0, self.now - random.uniform(1.0, 100.0)), self.jumps + 1
        elif moment < 0.04:
            self.now, self.jumps = self.now + random.uniform(10.0, 1000.0), self.jumps + 1
        elif moment > 0.3:
            self.now += 0.1
        message = Clock()
        message.clock.sec, message.clock.nanosec = int(self.now), int(self.now % 1 * 1e9)
        self.publisher.publish(message)


def full_disk(log):
    """Replays onto a disk of 64 kB; says what was wrong, or nothing. None: no such disk can be had here."""
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True).returncode:
            return None
        try:
            out = os.path.join(folder, "answers.mcap")
            command = [str(ROOT / "target/release/referseg"), "replay", str(ROOT / "tests/data/recording/bag"), "--out", out,
                       "--text", "the red mug"]
            ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
            log.write(ended.stderr)
            if ended.returncode == 0:
                return "a replay onto a full disk ended with 0"
            if os.listdir(folder):
                return f"a replay onto a full disk left {os.listdir(folder)}"
            return "" if "No space left" in ended.stderr else f"a replay onto a full disk said {ended.stderr!r}"
        finally:
            subprocess.run(["umount", folder], check=True)

