"""Service and action: one caller's questions, beside each other and beside the topic."""

import time

import numpy as np
import pytest
from action_msgs.msg import GoalInfo, GoalStatus, GoalStatusArray
from action_msgs.srv import CancelGoal
from conftest import ASKED, duration, image, iou, mask_of, picture, truth
from referseg.action import Ground
from referseg.msg import Segmentation
from referseg.srv import Segment
from rclpy.action import ActionClient
from rclpy.qos import DurabilityPolicy, QoSProfile
from unique_identifier_msgs.msg import UUID


@pytest.fixture
def asked(peer):
    peer.start()
    return peer


def test_the_service_answers_on_a_picture_of_the_request(asked):
    message = image(picture(), stamp=(5, 6))
    answer = asked.segment(text=ASKED["text"], image=message, request_id="mine")
    assert answer.status == Segmentation.FOUND, answer.reason
    assert (answer.origin, answer.request_id, answer.target) == (Segmentation.SERVICE, "mine", ASKED["phrase"])
    assert answer.header == answer.mask.header == message.header
    assert iou(mask_of(answer.mask) > 0, truth() == ASKED["target"]) >= 0.5
    strict = asked.segment(text=ASKED["text"], image=message, min_score=0.99)
    assert strict.status == Segmentation.NOT_FOUND and "below answer.min_score 0.99" in strict.reason
    named = asked.segment(text="pick it up, please", target=ASKED["phrase"], image=message)
    assert named.target == ASKED["phrase"]


def test_the_service_answers_on_the_newest_frame_or_the_next(asked):
    message = image(picture(), stamp=(7, 0))
    future = asked.call_async("segment", Segment, Segment.Request(text=ASKED["text"], timeout=duration(60.0)))
    while not future.done():  # until a frame has come the call waits for it
        asked.images.publish(message)
        asked.spin(0.3)
    assert future.result().result.header.stamp.sec == 7
    assert asked.segment(text="the thing").header.stamp.sec == 7, "the newest is still there"
    late = asked.call("segment", Segment, Segment.Request(text="the thing", next_frame=True, timeout=duration(0.5))).result
    assert late.status == Segmentation.ERROR and "not answered within 0.5 s; is there a camera on /image" in late.reason
    future = asked.call_async("segment", Segment, Segment.Request(text="the thing", next_frame=True))
    asked.spin(0.5)
    asked.images.publish(image(picture(), stamp=(8, 0)))
    asked.until(future.done, "the reply")
    assert future.result().result.header.stamp.sec == 8


def test_what_can_not_be_asked_is_answered_with_the_reason(asked):
    for request, reason in (
        (dict(text=""), "no words; expected a referring expression"),
        (dict(text="a" * 5000), "expected at most 1000"),
        (dict(text="the mug", camera="left"), 'no camera "left"'),
        (dict(text="the mug", timeout=-1.0), "expected 0 or more"),
        (dict(text="the mug", image=image(picture(), encoding="rgb8", padding=0)), ""),
    ):
        if not reason:
            request["image"].encoding, reason = "yuv444", 'unsupported encoding "yuv444"'
        else:
            request.setdefault("image", image(picture()))
        answer = asked.segment(**request)
        assert answer.status == Segmentation.ERROR and reason in answer.reason, answer.reason
    assert asked.segment(text=ASKED["text"], image=image(picture())).status == Segmentation.FOUND


def test_many_calls_at_once_are_answered_or_refused_each_with_its_own(asked):
    message = image(picture())
    futures = [asked.call_async("segment", Segment, Segment.Request(text=ASKED["text"], image=message, request_id=str(n),
                                                                    timeout=duration(60.0))) for n in range(30)]
    asked.until(lambda: all(f.done() for f in futures), "all replies", limit=90)
    results = [f.result().result for f in futures]
    assert [r.request_id for r in results] == [str(n) for n in range(30)]
    answered = [r for r in results if r.status == Segmentation.FOUND]
    refused = [r for r in results if "16 requests wait already" in r.reason]
    assert len(answered) + len(refused) == 30 and len(answered) >= 16
    assert len({r.command_number for r in answered}) == len(answered)


class Goal:
    """A goal under way, with the feedback so far."""

    def __init__(self, peer, timeout=60.0, **goal):
        self.peer, self.feedback = peer, []
        goal["timeout"] = duration(timeout)
        self.client = ActionClient(peer.node, Ground, "/referseg/ground")
        peer.until(self.client.server_is_ready, "the action server")
        sent = self.client.send_goal_async(Ground.Goal(**goal), feedback_callback=lambda f: self.feedback.append(f.feedback))
        peer.until(sent.done, "the goal's reply")
        self.handle = sent.result()
        if self.handle.accepted:
            self.future = self.handle.get_result_async()

    def finish(self, limit=60):
        self.peer.until(self.future.done, "the goal's end", limit=limit)
        return self.future.result().status, self.future.result().result


def test_a_goal_succeeds_when_enough_frames_agree(asked):
    goal = Goal(asked, text=ASKED["text"], frame_count=3, timeout=60.0)
    asked.film(goal.future.done)
    status, result = goal.finish()
    assert status == GoalStatus.STATUS_SUCCEEDED
    answer = result.result
    assert (answer.status, answer.origin) == (Segmentation.FOUND, Segmentation.ACTION)
    assert answer.request_id == bytes(goal.handle.goal_id.uuid).hex()
    assert result.agreed and result.reason == "" and (result.frames_seen, result.frames_agreeing) == (3, 3)
    stages = [f.stage for f in goal.feedback]
    assert {Ground.Feedback.DECODING, Ground.Feedback.PROPOSALS, Ground.Feedback.FEATURES, Ground.Feedback.SCORING,
            Ground.Feedback.ANSWERED} <= set(stages)
    # the last frame's may come behind the result, when rclpy takes no more
    assert max(f.frames_seen for f in goal.feedback) >= 2
    assert all(f.best_status == Segmentation.UNKNOWN for f in goal.feedback if not f.frames_seen)
    last = goal.feedback[-1]
    assert last.best_status == Segmentation.FOUND and last.best_score > 0 and last.best_box.width > 0


def test_goals_that_wait_are_cancelled_together(asked):
    goals = [Goal(asked, text=ASKED["text"]) for _ in range(3)]
    every = asked.call("ground/_action/cancel_goal", CancelGoal, CancelGoal.Request())
    assert every.return_code == CancelGoal.Response.ERROR_NONE and len(every.goals_canceling) == 3
    for goal in goals:
        status, result = goal.finish()
        assert status == GoalStatus.STATUS_CANCELED and "cancelled" in result.reason


def test_a_result_is_kept_for_a_while_and_then_let_go(asked):
    fetching = Ground.Impl.GetResultService
    goal = Goal(asked, text=ASKED["text"], timeout=60.0)
    statuses = []
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    asked.node.create_subscription(GoalStatusArray, "/referseg/ground/_action/status", statuses.append, latched)
    asked.film(goal.future.done)
    mine = goal.handle.goal_id

    def fetched(goal_id):
        return asked.call("ground/_action/get_result", fetching, fetching.Request(goal_id=goal_id))

    def refused(goal_id):
        request = CancelGoal.Request(goal_info=GoalInfo(goal_id=goal_id))
        return asked.call("ground/_action/cancel_goal", CancelGoal, request).return_code

    again = fetched(mine)
    assert again.status == GoalStatus.STATUS_SUCCEEDED and again.result == goal.finish()[1]
    asked.until(lambda: statuses and [s.status for s in statuses[-1].status_list] == [GoalStatus.STATUS_SUCCEEDED], "the status")
    assert refused(mine) == CancelGoal.Response.ERROR_GOAL_TERMINATED
    foreign = UUID(uuid=[7] * 16)
    assert refused(foreign) == CancelGoal.Response.ERROR_UNKNOWN_GOAL_ID
    assert fetched(foreign).status == GoalStatus.STATUS_UNKNOWN
    asked.until(lambda: fetched(mine).status == GoalStatus.STATUS_UNKNOWN, "the result to go")
    asked.until(lambda: not statuses[-1].status_list, "the latched status without the goal that went")


def test_a_goal_that_is_not_reached_is_aborted_with_the_best_so_far(asked):
    goal = Goal(asked, text=ASKED["text"], min_score=0.99, timeout=6.0)
    asked.film(goal.future.done)
    status, result = goal.finish()
    assert status == GoalStatus.STATUS_ABORTED
    assert result.result.status == Segmentation.NOT_FOUND and result.frames_seen >= 1
    assert "not reached within 6 s" in result.reason and "below" in result.result.reason and not result.agreed
    goal = Goal(asked, text=ASKED["text"], frame_count=1000, timeout=6.0)
    asked.film(goal.future.done)
    status, result = goal.finish()
    assert status == GoalStatus.STATUS_ABORTED and not result.agreed
    assert result.result.status == Segmentation.FOUND, "the best frame keeps its own status"
    assert 0 < result.frames_agreeing < 1000 and "of 1000 frames in a row agree" in result.reason


def test_a_goal_without_a_camera_says_so(peer):
    peer.start()
    goal = Goal(peer, text="the mug", timeout=1.0)
    status, result = goal.finish()
    assert status == GoalStatus.STATUS_ABORTED and result.frames_seen == 0
    assert result.result.status == Segmentation.ERROR and "is there a camera on /image?" in result.result.reason


def test_goals_are_cancelled_while_they_wait_and_while_they_work(asked):
    for showing in (False, True):
        goal = Goal(asked, text=ASKED["text"], frame_count=1000)
        if showing:
            asked.film(lambda: any(f.stage >= Ground.Feedback.PROPOSALS for f in goal.feedback))
        cancelled = goal.handle.cancel_goal_async()
        asked.until(cancelled.done, "the cancel's reply")
        assert len(cancelled.result().goals_canceling) == 1
        status, result = goal.finish(limit=20)
        assert status == GoalStatus.STATUS_CANCELED, status
        assert not result.agreed and "cancelled" in result.reason
    # and the worker is free again
    assert asked.segment(text=ASKED["text"], image=image(picture())).status == Segmentation.FOUND


def test_goals_that_can_not_be_pursued_are_rejected(asked):
    for goal in (dict(text=""), dict(text="the mug", camera="left"), dict(text="the mug", timeout=-1.0)):
        assert not Goal(asked, **goal).handle.accepted, goal
    # who reads a result that nobody filled in reads no finding
    assert Ground.Result().result.status == Segmentation.UNKNOWN == 0


def test_goal_topic_command_and_service_call_do_not_mix_up(asked):
    goals = [Goal(asked, text=text, frame_count=2, timeout=60.0, min_score=-1.0) for text in (ASKED["text"], "the black can")]
    asked.say("the banana")
    call = asked.call_async("segment", Segment, Segment.Request(text="the thing", request_id="call", timeout=duration(60.0)))
    origins = {Segmentation.TOPIC, Segmentation.SERVICE, Segmentation.ACTION}
    asked.film(lambda: call.done() and origins <= {a.origin for a in asked.heard} and all(f.frames_seen for g in goals for f in g.feedback[-1:]))
    for goal in goals:
        goal.handle.cancel_goal_async()
    results = [goal.finish()[1].result for goal in goals]
    assert [r.command for r in results] == [ASKED["text"], "the black can"]
    assert [r.request_id for r in results] == [bytes(g.handle.goal_id.uuid).hex() for g in goals]
    assert call.result().result.command == "the thing" and call.result().result.request_id == "call"
    # everything on the topic says which request it answers
    whose = {(a.origin, a.request_id): a.command for a in asked.heard}
    assert whose[Segmentation.TOPIC, ""] == "the banana"
    assert whose[Segmentation.SERVICE, "call"] == "the thing"
    for goal, command in zip(goals, (ASKED["text"], "the black can")):
        assert whose[Segmentation.ACTION, bytes(goal.handle.goal_id.uuid).hex()] == command
    masks = []
    asked.node.create_subscription(type(image(picture())), "/referseg/mask", masks.append, 10)
    asked.until(lambda: asked.node.count_subscribers("/referseg/mask") == 1, "the mask's subscription")
    asked.segment(text=ASKED["text"], image=image(picture(), stamp=(99, 0)))
    asked.film(lambda: any(m.header.stamp.sec > 5000 for m in masks), image(picture(), stamp=(5000, 0)))
    assert all(m.header.stamp.sec != 99 for m in masks), "a mask can't say which request it answers: only the topic's command"
