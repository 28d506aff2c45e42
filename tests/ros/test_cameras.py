"""What comes in: compressed pictures, QoS as the publisher offers it, several cameras, time that goes backwards, depth."""

import copy
import io
import struct

import numpy as np
import pytest
from conftest import ASKED, duration, image, iou, mask_of, picture, ROOT, truth
from PIL import Image as Picture
from rclpy.qos import QoSProfile, ReliabilityPolicy
from referseg.msg import Object, Segmentation
from referseg.srv import Segment
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import String
from test_life import set_parameter
from geometry_msgs.msg import PointStamped


def compressed(kind, message):
    data = io.BytesIO()
    Picture.fromarray(picture()).save(data, kind)
    return CompressedImage(header=message.header, format=f"rgb8; {kind} compressed bgr8", data=data.getvalue())


def test_compressed_pictures_come_from_the_topic_below_the_remapped_one(peer):
    peer.start("-r", "image:=/camera/color/image_raw", "-r", "__ns:=/robot1", image_transport="compressed", mode="once",
               wait=False)
    results = peer.node.create_subscription(Segmentation, "/robot1/referseg/segmentation", peer.heard.append, 10)
    peer.images = peer.node.create_publisher(CompressedImage, "/camera/color/image_raw/compressed", 5)
    peer.commands = peer.node.create_publisher(String, "/robot1/command", 10)
    peer.until(lambda: peer.images.get_subscription_count() and peer.commands.get_subscription_count()
               and peer.node.count_publishers(results.topic_name), "the node's endpoints")
    for kind in ("png", "jpeg"):
        message = compressed(kind, image(picture(), stamp=(4, 2)))
        (answer,) = peer.ask(ASKED["text"], message)
        assert answer.status == Segmentation.FOUND, answer.reason
        assert answer.header == message.header
        assert iou(mask_of(answer.mask) > 0, truth() == ASKED["target"]) >= 0.5
    message.format = "16UC1; compressedDepth png"
    (answer,) = peer.ask(ASKED["text"], message)
    assert answer.status == Segmentation.ERROR and "a depth image" in answer.reason


def test_the_publishers_reliability_is_matched_and_matched_again(peer):
    peer.start(wait=False)
    peer.connect(reliable=True)
    peer.ask(ASKED["text"])

    def offered():
        infos = peer.node.get_subscriptions_info_by_topic("/image")
        return {info.qos_profile.reliability for info in infos}

    peer.ask(None)
    peer.until(lambda: peer.ask(None) and offered() == {ReliabilityPolicy.RELIABLE}, "a reliable subscription alone")
    # the camera restarts, now best effort
    peer.node.destroy_publisher(peer.images)
    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    peer.images = peer.node.create_publisher(Image, "/image", best_effort)
    had = len(peer.heard)
    peer.film(lambda: len(peer.heard) > had + 1)
    assert ReliabilityPolicy.BEST_EFFORT in offered()


def test_a_publisher_that_is_not_heard_is_said_with_the_remedy(peer):
    peer.start(image_reliability="reliable", wait=False)
    peer.connect(reliable=True)
    peer.node.destroy_publisher(peer.images)
    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    peer.images = peer.node.create_publisher(Image, "/image", best_effort)
    peer.film(lambda: "set image_reliability to auto or best_effort" in peer.output())
    health = peer.health()
    peer.until(lambda: any("set image_reliability" in s.message for s in health.get("referseg: camera", [])[-1:]), "diagnostics")


def test_a_topic_of_another_type_is_said_with_the_remedy(peer):
    peer.start()
    peer.node.destroy_publisher(peer.images)
    peer.node.create_publisher(CompressedImage, "/image", 5)
    peer.until(lambda: "/image is published as sensor_msgs/msg/CompressedImage" in peer.output(), "the warning")


def test_cameras_share_a_model_and_keep_their_topics_apart(peer):
    peer.start("-p", "cameras:=[left, right]", "-r", "left/image:=/cam/left", wait=False)
    heard = {"left": [], "right": []}
    for name in heard:
        peer.node.create_subscription(Segmentation, f"/referseg/{name}/segmentation", heard[name].append, 10)
    left, right = (peer.node.create_publisher(Image, topic, 5) for topic in ("/cam/left", "/right/image"))
    everyone, one = (peer.node.create_publisher(String, topic, 10) for topic in ("/command", "/right/command"))
    peer.until(lambda: all(p.get_subscription_count() for p in (left, right, everyone, one))
               and peer.node.count_publishers("/referseg/right/segmentation"), "the node's endpoints")
    everyone.publish(String(data=ASKED["text"]))

    def show(until, what):
        def done():
            show.n += 1
            if show.n % 3 == 0:
                left.publish(image(picture(), frame_id="left_eye"))
                right.publish(image(picture()[:, ::-1], frame_id="right_eye"))
            return until()
        peer.until(done, what, limit=60)
    show.n = 0
    show(lambda: min(map(len, heard.values())) >= 2, "answers of both cameras")
    for name, answers in heard.items():
        assert {a.camera for a in answers} == {name}
        assert {a.header.frame_id for a in answers} == {f"{name}_eye"}
        assert {a.command_number for a in answers} == {1}
    assert abs(len(heard["left"]) - len(heard["right"])) <= 2, "neither is starved"
    one.publish(String(data="the black can"))
    show(lambda: heard["right"][-1].command == "the black can" and len(heard["left"]) > 3, "the right camera's command")
    assert heard["left"][-1].command == ASKED["text"]
    answer = peer.segment(text=ASKED["text"], camera="right", timeout=60.0)
    assert (answer.camera, answer.header.frame_id) == ("right", "right_eye")


def test_with_once_every_camera_answers_a_command_for_all_once(peer):
    peer.start("-p", "cameras:=[left, right]", mode="once", wait=False)
    heard = {"left": [], "right": []}
    for name in heard:
        peer.node.create_subscription(Segmentation, f"/referseg/{name}/segmentation", heard[name].append, 10)
    images = {name: peer.node.create_publisher(Image, f"/{name}/image", 5) for name in heard}
    command = peer.node.create_publisher(String, "/command", 10)
    peer.until(lambda: all(p.get_subscription_count() for p in (*images.values(), command)) and
               all(peer.node.count_publishers(f"/referseg/{name}/segmentation") for name in heard), "the node's endpoints")
    command.publish(String(data=ASKED["text"]))
    peer.spin(0.5)
    stamp = [0]

    def show(names):
        stamp[0] += 1
        for name in names:
            images[name].publish(image(picture(), stamp=(stamp[0], 0), frame_id=f"{name}_eye"))
        peer.spin(0.3)

    peer.until(lambda: show(["left"]) or heard["left"], "the left camera's answer")
    assert not heard["right"], "it has no frame yet"
    peer.until(lambda: show(["left", "right"]) or heard["right"], "the right camera's answer")
    # a call on a later frame of each: what the command would have got on it stands before its answer
    calls = [peer.call_async("segment", Segment, Segment.Request(text="the thing", camera=name, request_id="later",
                                                                 next_frame=True, timeout=duration(60.0))) for name in heard]
    peer.until(lambda: show(["left", "right"]) or all(call.done() for call in calls), "the calls' answers")
    peer.until(lambda: all(any(a.request_id == "later" for a in answers) for answers in heard.values()), "and on the topics")
    for name, answers in heard.items():
        (answer,) = [a for a in answers if a.origin == Segmentation.TOPIC]
        assert answer.header.frame_id == f"{name}_eye"


def test_time_that_goes_backwards_drops_what_was_seen_and_nothing_sticks(peer):
    peer.start(use_sim_time="true")
    clock = peer.node.create_publisher(Clock, "/clock", 10)
    peer.until(clock.get_subscription_count, "the clock's subscription")

    def tick(second):
        message = Clock()
        message.clock.sec = second
        clock.publish(message)
        peer.spin(0.1)

    for second in range(100, 110):
        tick(second)
    assert peer.ask(ASKED["text"], image(picture(), stamp=(109, 0)))
    peer.say("")
    assert peer.segment(text="the thing").header.stamp.sec == 109
    peer.until(lambda: tick(3) or "time went backwards" in peer.output(), "the jump to be noticed")
    late = peer.segment(text="the thing", timeout=1.0)
    assert late.status == Segmentation.ERROR and "not answered" in late.reason, "the frame was of another time"
    (answer,) = peer.ask(ASKED["text"], image(picture(), stamp=(4, 0)))
    assert answer.header.stamp.sec == 4
    peer.say("")
    again = peer.segment(text="the thing")
    assert again.header.stamp.sec == 4, "frames of the new time are kept as before"


def test_simulated_time_that_is_switched_on_or_off_is_not_a_jump(peer):
    peer.start()
    clock = peer.node.create_publisher(Clock, "/clock", 10)
    message = Clock()
    message.clock.sec = 100
    peer.ask(ASKED["text"], image(picture(), stamp=(109, 0)))
    assert set_parameter(peer, "use_sim_time", True).successful  # from the wall clock's billions back to 100 s
    peer.until(clock.get_subscription_count, "the clock's subscription")
    for _ in range(10):
        clock.publish(message)
        peer.spin(0.1)
    assert peer.segment(text="the thing").header.stamp.sec == 109, "the frame is kept"
    assert set_parameter(peer, "use_sim_time", False).successful
    peer.spin(0.5)
    assert set_parameter(peer, "use_sim_time", True).successful
    clock.publish(message)
    peer.spin(0.5)
    assert peer.segment(text="the thing").header.stamp.sec == 109
    assert "time went backwards" not in peer.output()


F = 300.0  # pixels


def depth_of(message, encoding="16UC1", metres=0.8):
    """A depth image of a wall at 2 m and the thing asked for before it."""
    z = np.where(truth() == ASKED["target"], metres, 2.0)
    data = (z * 1000).astype("<u2") if encoding == "16UC1" else z.astype("<f4")
    return Image(header=copy.deepcopy(message.header), height=z.shape[0], width=z.shape[1], encoding=encoding,
                 step=z.shape[1] * data.itemsize, data=data.tobytes())


def info_of(message):
    h, w = truth().shape
    info = CameraInfo(header=message.header, width=w, height=h)
    info.k = [F, 0.0, w / 2 - 0.5, 0.0, F, h / 2 - 0.5, 0.0, 0.0, 1.0]
    return info


def met(peer, publisher):
    """Whether the node's subscription for a reliable publisher is there: one for any kind may come before it."""
    known = peer.node.get_subscriptions_info_by_topic(publisher.topic_name)
    reliable = any(info.qos_profile.reliability == ReliabilityPolicy.RELIABLE for info in known)
    return reliable and publisher.get_subscription_count() == len(known)


class DepthCamera:
    def __init__(self, peer, **parameters):
        self.peer = peer
        self.depth = peer.node.create_publisher(Image, "/camera/depth/image_rect", 5)
        self.info = peer.node.create_publisher(CameraInfo, "/camera/depth/camera_info", 5)
        peer.start("-r", "depth:=/camera/depth/image_rect", depth="true", mode="once", **parameters)
        peer.until(lambda: met(peer, self.depth) and met(peer, self.info), "depth's subscriptions")

    def ask(self, depth_for, text=ASKED["text"], info=True):
        """Answers with the stamp and depth that `depth_for` makes of each frame."""
        peer, had, stamp = self.peer, len(self.peer.heard), [1000 * (len(self.peer.heard) + 1)]
        peer.say(text)

        def show():
            stamp[0] += 1
            message = image(picture(), stamp=(stamp[0], 0))
            if info:
                self.info.publish(info_of(message))
            peer.spin(0.15)
            depth = depth_for(message)
            if depth is not None:
                self.depth.publish(depth)
            peer.images.publish(message)
            peer.spin(0.15)
            return len(peer.heard) > had

        peer.until(show, "an answer")
        return peer.heard[-1]


def test_depth_gives_point_cloud_and_object_in_the_optical_frame(peer):
    points, clouds, objects = [], [], []
    peer.node.create_subscription(PointStamped, "/referseg/point", points.append, 10)
    peer.node.create_subscription(PointCloud2, "/referseg/cloud", clouds.append, 10)
    peer.node.create_subscription(Object, "/referseg/object", objects.append, 10)
    camera = DepthCamera(peer)
    rows, columns = np.where(truth() == ASKED["target"])
    h, w = truth().shape
    for encoding in ("16UC1", "32FC1"):
        answer = camera.ask(lambda message: depth_of(message, encoding))
        assert answer.status == Segmentation.FOUND and answer.has_object, answer.object_reason
        point = answer.object.point
        assert point.z == pytest.approx(0.8, abs=0.002), encoding
        assert point.x == pytest.approx((np.median(columns) - (w / 2 - 0.5)) / F * 0.8, abs=0.03)
        assert point.y == pytest.approx((np.median(rows) - (h / 2 - 0.5)) / F * 0.8, abs=0.03)
        assert 0 < answer.object.size.y <= answer.object.size.x < 0.5
        assert answer.object.header == answer.header
    peer.until(lambda: len(points) >= 2 and len(clouds) >= 2 and len(objects) >= 2, "point, cloud and object")
    assert points[-1].header == clouds[-1].header == objects[-1].header == answer.header
    assert points[-1].point == answer.object.point and objects[-1] == answer.object
    cloud = clouds[-1]
    assert [f.name for f in cloud.fields] == ["x", "y", "z", "rgb"] and cloud.width * 16 == len(cloud.data)
    z = [struct.unpack_from("<f", bytes(cloud.data), 16 * n + 8)[0] for n in range(cloud.width)]
    assert np.median(z) == pytest.approx(0.8, abs=0.002)


def test_missing_stale_or_foreign_depth_is_a_reason_and_never_a_point(peer):
    points = []
    peer.node.create_subscription(PointStamped, "/referseg/point", points.append, 10)
    camera = DepthCamera(peer)
    assert camera.ask(lambda message: None, info=False).object_reason == "no depth image has been received"
    assert "no camera_info has been received" in camera.ask(depth_of, info=False).object_reason

    def stale(message):
        depth = depth_of(message)
        depth.header.stamp.nanosec = 500_000_000
        return depth

    assert "expected at most 0.020 s" in camera.ask(stale).object_reason

    def foreign(message):
        depth = depth_of(message)
        depth.header.frame_id = "depth_eye"
        return depth

    assert "aligned with the image" in camera.ask(foreign).object_reason

    def rgb(message):
        return image(picture(), stamp=(message.header.stamp.sec, 0))

    assert "supported: 16UC1, 32FC1" in camera.ask(rgb).object_reason
    assert "are known" in camera.ask(lambda message: depth_of(message, "32FC1", np.nan)).object_reason
    answers = list(peer.heard)
    assert not any(a.has_object for a in answers) and points == []
    assert all(a.status == Segmentation.FOUND for a in answers), "the mask needs no depth"
    assert camera.ask(depth_of).has_object


def test_each_named_camera_has_depth_of_its_own(peer):
    heard = {"left": [], "right": []}
    peer.start("-p", "cameras:=[left, right]", depth="true", mode="once", wait=False)
    node, publishers = peer.node, {}
    for name in heard:
        node.create_subscription(Segmentation, f"/referseg/{name}/segmentation", heard[name].append, 10)
        publishers[name] = [node.create_publisher(kind, f"/{name}/{topic}", 5)
                            for kind, topic in ((Image, "image"), (Image, "depth"), (CameraInfo, "camera_info"))]
    command = node.create_publisher(String, "/command", 10)

    peer.until(lambda: command.get_subscription_count() and all(met(peer, p) for of in publishers.values() for p in of), "the endpoints")
    peer.until(lambda: all(node.count_publishers(f"/referseg/{name}/segmentation") for name in heard), "the publishers")
    metres = {"left": 0.8, "right": 1.2}
    stamp = [0]

    def show():
        stamp[0] += 1
        command.publish(String(data=ASKED["text"]))
        for name, (images, depths, infos) in publishers.items():
            message = image(picture(), stamp=(stamp[0], 0), frame_id=f"{name}_eye")
            infos.publish(info_of(message))
            depths.publish(depth_of(message, metres=metres[name]))
            peer.spin(0.2)
            images.publish(message)
        peer.spin(0.3)
        return all(any(answer.has_object for answer in answers) for answers in heard.values())

    peer.until(show, "objects of both cameras", limit=60)
    for name, answers in heard.items():
        found = next(answer for answer in answers if answer.has_object)
        assert found.object.point.z == pytest.approx(metres[name], abs=0.005), name
        assert found.object.header.frame_id == f"{name}_eye"
