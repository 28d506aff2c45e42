"""What a robot must be able to rely on: the last command holds, old images are not answered, points have the lens's rays."""

import subprocess

import numpy as np
import rclpy
from conftest import ASKED, NODE, image, picture, truth
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from referseg.msg import Segmentation
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
OTHER = "the black can"


def latched(peer, text):
    """A latched publisher in a node of its own, that has said something."""
    node = rclpy.create_node(f"latched_{len(peer.others)}", context=peer.context)
    publisher = node.create_publisher(String, "/command", LATCHED)
    publisher.publish(String(data=text))
    peer.others.append(node)
    return publisher


def answered_commands(peer, count=3):
    """The commands of the next answers."""
    return {answer.command for answer in peer.ask(None, count=count)}


def test_of_latched_publishers_the_last_command_holds_also_for_a_node_that_starts_later(peer):
    peer.others = []
    latched(peer, OTHER)
    peer.spin(0.2)  # published at another time
    latched(peer, ASKED["text"])
    peer.start()
    peer.film(lambda: peer.heard)
    assert {answer.command for answer in peer.heard} == {ASKED["text"]}


def test_an_old_latched_command_does_not_come_back(peer):
    peer.others = []
    old = latched(peer, OTHER)
    peer.start()
    peer.film(lambda: any(answer.command == OTHER for answer in peer.heard))
    peer.ask(ASKED["text"], count=1)
    peer.film(lambda: peer.heard[-1].command == ASKED["text"])
    # another latched publisher comes, for which the latched messages are fetched anew, and the first one goes and comes back
    again = latched(peer, ASKED["text"])
    old.destroy()
    latched(peer, ASKED["text"])
    peer.spin(1.5)
    assert answered_commands(peer) == {ASKED["text"]}
    again.publish(String(data=""))
    peer.spin(1.5)
    had = len(peer.heard)  # the answers to the frames shown before have arrived
    peer.images.publish(image(picture()))
    peer.spin(1.0)
    assert len(peer.heard) == had, "cleared, and nothing said before holds again"


def test_after_a_command_that_can_not_be_used_nothing_is_looked_for(peer):
    peer.start()
    assert peer.ask(ASKED["text"])[0].status == Segmentation.FOUND
    assert peer.ask("?!")[-1].status in (Segmentation.ERROR, Segmentation.FOUND)
    peer.film(lambda: peer.heard[-1].status == Segmentation.ERROR)
    peer.spin(1.0)
    had = len(peer.heard)
    peer.images.publish(image(picture(), stamp=(4000, 0)))
    peer.spin(1.5)
    assert len(peer.heard) == had


def stamped(peer, seconds_ago):
    now = peer.node.get_clock().now().nanoseconds - int(seconds_ago * 1e9)
    return image(picture(), stamp=(now // 10**9, now % 10**9))


def test_an_image_of_a_camera_that_has_died_is_not_answered(peer):
    peer.start(max_frame_age=1.0)
    fresh = stamped(peer, 0.0)
    peer.images.publish(fresh)
    peer.until(lambda: peer.segment(text=ASKED["text"]).status == Segmentation.FOUND or peer.images.publish(stamped(peer, 0.0)), "an answer")
    peer.spin(1.5)
    dead = peer.segment(text=ASKED["text"])
    assert dead.status == Segmentation.ERROR and "s old; expected at most 1.000 s" in dead.reason, dead.reason
    assert peer.segment(text=ASKED["text"], image=image(picture())).status == Segmentation.FOUND, "an image of the request's own has no age"
    late = stamped(peer, 30.0)
    answer = peer.ask(ASKED["text"], late)[0]
    assert answer.status == Segmentation.ERROR and "30" in answer.reason, "it came late"
    assert peer.ask(None, stamped(peer, 0.0), count=2)[-1].status == Segmentation.FOUND


def depth_of(message, metres):
    depth = Image(height=message.height, width=message.width, encoding="32FC1", step=4 * message.width)
    depth.header = message.header
    depth.data = np.full((message.height, message.width), metres, np.float32).tobytes()
    return depth


def test_points_of_a_wide_lens_are_where_the_lens_saw_them_and_each_object_has_its_own(peer):
    peer.start("-r", "image:=/image", "-r", "depth:=/depth/image_raw", depth=True)
    # latched, published before the node can listen, and once
    info = peer.node.create_publisher(CameraInfo, "/depth/camera_info", LATCHED)
    message = image(picture())
    height, width = message.height, message.width
    calibration = CameraInfo(height=height, width=width, distortion_model="equidistant", d=[0.0] * 4)
    calibration.k = [300.0, 0.0, width / 2, 0.0, 300.0, height / 2, 0.0, 0.0, 1.0]
    calibration.p = [300.0, 0.0, width / 2, 0.0, 0.0, 300.0, height / 2, 0.0, 0.0, 0.0, 1.0, 0.0]
    calibration.header.frame_id = message.header.frame_id
    info.publish(calibration)
    depth = peer.node.create_publisher(Image, "/depth/image_raw", 5)
    peer.say(ASKED["text"])

    def located():
        message.header.stamp.sec += 1
        depth.publish(depth_of(message, 2.0))
        peer.spin(0.1)
        peer.images.publish(message)
        peer.spin(0.2)
        return next((answer for answer in peer.heard if answer.has_object), None)

    answer = peer.until(located, "a point")
    rows, columns = np.nonzero(truth() == ASKED["target"])
    shown = np.array([np.median(columns) - width / 2, np.median(rows) - height / 2]) / 300.0
    angle = np.hypot(*shown)  # equidistant: the distance from the centre is the angle
    x, y = shown / angle * np.tan(angle) * 2.0
    point = answer.object.point
    assert abs(point.x - x) < 0.05 and abs(point.y - y) < 0.05 and abs(point.z - 2.0) < 1e-5, (point, x, y)
    (thing,) = answer.things
    assert thing.has_object and thing.object == answer.object
    assert (thing.mask.width, thing.mask.height) == (thing.box.width, thing.box.height) == (answer.box.width, answer.box.height)
    whole = np.frombuffer(bytes(answer.mask.data), np.uint8).reshape(height, width)
    box = answer.box
    part = whole[box.y_offset : box.y_offset + box.height, box.x_offset : box.x_offset + box.width]
    assert (np.frombuffer(bytes(thing.mask.data), np.uint8).reshape(box.height, box.width) == part).all()


def test_topics_that_are_swapped_by_remapping_are_swapped_once(peer):
    swapped = ["-r", "left/image:=/right/image", "-r", "right/image:=/left/image"]
    peer.start(*swapped, cameras="[left, right]", wait=False)
    peer.connect(image_topic="/left/image", result="/referseg/right/segmentation")
    answer = peer.ask(ASKED["text"])[0]
    assert (answer.camera, answer.status) == ("right", Segmentation.FOUND)


def test_the_node_says_its_version_without_starting(peer):
    for argument, said in (("--version", "referseg_node "), ("--help", "Usage:")):
        ended = subprocess.run([str(NODE), argument], capture_output=True, text=True, timeout=20)
        assert ended.returncode == 0 and said in ended.stdout
