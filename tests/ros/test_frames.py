"""Other frames than the image's: points in target_frame, words of place in reference_frame, and what viewers get."""

import numpy as np
import pytest
from conftest import ASKED, truth
from foxglove_msgs.msg import ImageAnnotations
from geometry_msgs.msg import PointStamped, TransformStamped
from rclpy.qos import DurabilityPolicy, QoSProfile
from referseg.msg import Object, Segmentation
from sensor_msgs.msg import PointCloud2
from test_cameras import F, DepthCamera, depth_of
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection3DArray
from visualization_msgs.msg import Marker, MarkerArray


def transform(parent, child, stamp, translation, rotation=(0.0, 0.0, 0.0, 1.0)):
    message = TransformStamped(child_frame_id=child)
    message.header.frame_id, message.header.stamp = parent, stamp
    at, turn = message.transform.translation, message.transform.rotation
    at.x, at.y, at.z = translation
    turn.x, turn.y, turn.z, turn.w = rotation
    return message


class Robot:
    """A camera 0.5 m up on a base that drives along odom's x by a metre each second."""

    def __init__(self, peer):
        self.peer = peer
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.tf, self.fixed = peer.node.create_publisher(TFMessage, "/tf", 10), peer.node.create_publisher(TFMessage, "/tf_static", latched)
        # REP 103: the optical frame's z is forward, x right, y down
        eye = transform("base_link", "camera_optical", TransformStamped().header.stamp, (0.1, 0.0, 0.5), (-0.5, 0.5, -0.5, 0.5))
        self.fixed.publish(TFMessage(transforms=[eye]))

    def drive(self, stamp):
        """Where it is up to a stamp and a second beyond."""
        for second in (stamp.sec - 1, stamp.sec, stamp.sec + 1):
            at = type(stamp)(sec=second, nanosec=stamp.nanosec)
            self.tf.publish(TFMessage(transforms=[transform("odom", "base_link", at, (float(second), 0.0, 0.0))]))


def test_points_are_given_in_the_target_frame_at_the_images_stamp(peer):
    heard = {kind: [] for kind in (PointStamped, PointCloud2, Object)}
    for kind, topic in ((PointStamped, "point"), (PointCloud2, "cloud"), (Object, "object")):
        peer.node.create_subscription(kind, f"/referseg/{topic}", heard[kind].append, 10)
    robot = Robot(peer)
    camera = DepthCamera(peer, target_frame="odom")

    def seen(message):
        robot.drive(message.header.stamp)
        return depth_of(message)

    answer = camera.ask(seen)
    assert answer.status == Segmentation.FOUND and answer.has_object, answer.object_reason
    second = answer.header.stamp.sec
    assert answer.header.frame_id == "camera_optical", "the image's own"
    assert answer.object.header.frame_id == "odom" and answer.object.header.stamp == answer.header.stamp
    rows, columns = np.where(truth() == ASKED["target"])
    height, width = truth().shape
    point = answer.object.point
    assert point.x == pytest.approx(second + 0.1 + 0.8, abs=0.01), "forward"
    assert point.y == pytest.approx(-(np.median(columns) - (width / 2 - 0.5)) / F * 0.8, abs=0.03), "left"
    assert point.z == pytest.approx(0.5 - (np.median(rows) - (height / 2 - 0.5)) / F * 0.8, abs=0.03), "up"
    peer.until(lambda: all(heard.values()), "point, cloud and object")
    assert {messages[-1].header.frame_id for messages in heard.values()} == {"odom"}
    assert heard[PointStamped][-1].point == point
    x = np.frombuffer(bytes(heard[PointCloud2][-1].data), np.float32).reshape(-1, 4)[:, 0]
    assert np.median(x) == pytest.approx(second + 0.9, abs=0.01)


def test_a_missing_transform_is_a_reason_and_never_a_wrong_point(peer):
    objects = []
    peer.node.create_subscription(Object, "/referseg/object", objects.append, 10)
    robot = Robot(peer)
    camera = DepthCamera(peer, target_frame="odom")
    answer = camera.ask(depth_of)
    assert answer.status == Segmentation.FOUND and not answer.has_object
    assert "odom is unknown; is it on /tf or /tf_static?" in answer.object_reason

    def late(message):
        stamp = message.header.stamp
        robot.drive(type(stamp)(sec=stamp.sec - 5))
        return depth_of(message)

    answer = camera.ask(late)
    assert not answer.has_object and "after the last one of base_link; nothing is extrapolated" in answer.object_reason
    assert not objects

    def seen(message):
        robot.drive(message.header.stamp)
        return depth_of(message)

    assert camera.ask(seen).has_object, "once it is known"


def test_words_that_mean_the_robot_are_judged_in_its_frame_and_it_is_said(peer):
    Robot(peer)
    camera = DepthCamera(peer, reference_frame="base_link")
    answer = camera.ask(depth_of, text=ASKED["text"])
    assert answer.reference_frame == "", "no word means the robot"
    for text in ("the red ball closest to you", "the topmost red ball", "the red ball on your left"):
        answer = camera.ask(depth_of, text=text)
        assert answer.reference_frame == "base_link", text


def test_without_the_transform_words_are_judged_in_the_picture_and_the_log_says_so(peer):
    camera = DepthCamera(peer, reference_frame="base_link")
    answer = camera.ask(depth_of, text="the red ball closest to you")
    assert answer.reference_frame == "" and answer.by_depth
    peer.until(lambda: "words of place are judged in the picture" in peer.output(), "the warning")


def test_viewers_get_boxes_in_space_markers_and_annotations(peer):
    boxes, markers, annotations = [], [], []
    peer.node.create_subscription(Detection3DArray, "/referseg/detections_3d", boxes.append, 10)
    peer.node.create_subscription(MarkerArray, "/referseg/markers", markers.append, 10)
    peer.node.create_subscription(ImageAnnotations, "/referseg/annotations", annotations.append, 10)
    camera = DepthCamera(peer)
    answer = camera.ask(depth_of)
    peer.until(lambda: boxes and markers and annotations, "all three")
    (box,) = boxes[-1].detections
    assert box.header == answer.header and box.bbox.center == answer.object.pose and box.bbox.size == answer.object.size
    assert box.id == str(answer.track_id) and box.results[0].hypothesis.class_id == answer.target
    first, cube, text = markers[-1].markers
    assert first.action == Marker.DELETEALL and (cube.type, text.type) == (Marker.CUBE, Marker.TEXT_VIEW_FACING)
    assert cube.header == answer.header and cube.pose == answer.object.pose and cube.scale == answer.object.size
    assert ASKED["phrase"] in text.text
    (outline,) = annotations[-1].points
    assert [(point.x, point.y) for point in outline.points][0] == (answer.box.x_offset, answer.box.y_offset)
    assert len(outline.points) == 4 and "FOUND" in annotations[-1].texts[0].text
    had = len(markers)
    camera.ask(depth_of, text="the purple elephant")
    peer.until(lambda: len(markers) > had and len(annotations) > had, "what is shown of another answer")
    if not peer.heard[-1].has_object:
        assert [marker.action for marker in markers[-1].markers] == [Marker.DELETEALL], "the old box is taken away"
