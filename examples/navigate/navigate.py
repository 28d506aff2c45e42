"""Drives to the thing that a command names: looks around until it is found, then follows it on ~/track until it fills the view.

The command goes to the node once; between answers the track says where the thing is in every picture, so the wheels hear of it ten times a
second although an answer takes longer. A thing that is LOST is asked for again.
"""

import math
import time

from geometry_msgs.msg import Twist
from referseg.msg import Segmentation
from std_msgs.msg import String

NEAR = 0.45  # part of the picture's height or width that the thing fills at the goal; or it reaches the lower edge, right before the wheels
ANSWER = 3.0  # seconds until a command without an answer is said again
SILENCE = 0.5  # seconds without a message on ~/track after which the robot stops: five pictures at 10 Hz


class Navigator:
    """A client of the node's command, segmentation and track topics."""

    def __init__(self, node):
        self.wheels = node.create_publisher(Twist, "cmd_vel", 1)
        self.command = node.create_publisher(String, "command", 10)
        node.create_subscription(Segmentation, "referseg/segmentation", self.answered, 10)
        node.create_subscription(Segmentation, "referseg/track", self.tracked, 10)
        self.text, self.state = "", "idle"

    def go(self, text):
        """Starts to look for what a text names."""
        self.text, self.state, self.turned = text, "asking", 0.0
        self.ask()

    def ask(self):
        self.state, self.asked = "asking", time.monotonic()
        self.drive(0.0, 0.0)
        self.command.publish(String(data=self.text))

    def drive(self, forward, turn):
        message = Twist()
        message.linear.x, message.angular.z = forward, turn
        self.wheels.publish(message)

    def answered(self, message):
        if self.state != "asking" or message.command != self.text or message.origin != Segmentation.TOPIC:
            return
        if message.status == Segmentation.FOUND:
            self.state, self.heard = "driving", time.monotonic()
        else:
            self.turning_since, self.state = time.monotonic(), "turning"

    def tracked(self, message):
        if self.state != "driving" or message.command != self.text:
            return
        self.heard = time.monotonic()
        if message.status != Segmentation.FOUND:
            self.ask()
            return
        box, width, height = message.box, message.mask.width, message.mask.height
        middle = (box.x_offset + box.width / 2) / width - 0.5
        if max(box.height / height, box.width / width) >= NEAR or box.y_offset + box.height >= height - 4:
            self.drive(0.0, 0.0)
            self.state = "arrived"
            return
        self.drive(0.45 * max(0.0, 1.0 - 3.0 * abs(middle)), -2.0 * middle)

    def tick(self):
        """Turns on while nothing is found, and stops when ~/track is silent; to be called a few times a second. Gives up after turning
        twice around."""
        now = time.monotonic()
        if self.state == "driving" and now - self.heard > SILENCE:
            self.ask()
        if self.state == "asking" and now - self.asked > ANSWER:
            self.ask()
        if self.state == "turning":
            if now - self.turning_since < 0.6:
                self.drive(0.0, 0.9)
            else:
                self.turned += 0.9 * 0.6
                self.drive(0.0, 0.0)
                if self.turned > 4 * math.pi:
                    self.state = "given up"
                else:
                    self.ask()
