"""A table with coloured things, a camera and a two-finger gripper, simulated by PyBullet.

As a ROS node it is the robot: the camera's picture, depth and camera_info on topics, and a gripper that grasps where
`grasp` (geometry_msgs/PoseStamped, in the camera's optical frame) says, and puts what it holds down where `place` (the same) says. `scene` (std_msgs/String, JSON: the arguments of
`Table.lay`) lays the table again; `truth` and `lifted` (std_msgs/String, JSON) say what is on it and
what hangs in the gripper in the end, `placed` where all things are after something was put down. `approach` (std_msgs/String, JSON: {"push": NAME}) moves the camera with the arm towards the table, while
somebody pushes the thing of that name aside; `camera/pose` says where the camera is.
"""

import json
import math
import pathlib
import sys

import numpy as np
import pybullet as p
from geometry_msgs.msg import PoseStamped
from pick import quaternion
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "shared"))
from simulation import COLOURS, run  # noqa: E402

SHAPES = ("cube", "ball", "can")
KINDS = [(colour, shape) for colour in COLOURS for shape in SHAPES]
WIDTH, HEIGHT, FIELD = 640, 480, 38.0  # pixels, pixels, vertical degrees
NEAR, FAR = 0.05, 3.0  # metres
PERIOD = 0.15  # seconds between two pictures
EYE, TARGET = np.array([0.0, -0.42, 0.72]), np.array([0.0, 0.0, 0.02])  # metres; the table's top is z = 0
CLOSER, APPROACH = np.array([0.14, -0.33, 0.60]), 3.0  # where the camera is at the end of an approach, metres; seconds
PUSH = np.array([0.0, 0.05])  # how far the thing is pushed meanwhile, metres
OPEN, STEP = 0.045, 1.0 / 240.0  # half the gap of the open fingers, metres; seconds


def camera(eye=EYE):
    """Rotation of the optical frame (x right, y down, z forward) in the world, its origin, and the focal length."""
    forward = (TARGET - eye) / np.linalg.norm(TARGET - eye)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward], axis=1), eye, HEIGHT / 2 / math.tan(math.radians(FIELD / 2))


class Table:
    """The simulated world."""

    def __init__(self):
        p.connect(p.DIRECT)

    def lay(self, seed, wanted=None, alike=0, shape=None, twice=False):
        """Lays the table, with the thing of a name among others, or first with so many alike in shape (this one, if it is given), or with one
        thing twice; returns the things as [name, body] pairs."""
        random = np.random.default_rng(seed)
        p.resetSimulation()
        p.setGravity(0, 0, -9.81)
        p.setTimeStep(STEP)
        box = p.createCollisionShape(p.GEOM_BOX, halfExtents=[0.6, 0.6, 0.02])
        look = p.createVisualShape(p.GEOM_BOX, halfExtents=[0.6, 0.6, 0.02], rgbaColor=[0.78, 0.72, 0.63, 1])
        table = p.createMultiBody(0, box, look, [0, 0, -0.02])
        p.changeDynamics(table, -1, lateralFriction=0.9)
        chosen = [" ".join(KINDS[index]) for index in random.permutation(len(KINDS))[: random.integers(3, 6)]]
        if wanted and wanted not in chosen:
            chosen[0] = wanted
        if alike:
            shape = shape or chosen[0].split()[1]
            others = [name for name in chosen if not name.endswith(shape)][:2]
            chosen = [f"{colour} {shape}" for colour in random.permutation(list(COLOURS))[:alike]] + others
        if twice:
            chosen = [chosen[0], *chosen[:3]]
        places = []
        while len(places) < len(chosen):
            place = random.uniform([-0.17, -0.11], [0.17, 0.13])
            if all(np.linalg.norm(place - other) > 0.115 for other in places):
                places.append(place)
        self.things = []
        for (x, y), name in zip(places, chosen):
            self.things.append((name, self.thing(*name.split(), x, y, random.uniform(0, math.pi))))
        self.gripper = self.make_gripper()
        self.move([0.0, 0.0, 0.4], 0.0, OPEN, 0.5)
        return self.things

    @staticmethod
    def thing(colour, shape, x, y, yaw):
        kind, size, height = {
            "cube": (p.GEOM_BOX, dict(halfExtents=[0.0225] * 3), 0.0225),
            "ball": (p.GEOM_SPHERE, dict(radius=0.025), 0.025),
            "can": (p.GEOM_CYLINDER, dict(radius=0.022, height=0.07), 0.035),
        }[shape]
        collision = p.createCollisionShape(kind, **size)
        if kind == p.GEOM_CYLINDER:
            size = dict(radius=0.022, length=0.07)
        visual = p.createVisualShape(kind, **size, rgbaColor=[*COLOURS[colour], 1])
        body = p.createMultiBody(0.08, collision, visual, [x, y, height + 0.001], p.getQuaternionFromEuler([0, 0, yaw]))
        p.changeDynamics(body, -1, lateralFriction=1.0, rollingFriction=0.002, spinningFriction=0.002)
        return body

    @staticmethod
    def make_gripper():
        palm = p.createCollisionShape(p.GEOM_BOX, halfExtents=[0.06, 0.02, 0.01])
        finger = p.createCollisionShape(p.GEOM_BOX, halfExtents=[0.006, 0.014, 0.05])
        gripper = p.createMultiBody(
            1.0, palm, -1, [0, 0, 0.5], linkMasses=[0.2, 0.2], linkCollisionShapeIndices=[finger] * 2,
            linkVisualShapeIndices=[-1] * 2, linkPositions=[[0, 0, -0.06]] * 2, linkOrientations=[[0, 0, 0, 1]] * 2,
            linkInertialFramePositions=[[0, 0, 0]] * 2, linkInertialFrameOrientations=[[0, 0, 0, 1]] * 2,
            linkParentIndices=[0, 0], linkJointTypes=[p.JOINT_PRISMATIC] * 2, linkJointAxis=[[-1, 0, 0], [1, 0, 0]])
        for link in (0, 1):
            p.changeDynamics(gripper, link, lateralFriction=2.0, spinningFriction=0.05)
        p.setCollisionFilterPair(gripper, gripper, 0, 1, 0)
        return gripper, p.createConstraint(gripper, -1, -1, -1, p.JOINT_FIXED, [0, 0, 0], [0, 0, 0], [0, 0, 0.5])

    def move(self, palm, yaw, gap, seconds, force=6.0):
        """Brings the palm somewhere and the fingers to a half gap, in a straight line."""
        gripper, hold = self.gripper
        start, turn = p.getBasePositionAndOrientation(gripper)
        begin = p.getEulerFromQuaternion(turn)[2]
        steps = int(seconds / STEP)
        for step in range(1, steps + 1):
            part = step / steps
            at = np.array(start) + (np.array(palm) - start) * part
            p.changeConstraint(hold, at.tolist(), p.getQuaternionFromEuler([0, 0, begin + (yaw - begin) * part]), maxForce=500)
            for link in (0, 1):
                p.setJointMotorControl2(gripper, link, p.POSITION_CONTROL, targetPosition=gap + 0.006, force=force, maxVelocity=0.15)
            p.stepSimulation()

    def grasp(self, place, yaw):
        """Closes the fingers around a place from above, lifts, and says what came along."""
        x, y, z = place
        reach = 0.11  # from palm to finger tips
        low = max(z - 0.02, 0.004) + reach
        self.move([x, y, 0.4], yaw, OPEN, 1.0)
        self.move([x, y, low], yaw, OPEN, 1.5)
        self.move([x, y, low], yaw, 0.0, 0.8)
        self.move([x, y, 0.4], yaw, 0.0, 1.5)
        self.move([x, y, 0.4], yaw, 0.0, 0.5)
        self.held = low, yaw
        return [name for name, body in self.things if p.getBasePositionAndOrientation(body)[0][2] > 0.12]

    def place(self, place):
        """Puts what the gripper holds down on a place of a surface, lets go and lifts the gripper."""
        x, y, z = place
        (low, yaw), gap = self.held, 0.034
        low += z + 0.003
        self.move([x, y, 0.4], yaw, 0.0, 1.5)
        self.move([x, y, low], yaw, 0.0, 1.5)
        self.move([x, y, low], yaw, gap, 0.6)
        self.move([x, y, 0.4], yaw, gap, 1.2)
        self.move([x, y, 0.4], yaw, gap, 0.5)

    def places(self):
        """Where each thing is, metres in the world, and how upright it stands, 1 at best."""
        poses = [p.getBasePositionAndOrientation(body) for _, body in self.things]
        return [[*at, p.getMatrixFromQuaternion(turn)[8]] for at, turn in poses]

    def pixels(self):
        """Where each thing's middle is in the picture, [column, row]."""
        rotation, origin, focal = camera()
        places = [p.getBasePositionAndOrientation(body)[0] for _, body in self.things]
        seen = [rotation.T @ (np.array(place) - origin) for place in places]
        return [[WIDTH / 2 + focal * x / z, HEIGHT / 2 + focal * y / z] for x, y, z in seen]

    def push(self, name, by):
        """Moves the first thing of a name, metres."""
        body = next(body for known, body in self.things if known == name)
        at, turn = p.getBasePositionAndOrientation(body)
        p.resetBasePositionAndOrientation(body, [at[0] + by[0], at[1] + by[1], at[2]], turn)

    def see(self, eye=EYE):
        """RGB [h, w, 3] and depth [h, w] in metres. The gripper is out of the picture."""
        view = p.computeViewMatrix(eye.tolist(), TARGET.tolist(), [0, 0, 1])
        lens = p.computeProjectionMatrixFOV(FIELD, WIDTH / HEIGHT, NEAR, FAR)
        _, _, rgb, depth, _ = p.getCameraImage(WIDTH, HEIGHT, view, lens, lightDirection=[0.5, -1.0, 2.0], shadow=1,
                                               renderer=p.ER_TINY_RENDERER)
        rgb = np.reshape(rgb, (HEIGHT, WIDTH, 4))[..., :3].astype(np.uint8)
        depth = np.reshape(depth, (HEIGHT, WIDTH))
        return rgb, (FAR * NEAR / (FAR - (FAR - NEAR) * depth)).astype(np.float32)


class Robot(Node):
    """The world as a robot shows it to others."""

    def __init__(self):
        super().__init__("pick_scene")
        self.table = Table()
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.image = self.create_publisher(Image, "camera/image", 1)
        self.depth = self.create_publisher(Image, "camera/depth", 1)
        self.info = self.create_publisher(CameraInfo, "camera/camera_info", 1)
        self.truth = self.create_publisher(String, "truth", latched)
        self.lifted = self.create_publisher(String, "lifted", 1)
        self.placed = self.create_publisher(String, "placed", 1)
        self.create_subscription(String, "scene", lambda message: self.lay(**json.loads(message.data)), 1)
        self.create_subscription(PoseStamped, "grasp", self.grasp, 1)
        self.create_subscription(PoseStamped, "place", self.place, 1)
        self.create_subscription(String, "approach", lambda message: self.approach(json.loads(message.data).get("push")), 1)
        self.pose = self.create_publisher(PoseStamped, "camera/pose", 10)
        self.seen, self.eye, self.moving, self.eyes = None, EYE, None, {}
        self.create_timer(PERIOD, self.show)

    def lay(self, **asked):
        names = [name for name, _ in self.table.lay(**asked)]
        self.seen, self.eye, self.moving = self.table.see(), EYE, None
        self.truth.publish(String(data=json.dumps({**asked, "things": names, "pixels": self.table.pixels(),
                                                "places": self.table.places()})))

    def approach(self, pushed):
        self.moving = (0, pushed)

    def move(self):
        """A step of the approach: the camera goes on, the thing is pushed in its middle third."""
        step, pushed = self.moving
        steps = round(APPROACH / PERIOD)
        self.eye = EYE + (CLOSER - EYE) * (step + 1) / steps
        if pushed and steps / 3 <= step < 2 * steps / 3:
            self.table.push(pushed, PUSH / (steps / 3))
        self.seen = self.table.see(self.eye)
        self.moving = (step + 1, pushed) if step + 1 < steps else None

    def show(self):
        if self.seen is None:
            return
        if self.moving:
            self.move()
        rgb, depth = self.seen
        rotation, origin, focal = camera(self.eye)
        info = CameraInfo(width=WIDTH, height=HEIGHT)
        info.header.stamp, info.header.frame_id = self.get_clock().now().to_msg(), "camera_optical"
        info.k = [focal, 0.0, WIDTH / 2 - 0.5, 0.0, focal, HEIGHT / 2 - 0.5, 0.0, 0.0, 1.0]
        pose = PoseStamped(header=info.header)
        pose.header.frame_id = "world"
        pose.pose.position.x, pose.pose.position.y, pose.pose.position.z = map(float, origin)
        turn = pose.pose.orientation
        turn.x, turn.y, turn.z, turn.w = map(float, quaternion(rotation))
        self.pose.publish(pose)
        self.eyes[info.header.stamp.sec, info.header.stamp.nanosec] = self.eye
        if len(self.eyes) > 200:
            del self.eyes[next(iter(self.eyes))]
        size = dict(header=info.header, width=WIDTH, height=HEIGHT)
        self.info.publish(info)
        self.depth.publish(Image(**size, encoding="32FC1", step=WIDTH * 4, data=depth.tobytes()))
        self.image.publish(Image(**size, encoding="rgb8", step=WIDTH * 3, data=rgb.tobytes()))

    def in_world(self, message):
        """The position of a pose, and the rotation of the camera that saw it."""
        stamp, at = message.header.stamp, message.pose.position
        rotation, origin, _ = camera(self.eyes.get((stamp.sec, stamp.nanosec), self.eye))
        return rotation @ [at.x, at.y, at.z] + origin, rotation

    def place(self, message):
        self.table.place(self.in_world(message)[0])
        self.placed.publish(String(data=json.dumps(self.table.places())))

    def grasp(self, message):
        turn = message.pose.orientation
        place, rotation = self.in_world(message)
        closing = rotation @ np.array(p.getMatrixFromQuaternion([turn.x, turn.y, turn.z, turn.w])).reshape(3, 3)[:, 0]
        lifted = self.table.grasp(place, math.atan2(closing[1], closing[0]))
        self.lifted.publish(String(data=json.dumps(lifted)))


if __name__ == "__main__":
    run(Robot)
