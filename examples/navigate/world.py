"""A room with coloured things and a robot on wheels with a camera, simulated by PyBullet.

As a ROS node it is the robot: its camera's picture on `camera/image`, and wheels that turn as `cmd_vel` (geometry_msgs/Twist) says. `scene`
(std_msgs/String, JSON: {"seed": N}) furnishes the room again; `truth` (latched) says what stands where, `pose` where the robot is.
"""

import json
import math
import pathlib
import sys

import numpy as np
import pybullet as p
from geometry_msgs.msg import Twist
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import String

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "shared"))
from simulation import COLOURS, run  # noqa: E402

SHAPES = ("box", "ball", "can")
WIDTH, HEIGHT, FIELD = 320, 240, 50.0  # pixels, pixels, vertical degrees
EYE, TILT = 0.55, math.radians(12)  # the camera's height, metres; how far it looks down
PERIOD = 0.1  # seconds between two pictures
ROOM = 2.2  # half its length, metres


class Room:
    """The simulated world; the robot is a camera that nothing stops."""

    def __init__(self):
        p.connect(p.DIRECT)

    def furnish(self, seed):
        random = np.random.default_rng(seed)
        p.resetSimulation()
        floor = p.createVisualShape(p.GEOM_BOX, halfExtents=[6, 6, 0.02], rgbaColor=[0.75, 0.70, 0.62, 1])
        p.createMultiBody(0, -1, floor, [0, 0, -0.02])
        for x, y, half in ((6, 0, (0.05, 6, 2)), (-6, 0, (0.05, 6, 2)), (0, 6, (6, 0.05, 2)), (0, -6, (6, 0.05, 2))):
            wall = p.createVisualShape(p.GEOM_BOX, halfExtents=half, rgbaColor=[0.88, 0.88, 0.86, 1])
            p.createMultiBody(0, -1, wall, [x, y, 2])
        colours = random.permutation(list(COLOURS))[: random.integers(3, 6)]
        self.things, places = {}, []
        for colour in colours:
            shape = SHAPES[random.integers(len(SHAPES))]
            while True:
                place = random.uniform(-ROOM, ROOM, 2)
                if np.linalg.norm(place) > 1.3 and all(np.linalg.norm(place - other) > 1.0 for other in places):
                    break
            places.append(place)
            size = random.uniform(0.17, 0.24)
            kind, given, height = {
                "box": (p.GEOM_BOX, dict(halfExtents=[size] * 3), size),
                "ball": (p.GEOM_SPHERE, dict(radius=size), size),
                "can": (p.GEOM_CYLINDER, dict(radius=size * 0.7, length=2 * size), size)}[shape]
            visual = p.createVisualShape(kind, **given, rgbaColor=[*COLOURS[colour], 1])
            turn = p.getQuaternionFromEuler([0, 0, random.uniform(0, math.pi)])
            p.createMultiBody(0, -1, visual, [*place, height], turn)
            self.things[f"{colour} {shape}"] = [float(place[0]), float(place[1]), float(size)]
        self.pose = np.array([0.0, 0.0, random.uniform(-math.pi, math.pi)])
        return self.things

    def drive(self, forward, turn, seconds):
        self.pose[2] += turn * seconds
        self.pose[:2] += forward * seconds * np.array([math.cos(self.pose[2]), math.sin(self.pose[2])])

    def see(self):
        x, y, yaw = self.pose
        ahead = np.array([math.cos(yaw) * math.cos(TILT), math.sin(yaw) * math.cos(TILT), -math.sin(TILT)])
        eye = np.array([x, y, EYE])
        view = p.computeViewMatrix(eye.tolist(), (eye + ahead).tolist(), [0, 0, 1])
        lens = p.computeProjectionMatrixFOV(FIELD, WIDTH / HEIGHT, 0.05, 15.0)
        _, _, rgb, _, _ = p.getCameraImage(WIDTH, HEIGHT, view, lens, lightDirection=[1.0, -0.6, 2.0], shadow=1,
                                           renderer=p.ER_TINY_RENDERER)
        return np.reshape(rgb, (HEIGHT, WIDTH, 4))[..., :3].astype(np.uint8)


class Robot(Node):
    """The room as a robot in it sees it."""

    def __init__(self):
        super().__init__("room")
        self.room, self.speed, self.seed = Room(), Twist(), None
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.image = self.create_publisher(Image, "camera/image", 1)
        self.truth = self.create_publisher(String, "truth", latched)
        self.pose = self.create_publisher(String, "pose", 1)
        self.create_subscription(String, "scene", lambda message: self.furnish(json.loads(message.data)["seed"]), 1)
        self.create_subscription(Twist, "cmd_vel", self.turn_wheels, 1)
        self.create_timer(PERIOD, self.step)

    def furnish(self, seed):
        self.seed, self.speed = seed, Twist()
        self.truth.publish(String(data=json.dumps({"seed": seed, "things": self.room.furnish(seed)})))

    def turn_wheels(self, message):
        self.speed = message

    def step(self):
        if self.seed is None:
            return
        self.room.drive(self.speed.linear.x, self.speed.angular.z, PERIOD)
        rgb = self.room.see()
        message = Image(width=WIDTH, height=HEIGHT, encoding="rgb8", step=WIDTH * 3, data=rgb.tobytes())
        message.header.stamp, message.header.frame_id = self.get_clock().now().to_msg(), "camera_optical"
        self.image.publish(message)
        self.pose.publish(String(data=json.dumps(self.room.pose.tolist())))


if __name__ == "__main__":
    run(Robot)
