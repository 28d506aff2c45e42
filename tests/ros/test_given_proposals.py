"""Proposals that somebody else sends beside the images: label images and boxes, matched by stamp, live and in a recording."""

import numpy as np
import pytest
from conftest import ASKED, ROOT, image, mask_of, picture, truth
from lifecycle_msgs.msg import Transition
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from referseg.msg import Segmentation
from sensor_msgs.msg import Image
from test_launch import launched  # noqa: F401  (a fixture)
from test_life import change
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose


def labels_of(values, header, encoding="mono16"):
    kind = {"mono8": np.uint8, "mono16": np.uint16, "32SC1": np.int32}[encoding]
    values = np.ascontiguousarray(values.astype(kind))
    message = Image(header=header, height=values.shape[0], width=values.shape[1], encoding=encoding, step=values.strides[0])
    message.data = values.tobytes()
    return message


def publisher(peer, kind, topic):
    opened = peer.node.create_publisher(kind, topic, 5)
    peer.until(opened.get_subscription_count, f"the subscription of {topic}")
    return opened


@pytest.mark.parametrize("encoding", ["mono8", "mono16", "32SC1"])
def test_masks_of_a_label_image_are_the_proposals(peer, encoding):
    peer.start(proposals="topic")
    given = publisher(peer, Image, "/proposals")
    peer.say(ASKED["text"])
    message = image(picture(), stamp=(50, 7))

    def answered():
        peer.images.publish(message)
        given.publish(labels_of(truth(), message.header, encoding))
        return peer.heard

    peer.until(answered, "an answer")
    answer = peer.heard[0]
    assert answer.status == Segmentation.FOUND, answer.reason
    assert ((mask_of(answer.mask) > 0) == (truth() == ASKED["target"])).all(), "the mask that was given, to the pixel"
    assert answer.header == message.header


def test_an_image_without_proposals_is_answered_with_the_reason_and_never_with_old_masks(peer):
    peer.start(proposals="topic", proposals_wait=0.5)
    given = publisher(peer, Image, "/proposals")
    peer.say(ASKED["text"])
    first = image(picture(), stamp=(50, 0))
    peer.until(lambda: peer.images.publish(first) or peer.heard, "an answer although nothing was given")
    assert peer.heard[0].status == Segmentation.ERROR and "no proposals have been received" in peer.heard[0].reason

    def answered(message, labels, count):
        def ready():
            peer.images.publish(message)
            given.publish(labels)
            return len(peer.heard) >= count
        peer.until(ready, "an answer")
        return peer.heard[-1]

    second = image(picture(), stamp=(51, 0))
    assert answered(second, labels_of(truth(), second.header), 2).status == Segmentation.FOUND
    # the same picture a second later, with masks of the second before: a camera that stands still, a detector that hangs
    had, third = len(peer.heard), image(picture(), stamp=(52, 0))

    def third_is_answered():
        peer.images.publish(third)
        given.publish(labels_of(truth(), second.header))
        return any(answer.header == third.header for answer in peer.heard[had:])

    peer.until(third_is_answered, "an answer on the third image")
    late = next(a for a in peer.heard[had:] if a.header == third.header)
    assert late.status == Segmentation.ERROR and "1.000 s older; expected at most 0.020 s" in late.reason, late.reason
    small = image(picture(), stamp=(53, 0))
    wrong = answered(small, labels_of(truth()[:100], small.header), len(peer.heard) + 1)
    assert wrong.status == Segmentation.ERROR and "expected the same size" in wrong.reason


def test_boxes_of_a_detector_and_its_names_decide(peer):
    peer.start(proposals="topic")
    given = publisher(peer, Detection2DArray, "/proposal_boxes")
    message = image(picture(), stamp=(60, 0))
    boxes = Detection2DArray(header=message.header)
    for label in np.unique(truth())[1:]:
        rows, columns = np.nonzero(truth() == label)
        found = Detection2D(header=message.header)
        found.bbox.center.position.x = (columns.min() + columns.max() + 1) / 2
        found.bbox.center.position.y = (rows.min() + rows.max() + 1) / 2
        found.bbox.size_x, found.bbox.size_y = float(np.ptp(columns) + 1), float(np.ptp(rows) + 1)
        result = ObjectHypothesisWithPose()
        # the detector takes the red ball for a cup, and is sure
        result.hypothesis.class_id, result.hypothesis.score = ("cup" if label == ASKED["target"] else "ball"), 0.99
        found.results = [result]
        boxes.detections.append(found)
    peer.say(ASKED["text"])

    def answered():
        peer.images.publish(message)
        given.publish(boxes)
        return peer.heard

    peer.until(answered, "an answer")
    answer = peer.heard[0]
    inside = mask_of(answer.mask) > 0
    target = truth() == ASKED["target"]
    assert answer.status != Segmentation.FOUND or not (inside & target).any(), "its name for it counts against it"
    for found in boxes.detections:
        found.results[0].hypothesis.class_id = "ball"
    boxes.header.stamp.sec = message.header.stamp.sec = 61
    peer.heard.clear()
    peer.until(lambda: answered() and peer.heard[-1].header.stamp.sec == 61, "the next answer")
    answer = peer.heard[-1]
    assert answer.status == Segmentation.FOUND, answer.reason
    inside = mask_of(answer.mask) > 0
    assert (inside & target).sum() / (inside | target).sum() > 0.7


def test_the_topic_is_put_in_force_by_activate(peer):
    peer.start()

    def set_proposals(value):
        given = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)
        request = SetParameters.Request(parameters=[Parameter(name="proposals", value=given)])
        (result,) = peer.call("set_parameters", SetParameters, request).results
        return result

    refused = set_proposals("topic")
    assert not refused.successful and "deactivate the node" in refused.reason
    assert change(peer, Transition.TRANSITION_DEACTIVATE)
    assert set_proposals("topic").successful
    assert change(peer, Transition.TRANSITION_ACTIVATE)
    publisher(peer, Image, "/proposals")
    health = peer.health()
    peer.until(lambda: "referseg: camera" in health, "diagnostics")
    values = {pair.key: pair.value for pair in health["referseg: camera"][-1].values}
    assert values["proposals topic"] in ("/proposals", "/proposal_boxes")


def test_the_examples_launch_file_starts_detector_and_node_which_find_the_thing(launched):  # noqa: F811
    peer = launched(str(ROOT / "examples/own_masks/own_masks.launch.py"), "image_topic:=/eye/image")
    peer.connect(image_topic="/eye/image")
    peer.until(lambda: peer.node.count_publishers("/proposals"), "the detector")
    peer.say(ASKED["text"])
    peer.film(lambda: any(answer.status == Segmentation.FOUND for answer in peer.heard))
    answer = next(answer for answer in peer.heard if answer.status == Segmentation.FOUND)
    inside, target = mask_of(answer.mask) > 0, truth() == ASKED["target"]
    assert (inside & target).sum() / (inside | target).sum() > 0.5  # the stand-in has no eye for shadows
