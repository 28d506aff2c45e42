"""Asking back and putting down: questions with candidates, conversations, roles, and destinations."""

import numpy as np
import pytest
from conftest import image, iou, picture
from geometry_msgs.msg import PointStamped, PoseStamped
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from referseg.msg import Destination, Segmentation
from sensor_msgs.msg import Image
from test_cameras import DepthCamera, depth_of
from visualization_msgs.msg import MarkerArray


def same_place(box, other):
    def corners(box):
        return np.array([box.x_offset, box.y_offset, box.x_offset + box.width, box.y_offset + box.height])

    return np.abs(corners(box) - corners(other)).max() <= 2


def test_a_question_has_candidates_whose_phrases_hold(peer):
    peer.start()
    message = image(picture(), stamp=(5, 6))
    answer = peer.segment(text="the ball", image=message)
    assert answer.status == Segmentation.AMBIGUOUS, answer.reason
    assert answer.question.startswith("Do you mean the ") and len(answer.candidates) == 2
    left, right = answer.candidates
    assert left.box.x_offset < right.box.x_offset
    for candidate in answer.candidates:
        assert candidate.phrase in answer.question
        assert (candidate.mask.height, candidate.mask.width) == (candidate.box.height, candidate.box.width)
        assert max(candidate.mask.data) == 255 and candidate.mask.header == message.header
        again = peer.segment(text=candidate.phrase, image=message)
        assert again.status == Segmentation.FOUND and same_place(again.box, candidate.box), candidate.phrase
        assert again.question == "" and not again.candidates


def test_requests_of_one_conversation_are_replies_and_others_are_not(peer):
    peer.start()
    message = image(picture(), stamp=(5, 6))

    def say(text, conversation):
        answer = peer.segment(text=text, image=message, conversation=conversation)
        assert answer.conversation == conversation
        return answer

    asked = say("the ball", "anna")
    left, right = asked.candidates
    say("the ball", "bert")
    chosen = say("the left one", "anna")
    assert chosen.status == Segmentation.FOUND and same_place(chosen.box, left.box), chosen.reason
    other = say("no, the other one", "anna")
    assert other.status == Segmentation.FOUND and same_place(other.box, right.box), other.reason
    of_bert = say("the right one", "bert")
    assert of_bert.status == Segmentation.FOUND and same_place(of_bert.box, right.box), of_bert.reason
    alone = say("the other one", "")
    assert alone.status != Segmentation.FOUND, "said to nobody"


def test_commands_on_a_topic_are_a_conversation_if_wanted_until_they_are_cleared(peer):
    peer.start(dialogue="true")

    def say(text, frames=1):
        peer.ask(text)
        peer.heard.clear()
        peer.film(lambda: sum(answer.command == text for answer in peer.heard) >= frames)
        return [answer for answer in peer.heard if answer.command == text][-1]

    asked = say("the ball")
    left, right = asked.candidates
    say("the left one", frames=2)
    for answer in peer.heard:  # and so on every frame that follows
        assert answer.status == Segmentation.FOUND and same_place(answer.box, left.box), answer.reason
    other = say("the other one")
    assert other.status == Segmentation.FOUND and same_place(other.box, right.box), other.reason
    peer.say("")
    peer.spin(0.5)
    assert say("the other one").status != Segmentation.FOUND, "of nothing: it was cleared"
    say("the ball")
    off = SetParameters.Request(parameters=[Parameter("dialogue", value=False).to_parameter_msg()])
    assert peer.call("set_parameters", SetParameters, off).results[0].successful
    assert say("the other one").status != Segmentation.FOUND, "each command stands alone now"


def test_the_roles_of_a_command_are_told_apart(peer):
    peer.start()
    text = "take the red ball out of the box with your left hand and put it 5 cm left of the plate"
    roles = peer.segment(text=text, image=image(picture())).roles
    assert (roles.verb, roles.theme, roles.source, roles.goal) == ("take", "the red ball", "the box", "left of the plate")
    assert (roles.instrument, roles.path, roles.direction) == ("your left hand", "", "")
    assert roles.distance == pytest.approx(0.05)


def test_a_destination_is_found_beside_its_anchor_and_with_depth_in_space(peer):
    heard = {}
    for kind, topic in ((Destination, ""), (Image, "/mask"), (PointStamped, "/point"), (PoseStamped, "/pose")):
        heard[topic] = []
        peer.node.create_subscription(kind, f"/referseg/destination{topic}", heard[topic].append, 10)
    markers = []
    peer.node.create_subscription(MarkerArray, "/referseg/markers", markers.append, 10)
    camera = DepthCamera(peer)
    answer = camera.ask(lambda message: depth_of(message, metres=0.8), text="put the red ball right of the brown ball")
    assert answer.status == Segmentation.FOUND and answer.has_destination, answer.reason
    found = answer.destination
    assert found.status == Segmentation.FOUND, found.reason
    assert (found.relation, found.phrase) == ("right of", "right of the brown ball")
    anchor, = found.anchors
    assert anchor.found and anchor.phrase == "the brown ball" and found.x > anchor.box.x_offset + anchor.box.width / 2
    assert found.has_pose, found.pose_reason
    position, turn = found.pose.pose.position, found.pose.pose.orientation
    assert position.z == pytest.approx(2.0, abs=0.02), "the wall behind"
    # a wall that faces the camera: its normal points back
    assert abs(turn.x) == pytest.approx(1.0, abs=0.02), "half a turn about the image's x axis"
    peer.until(lambda: all(heard.values()) and markers, "the topics of the destination")
    mask = np.frombuffer(bytes(heard["/mask"][-1].data), np.uint8).reshape(picture().shape[:2])
    box = found.box
    cropped = np.zeros_like(mask)
    cropped[box.y_offset:box.y_offset + box.height, box.x_offset:box.x_offset + box.width] = \
        np.frombuffer(bytes(found.mask.data), np.uint8).reshape(box.height, box.width)
    assert iou(mask > 0, cropped > 0) == 1.0 and mask[int(found.y), int(found.x)] == 255
    assert heard[""][-1].pose == found.pose == heard["/pose"][-1]
    assert heard["/point"][-1].point == position
    assert "referseg/destination" in {marker.ns for marker in markers[-1].markers}
    missing = peer.segment(text="put the red ball left of the guitar")
    assert missing.status == Segmentation.FOUND and missing.has_destination
    assert missing.destination.status == Segmentation.NOT_FOUND and "guitar" in missing.destination.reason
    assert not peer.segment(text="the red ball").has_destination
