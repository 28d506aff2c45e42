"""What was found is followed into the frames after it: on ~/track, live."""

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from conftest import ASKED, image, iou, mask_of, picture, truth
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from referseg.msg import Object, Segmentation
from sensor_msgs.msg import CameraInfo, Image
from test_asking import Goal

STEP = 4  # pixels that the picture moves from frame to frame


def moved(steps):
    return np.roll(picture(), STEP * steps, axis=1)


def true_mask(steps):
    return np.roll(truth() == ASKED["target"], STEP * steps, axis=1)


def stamp(steps):
    return (100 + steps // 10, steps % 10 * 100_000_000)


class Film:
    """A camera whose picture moves, and what is heard on ~/track."""

    def __init__(self, peer, **parameters):
        self.peer, self.tracks, self.steps = peer, [], 0
        peer.start(mode="once", **parameters)
        peer.node.create_subscription(Segmentation, "/referseg/track", self.tracks.append, 50)
        peer.until(lambda: peer.node.count_subscribers("/referseg/track")
                   and peer.node.count_publishers("/referseg/track"), "the track's endpoints")

    def show(self, rgb=None):
        """The next frame, until the track tells of it."""
        self.steps += 1
        message = image(moved(self.steps) if rgb is None else rgb, stamp=stamp(self.steps))
        self.peer.images.publish(message)
        self.peer.until(lambda: self.tracks and self.tracks[-1].header.stamp == message.header.stamp, f"frame {self.steps}'s track")
        return self.tracks[-1]


def find(film):
    film.peer.say(ASKED["text"])
    shown = image(moved(0), stamp=stamp(0))

    def answered():
        film.peer.images.publish(shown)
        film.peer.spin(0.3)
        return film.peer.heard

    return film.peer.until(answered, "an answer")[0]


def test_a_thing_that_was_found_is_followed_into_every_frame_and_lost_with_a_reason(peer):
    film = Film(peer)
    answer = find(film)
    assert answer.status == Segmentation.FOUND and answer.track_id > 0
    assert answer.things[0].track_id == answer.track_id
    for _ in range(12):
        track = film.show()
        assert (track.status, track.origin, track.track_id) == (Segmentation.FOUND, Segmentation.TRACK, answer.track_id)
        assert track.header.frame_id == "camera_optical" and track.command == ASKED["text"] and track.target == ASKED["phrase"]
        assert iou(mask_of(track.mask) > 0, true_mask(film.steps)) > 0.7, film.steps
        assert track.track_quality > 0.5
    assert track.grounding_age == pytest.approx(1.2) and track.score == answer.score
    assert len(peer.heard) == 1, "once: there is no second answer"
    lost = film.show(rgb=np.full_like(picture(), 127))
    assert (lost.status, lost.track_id) == (Segmentation.LOST, answer.track_id)
    assert "hidden" in lost.reason and not np.any(lost.mask.data) and lost.box.width == 0 and lost.track_quality == 0.0
    assert film.show().status == Segmentation.FOUND, "it is there again"


def test_a_new_answer_keeps_the_number_of_the_same_thing_and_its_age_starts_anew(peer):
    film = Film(peer)
    first = find(film)
    for _ in range(3):
        film.show()
    peer.heard.clear()
    peer.say(ASKED["text"])
    peer.until(lambda: film.show() and peer.heard, "the second answer")
    (second,) = peer.heard
    assert second.track_id == first.track_id
    last = film.show()
    grounded = second.header.stamp.sec + second.header.stamp.nanosec / 1e9
    assert last.grounding_age == pytest.approx(last.header.stamp.sec + last.header.stamp.nanosec / 1e9 - grounded)


def test_a_cleared_command_and_tracking_switched_off_end_the_track(peer):
    film = Film(peer)
    find(film)
    film.show()
    peer.say("")
    heard = len(film.tracks)
    peer.spin(0.5)
    for _ in range(3):
        film.steps += 1
        peer.images.publish(image(moved(film.steps), stamp=stamp(film.steps)))
        peer.spin(0.2)
    assert len(film.tracks) == heard
    off = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=False)
    done = peer.call("set_parameters", SetParameters, SetParameters.Request(parameters=[Parameter(name="tracking", value=off)]))
    assert done.results[0].successful, done.results[0].reason
    peer.heard.clear()
    peer.say(ASKED["text"])

    def answered():
        film.steps += 1
        peer.images.publish(image(moved(film.steps), stamp=stamp(film.steps)))
        peer.spin(0.3)
        return peer.heard

    peer.until(answered, "an answer without tracking")
    assert peer.heard[0].track_id == 0 and len(film.tracks) == heard


def test_a_goal_of_many_frames_ends_by_the_track(peer):
    peer.start()
    # the node looks for it once; the frames after it are followed
    goal = Goal(peer, text=ASKED["text"], frame_count=6, by_track=True, timeout=60.0)
    steps = 0

    def shown():
        nonlocal steps
        steps += 1
        peer.images.publish(image(moved(min(steps, 40)), stamp=stamp(steps)))
        peer.spin(0.1)
        return goal.future.done()

    peer.until(shown, "the goal's end", limit=60)
    status, result = goal.finish()
    assert status == GoalStatus.STATUS_SUCCEEDED and result.frames_seen >= 6
    answer = result.result
    assert (answer.status, answer.origin) == (Segmentation.FOUND, Segmentation.ACTION)
    assert answer.request_id == bytes(goal.handle.goal_id.uuid).hex()
    assert answer.track_quality > 0.5 and answer.grounding_age > 0.0, "the last of them was followed"


def test_a_followed_thing_has_its_place_in_space(peer):
    film = Film(peer, depth="true")
    objects = []
    peer.node.create_subscription(Object, "/referseg/track/object", objects.append, 10)
    depth = peer.node.create_publisher(Image, "/depth", 10)
    info = peer.node.create_publisher(CameraInfo, "/camera_info", 10)
    peer.until(lambda: depth.get_subscription_count() and info.get_subscription_count()
               and peer.node.count_publishers("/referseg/track/object"), "the depth's endpoints")
    height, width, _ = picture().shape
    model = CameraInfo(height=height, width=width, k=[200.0, 0.0, width / 2, 0.0, 200.0, height / 2, 0.0, 0.0, 1.0],
                       p=[200.0, 0.0, width / 2, 0.0, 0.0, 200.0, height / 2, 0.0, 0.0, 0.0, 1.0, 0.0])

    def range_image(metres, header):
        message = Image(height=height, width=width, encoding="32FC1", step=4 * width, header=header)
        message.data = np.full((height, width), metres, np.float32).tobytes()
        return message

    model.header.frame_id = "camera_optical"
    info.publish(model)
    find(film)
    places = []
    for step in range(1, 6):
        header = image(picture(), stamp=stamp(step)).header
        info.publish(model)
        depth.publish(range_image(2.0, header))
        track = film.show()
        assert track.has_object, track.object_reason
        assert track.object.header == track.header and track.object.track_id == track.track_id
        places.append(track.object.point)
    assert all(place.z == pytest.approx(2.0, abs=0.01) for place in places)
    # 4 pixels at 2 m and a focal length of 200 pixels
    assert places[-1].x - places[0].x == pytest.approx(4 * STEP / 200.0 * 2.0, abs=0.02)
    peer.until(lambda: objects and objects[-1].track_id, "the object's own topic")
