"""What the simulated worlds have in common: the colours of things, and a robot that runs until it is asked to stop."""

import rclpy

COLOURS = {"red": (0.9, 0.1, 0.1), "green": (0.15, 0.7, 0.2), "blue": (0.12, 0.25, 0.9), "yellow": (0.97, 0.9, 0.1),
           "orange": (0.97, 0.5, 0.05), "purple": (0.5, 0.15, 0.7)}


def run(robot):
    """Makes a robot, an rclpy node of this class, and spins it."""
    rclpy.init()
    try:
        rclpy.spin(robot())
    except KeyboardInterrupt:
        pass
    except Exception:
        if rclpy.ok():  # else it was asked to stop, and rclpy says so in several ways
            raise
