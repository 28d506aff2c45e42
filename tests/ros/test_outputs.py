"""What goes out beside the result: masks for Nav2, detections, overlays; and the same answers live and offline."""

import io
import json
import subprocess

import numpy as np
import pytest
from conftest import ASKED, ROOT, image, mask_of, picture
from mcap.reader import make_reader
from PIL import Image as Picture
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message
from referseg.msg import Segmentation
from sensor_msgs.msg import CompressedImage, Image
from vision_msgs.msg import Detection2DArray, LabelInfo

RECORDING = ROOT / "tests" / "data" / "recording"


def listen(peer, kind, topic, qos=10):
    heard = []
    peer.node.create_subscription(kind, f"/referseg/{topic}", heard.append, qos)
    return heard


def test_masks_and_detections_agree_and_carry_the_frames_header(peer):
    labels, confidence = listen(peer, Image, "label_mask"), listen(peer, Image, "confidence")
    detections = listen(peer, Detection2DArray, "detections")
    masks = listen(peer, Image, "mask")
    peer.start()
    message = image(picture(), stamp=(77, 5), frame_id="left_eye")
    peer.ask(ASKED["text"], message, count=2)
    peer.until(lambda: labels and confidence and detections and masks, "all outputs")
    answer = peer.heard[-1]
    inside = mask_of(answer.mask) > 0
    for heard in (labels, confidence, detections, masks):
        assert heard[-1].header == message.header
    assert ((mask_of(labels[-1]) == 1) == inside).all() and set(np.unique(mask_of(labels[-1]))) == {0, 1}
    assert set(np.unique(mask_of(confidence[-1]))) == {0, round(answer.score * 255)}
    (detection,) = detections[-1].detections
    (result,) = detection.results
    assert result.hypothesis.class_id == ASKED["phrase"] and result.hypothesis.score == pytest.approx(answer.score)
    assert answer.track_id > 0 and detection.id == str(answer.track_id) and detection.header == message.header
    centre, box = detection.bbox.center.position, answer.box
    assert (centre.x, centre.y) == (box.x_offset + box.width / 2, box.y_offset + box.height / 2)
    assert (detection.bbox.size_x, detection.bbox.size_y) == (box.width, box.height)
    # who comes later still learns what the values mean
    info = listen(peer, LabelInfo, "label_info", QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))
    peer.until(lambda: info, "label_info")
    assert {c.class_id: c.class_name for c in info[-1].class_map} == {0: "background", 1: ASKED["phrase"]}


def test_nothing_found_is_no_detection_and_an_empty_mask(peer):
    detections, labels = listen(peer, Detection2DArray, "detections"), listen(peer, Image, "label_mask")
    peer.start(min_score="0.99")
    peer.ask(ASKED["text"], count=2)
    peer.until(lambda: detections and labels, "the outputs")
    assert not detections[-1].detections and not any(labels[-1].data)


def test_the_overlay_is_for_people_raw_and_compressed_in_any_script(peer):
    raw, compressed = listen(peer, Image, "overlay"), listen(peer, CompressedImage, "overlay/compressed")
    peer.start()
    message = image(picture(), stamp=(3, 1))
    for text in (ASKED["text"], "赤いマグカップ 🦀", "красная кружка"):
        had = len(raw), len(compressed)
        peer.ask(text, message)
        peer.until(lambda: len(raw) > had[0] and len(compressed) > had[1], "both overlays")
        last = min(len(raw), len(compressed)) - 1  # a further answer may be on its way, on one topic before the other
        assert raw[last].header == compressed[last].header == message.header
        shown = np.frombuffer(bytes(raw[last].data), np.uint8).reshape(message.height, message.width, 3)
        decoded = np.asarray(Picture.open(io.BytesIO(bytes(compressed[last].data))).convert("RGB"))
        assert compressed[last].format.startswith("rgb8; jpeg compressed") and decoded.shape == shown.shape
        assert np.abs(decoded.astype(int) - shown).mean() < 6
        assert (shown != picture()).any()


def answers_of(path):
    with open(path, "rb") as file:
        for _, channel, message in make_reader(file).iter_messages():
            if channel.topic == "/referseg/segmentation":
                yield deserialize_message(message.data, Segmentation)


def test_live_and_offline_give_the_same_answers(peer, tmp_path):
    # a track's number tells what was answered before
    peer.start(tracking="false")
    with open(RECORDING / "bag" / "bag.mcap", "rb") as file:
        frames = [message.data for _, _, message in make_reader(file).iter_messages()]
    for command in [one["text"] for one in json.loads((RECORDING / "commands.json").read_text())]:
        offline = tmp_path / "answers.mcap"
        subprocess.run([ROOT / "target" / "release" / "referseg", "replay", RECORDING / "bag", "--out", offline, "--text", command,
                        "--no-overlays"], check=True, cwd=ROOT)
        expected = {(a.header.stamp.sec, a.header.stamp.nanosec): a for a in answers_of(offline)}
        assert len(expected) == len(frames)
        peer.heard.clear()
        peer.say(command)
        for frame in frames:
            want = deserialize_message(frame, Image).header
            # the recorded bytes as they are, until this frame has its answer
            while not any(a.header == want and a.command == command for a in peer.heard):
                peer.images.publish(frame)
                peer.spin(0.4)
        for live in [a for a in peer.heard if a.command == command]:
            same = expected[live.header.stamp.sec, live.header.stamp.nanosec]
            # all of the message but the command's number
            live.command_number = same.command_number
            assert live == same
