"""A stand-in for your own detector or tracker: finds what differs from the table's colour, and sends it as a label image.

    ros2 run ... or: python examples/own_masks/detector.py --ros-args -r image:=/camera/image_raw -r proposals:=/proposals

Replace `found` by what your detector gives: a mask a thing. What matters to Referseg is that the label image has the image's
own header, and its size.
"""
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image


def found(rgb, least_area=150, tolerance=45):
    """Labels `[h, w]`, 0 for none: connected pixels that are far from the most frequent colour, or from their neighbours'."""
    colours, counts = np.unique((rgb // 16).reshape(-1, 3), axis=0, return_counts=True)
    table = colours[counts.argmax()] * 16.0 + 8
    away = np.abs(rgb.astype(float) - table).max(axis=2) > tolerance
    labels, number = np.zeros(away.shape, np.uint16), 0
    height, width = away.shape
    seen = ~away
    for start in zip(*np.nonzero(away)):
        if seen[start]:
            continue
        number += 1
        open_pixels, pixels = [start], []
        seen[start] = True
        while open_pixels:
            y, x = open_pixels.pop()
            pixels.append((y, x))
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                near = 0 <= v < height and 0 <= u < width and not seen[v, u]
                if near and np.abs(rgb[v, u].astype(int) - rgb[y, x]).max() < tolerance:
                    seen[v, u] = True
                    open_pixels.append((v, u))
        if len(pixels) >= least_area:
            rows, columns = zip(*pixels)
            labels[rows, columns] = number
    return labels


class Detector(Node):
    def __init__(self):
        super().__init__("detector")
        self.proposals = self.create_publisher(Image, "proposals", 5)
        self.create_subscription(Image, "image", self.look, qos_profile_sensor_data)

    def look(self, image):
        if image.encoding not in ("rgb8", "bgr8"):
            self.get_logger().warn(f"{image.encoding}; this stand-in reads rgb8 and bgr8", throttle_duration_sec=5)
            return
        rows = np.frombuffer(image.data, np.uint8).reshape(image.height, image.step)
        labels = found(rows[:, : image.width * 3].reshape(image.height, image.width, 3))
        message = Image(header=image.header, height=image.height, width=image.width, encoding="mono16", step=2 * image.width)
        message.data = labels.tobytes()
        self.proposals.publish(message)


def main():
    rclpy.init()
    try:
        rclpy.spin(Detector())
    except (KeyboardInterrupt, ExternalShutdownException):
        pass


if __name__ == "__main__":
    main()
