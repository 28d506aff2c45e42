"""Asks referseg's action for a thing and turns mask and point into a top-down grasp.

The grasp is in the camera's optical frame, as everything that referseg says: `down` is where the robot's down is there
(tf knows it on a real robot, and the parameter target_frame gives points in the robot's own frame). The closing direction is the shorter side of the mask's
smallest rectangle, laid onto the horizontal plane through the point.
"""

import math

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import PoseStamped
from referseg.action import Ground
from referseg.msg import Segmentation
from rclpy.action import ActionClient
from std_msgs.msg import String


class Follower:
    """A client of the command and ~/track: while the arm moves it keeps the thing's last place."""

    def __init__(self, node):
        self.command = node.create_publisher(String, "command", 10)
        node.create_subscription(Segmentation, "referseg/segmentation", self.answered, 10)
        node.create_subscription(Segmentation, "referseg/track", self.tracked, 10)
        self.text, self.answer, self.track = "", None, None

    def find(self, text, spin_until):
        """The answer to a command on the topic."""
        self.text, self.answer, self.track = text, None, None
        self.command.publish(String(data=text))
        spin_until(lambda: self.answer is not None)
        return self.answer

    def answered(self, message):
        if message.command == self.text and message.origin == Segmentation.TOPIC:
            self.answer = self.answer or message

    def tracked(self, message):
        if message.command == self.text:
            self.track = message


class Picker:
    """A client of ~/ground that makes grasps of its answers."""

    def __init__(self, node, focal, centre, down):
        self.client = ActionClient(node, Ground, "referseg/ground")
        self.focal, self.centre, self.down = focal, np.array(centre), np.array(down)

    def ask(self, text, spin_until, timeout=30):
        """The action's result message; `spin_until` spins until a future is done."""
        spin_until(self.client.server_is_ready)
        sent = self.client.send_goal_async(Ground.Goal(text=text, timeout=Duration(sec=timeout)))
        spin_until(sent.done)
        result = sent.result().get_result_async()
        spin_until(result.done)
        return result.result().result.result

    def grasp(self, answer: Segmentation) -> PoseStamped:
        """A pose in the image's frame: where the fingers meet, x along their closing, z down."""
        mask = np.frombuffer(bytes(answer.mask.data), np.uint8).reshape(answer.mask.height, answer.mask.width) > 0
        rows, columns = np.nonzero(mask)
        rays = np.stack([(columns - self.centre[0]) / self.focal, (rows - self.centre[1]) / self.focal, np.ones(len(rows))], 1)
        point = np.array([answer.object.point.x, answer.object.point.y, answer.object.point.z])
        # the mask's shadow on the horizontal plane through the point
        shadow = rays * ((point @ self.down) / (rays @ self.down))[:, None]
        first = np.cross(self.down, [0.0, 0.0, 1.0])
        first /= np.linalg.norm(first)
        second = np.cross(self.down, first)
        flat = np.stack([shadow @ first, shadow @ second], 1)

        def sides(angle):
            turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
            low, high = np.percentile(flat @ turn, [2, 98], axis=0)
            return high - low, turn @ ((low + high) / 2)

        best = min((np.prod(sides(angle)[0]), angle) for angle in np.radians(np.arange(0, 90, 3)))[1]
        (along, across), middle = sides(best)
        angle = best if along <= across else best + math.pi / 2
        closing = first * math.cos(angle) + second * math.sin(angle)
        place = first * middle[0] + second * middle[1] + self.down * (point @ self.down)
        axes = np.stack([closing, np.cross(self.down, closing), self.down], 1)
        pose = PoseStamped(header=answer.header)
        pose.pose.position.x, pose.pose.position.y, pose.pose.position.z = map(float, place)
        turn = pose.pose.orientation
        turn.x, turn.y, turn.z, turn.w = map(float, quaternion(axes))
        return pose


def quaternion(m):
    """x, y, z, w of a rotation matrix."""
    q = np.array([[m[0, 0] - m[1, 1] - m[2, 2], 0, 0, 0],
                  [m[0, 1] + m[1, 0], m[1, 1] - m[0, 0] - m[2, 2], 0, 0],
                  [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], m[2, 2] - m[0, 0] - m[1, 1], 0],
                  [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], m[0, 0] + m[1, 1] + m[2, 2]]]) / 3
    return np.linalg.eigh(q)[1][:, -1]
