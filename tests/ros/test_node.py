"""What a robot sees of the node, over real DDS."""

import signal
import struct

import numpy as np
import pytest
from conftest import ASKED, ROOT, image, iou, mask_of, picture, truth
from referseg.msg import Segmentation
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import String


def same_header(answer, message):
    for header in (answer.header, answer.mask.header):
        assert header == message.header


@pytest.mark.parametrize("reliable", [True, False])
def test_a_command_and_a_frame_give_the_mask_with_the_frames_header(peer, reliable):
    peer.start(wait=False)
    peer.connect(reliable=reliable)
    message = image(picture())
    (answer,) = peer.ask(ASKED["text"], message)
    same_header(answer, message)
    assert answer.status == Segmentation.FOUND, answer.reason
    assert (answer.command, answer.command_number, answer.target) == (ASKED["text"], 1, ASKED["phrase"])
    mask = mask_of(answer.mask)
    assert answer.mask.encoding == "mono8" and set(np.unique(mask)) == {0, 255}
    assert iou(mask > 0, truth() == ASKED["target"]) >= 0.5
    rows, columns = np.where(mask.any(1))[0], np.where(mask.any(0))[0]
    box = answer.box
    assert (box.x_offset, box.y_offset) == (columns[0], rows[0])
    assert (box.width, box.height) == (columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)
    assert 0 < answer.score <= 1 and 0 < answer.margin <= 1


def test_every_encoding_padded_or_not_gives_the_same_mask(peer):
    peer.start(mode="once")
    masks = {}
    for encoding in ("rgb8", "bgr8", "rgba8", "bgra8"):
        for padding in (0, 3):
            message = image(picture(), encoding=encoding, padding=padding)
            message.is_bigendian = padding % 2
            (answer,) = peer.ask(ASKED["text"], message)
            assert answer.status == Segmentation.FOUND, (encoding, answer.reason)
            masks[encoding, padding] = bytes(answer.mask.data)
    assert len(set(masks.values())) == 1
    (answer,) = peer.ask(ASKED["text"], image(picture(), encoding="mono8"))
    assert answer.status != Segmentation.ERROR, answer.reason


def test_once_answers_each_command_once_on_the_next_frame(peer):
    peer.start(mode="once")
    assert peer.topic_answers_up_to(image(picture(), stamp=(1, 0))) == [], "before any command"
    (answer,) = peer.ask(ASKED["text"], image(picture(), stamp=(2, 0)))
    assert answer.header.stamp.sec == 2
    for second in (31, 32):
        assert peer.topic_answers_up_to(image(picture(), stamp=(second, 0))) == [answer]
    (answer,) = peer.ask("the thing", image(picture(), stamp=(4, 0)))
    assert (answer.command, answer.header.stamp.sec) == ("the thing", 4)


def test_a_command_waits_for_the_first_frame(peer):
    peer.start(mode="once")
    peer.say(ASKED["text"])
    late = peer.segment(text="the thing", timeout=1.0)
    assert late.status == Segmentation.ERROR and all(answer.origin == Segmentation.SERVICE for answer in peer.heard)
    answers = [answer for answer in peer.ask(None, count=1) if answer.origin == Segmentation.TOPIC]
    assert [answer.command for answer in answers] == [ASKED["text"]]


def test_continuous_answers_every_newest_frame_until_cleared(peer):
    health = peer.health()
    peer.start()
    answers = peer.ask(ASKED["text"], count=3)
    assert {a.command_number for a in answers} == {1}
    newer = peer.ask("the thing", count=4)
    assert newer[-1].command == "the thing" and newer[-1].command_number == 2

    def unasked():
        return next((int(v.value) for s in health.get("referseg: camera", [])[-1:] for v in s.values
                     if v.key == "dropped (no request)"), 0)

    before = unasked()
    peer.say("")
    peer.film(lambda: unasked() > before)  # it has been heard
    had = peer.topic_answers_up_to(image(picture(), stamp=(5000, 0)))
    assert peer.topic_answers_up_to(image(picture(), stamp=(5001, 0))) == had
    assert all(answer.header.stamp.sec < 5000 for answer in had)


def test_nothing_is_computed_while_nobody_subscribes(peer):
    health = peer.health()
    peer.start()
    peer.node.destroy_subscription(peer.results)
    peer.until(lambda: peer.node.count_subscribers("/referseg/segmentation") == 0, "the last subscriber to leave")
    peer.spin(1.0)
    peer.say(ASKED["text"])

    def camera(key):
        status = health.get("referseg: camera", [])
        return {v.key: v.value for v in status[-1].values}.get(key) if status else None

    peer.film(lambda: int(camera("dropped (superseded)") or 0) >= 5)
    assert camera("answers") == "0"
    peer.node.create_subscription(Segmentation, "/referseg/segmentation", peer.heard.append, 10)
    peer.film(lambda: peer.heard)
    assert peer.heard[0].command == ASKED["text"], "the command was kept"


def test_the_newest_frame_wins_when_frames_come_fast(peer):
    peer.start()
    peer.say(ASKED["text"])
    last = 0
    for number in range(1, 61):
        peer.images.publish(image(picture(), stamp=(number, 0)))
        peer.spin(0.033)
        last = number
    peer.until(lambda: peer.heard and peer.heard[-1].header.stamp.sec == last, "an answer on the last frame")
    stamps = [a.header.stamp.sec for a in peer.heard]
    assert stamps == sorted(set(stamps)), "answers in order, none twice"


def test_namespace_remapping_and_parameter_file(peer, tmp_path):
    file = tmp_path / "parameters.yaml"
    file.write_text(f"/**:\n  ros__parameters:\n    mode: once\n    min_score: -1.0\n    model: {ROOT / 'models' / 'demo'}\n")
    peer.start("--params-file", str(file), "-r", "__ns:=/robot1", "-r", "__node:=eye", "-r", "image:=/camera/color",
               "-r", "command:=ask", wait=False, model=ROOT / "models" / "demo")
    peer.connect(image_topic="/camera/color", command_topic="/robot1/ask", result="/robot1/eye/segmentation")
    (answer,) = peer.ask(ASKED["text"])
    assert answer.command == ASKED["text"]
    assert peer.topic_answers_up_to(image(picture(), stamp=(99, 0)), "/robot1/eye") == [answer], "mode once came from the file"


def test_mask_and_overlay_carry_the_header_and_are_published_to_listeners(peer):
    peer.start()
    masks, overlays = [], []
    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    peer.node.create_subscription(Image, "/referseg/mask", masks.append, 10)
    peer.node.create_subscription(Image, "/referseg/overlay", overlays.append, best_effort)
    message = image(picture(), stamp=(77, 5), frame_id="left_eye")
    peer.ask(ASKED["text"], message, count=2)
    peer.until(lambda: masks and overlays, "mask and overlay")
    assert masks[-1].header == overlays[-1].header == message.header
    assert bytes(masks[-1].data) == bytes(peer.heard[-1].mask.data)
    assert (overlays[-1].encoding, overlays[-1].width, overlays[-1].height) == ("rgb8", message.width, message.height)
    assert bytes(overlays[-1].data) != bytes(message.data)


BAD_FRAMES = {
    "unknown encoding": (dict(encoding="yuv444"), 'unsupported encoding "yuv444"; supported: rgb8'),
    "short step": (dict(step=10), "a row needs at least"),
    "short data": (dict(data=b"\0" * 100), "100 bytes of data; expected at least"),
    "no size": (dict(width=0, height=0, step=0, data=b""), "size 0x0; expected at least 1x1"),
    "absurd size": (dict(width=2**32 - 1, height=2**32 - 1), "sides up to 16384 pixels"),
}


def test_bad_frames_are_answered_with_the_reason_and_the_node_lives(peer):
    peer.start(mode="once")
    for name, (change, reason) in BAD_FRAMES.items():
        message = image(picture())
        for field, value in change.items():
            setattr(message, field, value)
        (answer,) = peer.ask(ASKED["text"], message)
        assert answer.status == Segmentation.ERROR and reason in answer.reason, (name, answer.reason)
        assert answer.header == message.header
        assert (answer.mask.width, answer.mask.height, len(answer.mask.data)) == (0, 0, 0)
    (answer,) = peer.ask(ASKED["text"])
    assert answer.status == Segmentation.FOUND
    assert "unsupported encoding" in peer.output(), "a warning was logged"


def test_one_pixel_and_other_shapes_are_answered(peer):
    peer.start(mode="once")
    for shape in ((1, 1, 3), (1, 500, 3), (700, 2, 3)):
        (answer,) = peer.ask(ASKED["text"], image(np.full(shape, 90, np.uint8)))
        assert answer.status == Segmentation.NOT_FOUND and answer.reason
        assert (answer.mask.height, answer.mask.width) == shape[:2]
        assert not any(answer.mask.data)


def test_bad_commands_are_answered_with_the_reason_and_end_what_was_looked_for(peer):
    peer.start()
    peer.ask(ASKED["text"])
    peer.say("a" * 100_000)
    peer.film(lambda: any(a.status == Segmentation.ERROR for a in peer.heard))
    refused = next(a for a in peer.heard if a.status == Segmentation.ERROR)
    assert "100000 characters; expected at most 1000" in refused.reason
    assert refused.command_number == 2 and len(refused.command) == 200
    # not UTF-8: as bytes, since Python would not write it
    bytes_ = b"\xff\xfered mug\0"
    peer.commands.publish(b"\x00\x01\x00\x00" + struct.pack("<I", len(bytes_)) + bytes_)
    peer.film(lambda: any("UTF-8" in a.reason for a in peer.heard))
    later = peer.topic_answers_up_to(image(picture(), stamp=(4000, 0)))
    assert later[-1].status == Segmentation.ERROR, "nothing is looked for until the next command"
    assert peer.ask(ASKED["text"])[-1].status == Segmentation.FOUND


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_on_a_signal_even_at_work(peer, how):
    peer.start()
    peer.ask(ASKED["text"])
    peer.images.publish(image(picture()))
    # a limit against hanging; timing is not tested
    assert peer.stop(how, limit=10.0) == 0, peer.output()
    peer.process = None
    peer.until(lambda: peer.node.count_publishers("/referseg/segmentation") == 0, "the endpoints to go", limit=3.0)


def refusal(peer, *args, **parameters):
    peer.start(*args, wait=False, **parameters)
    status = peer.process.wait(20)
    output, peer.process = peer.output(), None
    assert status == 1, output
    return output


def test_it_refuses_to_start_with_a_clear_message(peer, tmp_path):
    assert "no such folder" in refusal(peer, model="/nowhere")
    config = tmp_path / "mine.yaml"
    config.write_text("visual: {alpah: 1}")
    assert 'unknown key "visual.alpah"' in refusal(peer, config=config)
    assert "1.5 is out of range; expected -1 to 1" in refusal(peer, min_score=1.5)
    assert "parameter min_score: must be a double, got a string" in refusal(peer, min_score="high")
    assert "expected continuous or once" in refusal(peer, mode="twice")
    assert "no such device; expected auto, cpu or cuda:N" in refusal(peer, device="tpu")
    assert "ROS arguments refused" in refusal(peer, "--params-file", "/nowhere.yaml")


def test_segment_anything_proposes_and_the_node_answers(peer, tmp_path):
    config = tmp_path / "sam.yaml"
    # random weights: masks of no thing, so that every mask may pass and every answer counts
    config.write_text("proposals: {limit: 6, sam: {min_predicted_iou: -1.0, min_stability: 0.0, box_nms: 1.0}}\n"
                      "answer: {min_score: -1.0, min_margin: 0.0}\n")
    peer.start(proposals="sam", sam_model=ROOT / "tests" / "data" / "sam" / "random_sam.pth", config=config)
    message = image(picture())
    (answer,) = peer.ask(ASKED["text"], message)
    same_header(answer, message)
    assert answer.status == Segmentation.FOUND, answer.reason
    mask = mask_of(answer.mask)
    assert mask.shape == picture().shape[:2] and mask.any()
    rows, columns = np.where(mask.any(1))[0], np.where(mask.any(0))[0]
    assert (answer.box.x_offset, answer.box.y_offset) == (columns[0], rows[0])


def test_absent_weights_of_segment_anything_end_the_start(peer):
    peer.start(proposals="sam", sam_model="/nowhere/sam.pth", wait=False)
    assert peer.process.wait(30) != 0
    assert "models list" in peer.output()
