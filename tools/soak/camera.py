"""A camera of the soak: plays a recording's images in a loop at 30 Hz with new stamps, until it is killed.

    python camera.py TOPIC FRAME_ID [HZ]
"""

import pathlib
import sys
import time

import mcap.reader
import rclpy
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image

BAG = pathlib.Path(__file__).resolve().parents[2] / "tests/data/recording/bag/bag.mcap"


def recorded():
    with open(BAG, "rb") as file:
        messages = mcap.reader.make_reader(file).iter_messages(topics=["/camera/image_raw"])
        return [deserialize_message(message.data, Image) for _, _, message in messages]


def main(topic, frame_id, hertz=30.0):
    rclpy.init()
    node = rclpy.create_node("camera", enable_rosout=False, start_parameter_services=False)
    publisher = node.create_publisher(Image, topic, QoSProfile(depth=1))
    images = recorded()
    count, due = 0, time.monotonic()
    while rclpy.ok():
        image = images[count // int(hertz) % len(images)]
        image.header.stamp = node.get_clock().now().to_msg()
        image.header.frame_id = frame_id
        publisher.publish(image)
        count += 1
        due = max(due + 1.0 / hertz, time.monotonic() - 1.0)
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:]))
