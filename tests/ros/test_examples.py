"""What ships beside the node: layouts for RViz and Foxglove, and the client of the grasping example."""

import json
import re
import sys

import numpy as np
import pytest
from conftest import ASKED, ROOT, image, picture, truth
from referseg.msg import Segmentation
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from test_cameras import F, depth_of, info_of, met

RVIZ_TYPES = {"rviz_default_plugins/Image": "sensor_msgs/msg/Image", "rviz_default_plugins/PointCloud2": "sensor_msgs/msg/PointCloud2",
              "rviz_default_plugins/PointStamped": "geometry_msgs/msg/PointStamped"}


def rviz_topics():
    """topic -> type, of the displays of the RViz layout."""
    text = (ROOT / "rviz" / "referseg.rviz").read_text()
    displays = re.findall(r"Class: (rviz_default_plugins/\w+)(.*?)(?=Class: |\Z)", text, re.S)
    return {topic: RVIZ_TYPES[kind] for kind, rest in displays if kind in RVIZ_TYPES for topic in re.findall(r"(/[\w/]+)", rest)[:1]}


def foxglove_topics():
    text = (ROOT / "foxglove" / "referseg.json").read_text()
    json.loads(text)
    return set(re.findall(r'"(/[a-z_/]+)', text))


def test_the_layouts_show_topics_that_the_node_has(peer):
    peer.start(depth="true")
    known = dict(peer.node.get_topic_names_and_types())
    rviz, foxglove = rviz_topics(), foxglove_topics()
    assert "/referseg/overlay" in rviz and "/referseg/mask" in foxglove
    for topic, kind in rviz.items():
        assert known.get(topic) == [kind], topic
    for topic in foxglove:
        assert topic in known, topic


def test_the_grasping_client_turns_an_answer_into_a_pose_on_the_target(peer):
    sys.path.insert(0, str(ROOT / "examples" / "pick"))
    from pick import Picker

    peer.start(depth="true")
    depth, info = (peer.node.create_publisher(kind, topic, QoSProfile(depth=5)) for kind, topic in
                   ((Image, "/depth"), (CameraInfo, "/camera_info")))
    peer.until(lambda: met(peer, depth) and met(peer, info) and met(peer, peer.images), "the subscriptions")
    rows, columns = np.where(truth() == ASKED["target"])
    h, w = truth().shape
    centre = (w / 2 - 0.5, h / 2 - 0.5)
    picker = Picker(peer.node, F, centre, (0.0, 0.6, 0.8))  # the camera looks down at a slant
    shown = [0]

    def spin_until(done):
        def step():
            shown[0] += 1
            message = image(picture(), stamp=(shown[0], 0))
            info.publish(info_of(message))
            depth.publish(depth_of(message))
            peer.spin(0.15)
            peer.images.publish(message)
            peer.spin(0.15)
            return done()

        peer.until(step, "the action", limit=60)

    answer = picker.ask(ASKED["text"], spin_until)
    assert answer.status == Segmentation.FOUND and answer.has_object, (answer.reason, answer.object_reason)
    pose = picker.grasp(answer)
    assert pose.header == answer.header
    place, turn = pose.pose.position, pose.pose.orientation
    column, row = place.x / place.z * F + centre[0], place.y / place.z * F + centre[1]
    assert columns.min() < column < columns.max() and rows.min() < row < rows.max(), "between the fingers is the target"
    assert place.y * 0.6 + place.z * 0.8 == pytest.approx(answer.object.point.y * 0.6 + answer.object.point.z * 0.8)
    # the pose's z axis, which is the way of the fingers, points down
    x, y, z, quaternion_w = turn.x, turn.y, turn.z, turn.w
    axis = (2 * (x * z + y * quaternion_w), 2 * (y * z - x * quaternion_w), 1 - 2 * (x * x + y * y))
    assert axis == pytest.approx((0.0, 0.6, 0.8), abs=1e-6)
    assert turn.x**2 + turn.y**2 + turn.z**2 + turn.w**2 == pytest.approx(1.0)
