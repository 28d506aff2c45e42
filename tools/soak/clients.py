"""Those who ask: clients of the service, each with a picture of its own, a goal now and then, and commands on the topic.

Whether an answer is another's is told by the picture: each request has one of its own size, in which the thing stands at its own place.
"""

import collections
import json
import pathlib
import random
import threading
import time

import numpy as np
import rclpy
from builtin_interfaces.msg import Duration
from PIL import Image as Picture
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from referseg.action import Ground
from referseg.msg import Segmentation
from referseg.srv import Segment
from sensor_msgs.msg import Image
from std_msgs.msg import String

SCENE = pathlib.Path(__file__).resolve().parents[2] / "tests/data/scene"
ASKED = json.loads((SCENE / "asked.json").read_text())
PICTURE = np.asarray(Picture.open(SCENE / "000000.png").convert("RGB"))
TRUTH = np.asarray(Picture.open(SCENE / "000000_ids.png")) == ASKED["target"]
COMMANDS = [ASKED["text"], "pick up the red mug", "hand me the orange box", "go to the brown ring", "the purple elephant"]
# a client gives up after so long; the node answers within its own time limit
PATIENCE = 90.0
NODE_LIMIT = 30.0


class Asked:
    """A request's picture and what the answer must show."""

    def __init__(self, number):
        columns = np.flatnonzero(TRUTH.any(axis=0))
        left, right = columns[0], columns[-1]
        shift = -left + (number * 7) % max(1, PICTURE.shape[1] - (right - left) - 1)
        rows = number % 23 + 1
        self.rgb = np.pad(np.roll(PICTURE, shift, axis=1), ((0, rows), (0, 0), (0, 0)), mode="edge")
        self.truth = np.pad(np.roll(TRUTH, shift, axis=1), ((0, rows), (0, 0)))
        self.frame_id, self.request_id = f"picture_{number}", f"request {number}"

    def request(self):
        height, width, _ = self.rgb.shape
        image = Image(height=height, width=width, encoding="rgb8", step=3 * width, data=self.rgb.tobytes())
        image.header.frame_id = self.frame_id
        return Segment.Request(text=ASKED["text"], request_id=self.request_id, image=image, timeout=Duration(sec=int(NODE_LIMIT)))

    def is_foreign(self, answer):
        """Why an answer can't be this request's; empty when it can."""
        if answer.request_id != self.request_id:
            return f"{answer.request_id!r} for {self.request_id!r}"
        if answer.status != Segmentation.FOUND:
            return ""
        if answer.header.frame_id != self.frame_id or (answer.mask.height, answer.mask.width) != self.truth.shape:
            return f"a mask of {answer.header.frame_id!r}, {answer.mask.height}x{answer.mask.width}"
        mask = np.frombuffer(bytes(answer.mask.data), np.uint8).reshape(self.truth.shape) > 0
        both, either = np.logical_and(mask, self.truth).sum(), np.logical_or(mask, self.truth).sum()
        return "" if both / max(1, either) >= 0.5 else f"a mask elsewhere, IoU {both / max(1, either):.2f}"


class Clients:
    """All who ask, on a thread of their own."""

    def __init__(self, context, clients, node_name="referseg"):
        self.executor = SingleThreadedExecutor(context=context)
        self.nodes = [rclpy.create_node(f"client_{n}", context=context, enable_rosout=False, start_parameter_services=False)
                      for n in range(clients)]
        for node in self.nodes:
            self.executor.add_node(node)
        self.services = [node.create_client(Segment, f"/{node_name}/segment", qos_profile=QoSProfile(depth=100)) for node in self.nodes]
        first = self.nodes[0]
        self.said = first.create_publisher(String, "/command", 10)
        self.goals = ActionClient(first, Ground, f"/{node_name}/ground")
        self.lock = threading.Lock()
        self.answers = self.tracks = 0
        self.answered_commands = collections.deque(maxlen=1000)
        first.create_subscription(Segmentation, f"/{node_name}/left/segmentation", self.answered, 50)
        first.create_subscription(Segmentation, f"/{node_name}/left/track", self.followed, 50)
        self.number = 0
        self.counts = dict.fromkeys(["asked", "found", "not_found", "refused", "unanswered", "interrupted", "goals", "goals_ended",
                                     "goals_rejected", "goals_interrupted", "goals_unanswered"], 0)
        self.foreign, self.latencies, self.rounds = [], [], 0
        self.stopped = False
        # raised whenever the node is killed or taken down: what is in flight then may stay without an answer
        self.interruption = 0
        self.thread = threading.Thread(target=self.spin, daemon=True)
        self.thread.start()

    def spin(self):
        while not self.stopped:
            self.executor.spin_once(timeout_sec=0.1)

    def answered(self, answer):
        self.answers += 1
        # broken messages are answered with their error
        if answer.origin == Segmentation.TOPIC and answer.status != Segmentation.ERROR:
            self.answered_commands.append(answer.command)

    def followed(self, _):
        self.tracks += 1

    def say(self):
        """Says a command; gives it."""
        said = random.choice(COMMANDS)
        self.said.publish(String(data=said))
        return said

    def ready(self):
        return all(service.service_is_ready() for service in self.services) and self.goals.server_is_ready()

    def wait(self, done, limit):
        end = time.monotonic() + limit
        while not done() and time.monotonic() < end:
            time.sleep(0.02)
        return done()

    def round(self, clients):
        """So many clients ask at once; all must be answered."""
        chosen, interruption = random.sample(self.services, min(clients, len(self.services))), self.interruption
        asked = []
        for service in chosen:
            self.number += 1
            what = Asked(self.number)
            asked.append((what, service, service.call_async(what.request()), time.monotonic()))
        self.counts["asked"] += len(asked)
        self.wait(lambda: all(future.done() for _, _, future, _ in asked) or self.interruption != interruption, PATIENCE)
        self.wait(lambda: all(future.done() for _, _, future, _ in asked), 3.0)
        for what, service, future, began in asked:
            if not future.done():
                self.counts["interrupted" if self.interruption != interruption else "unanswered"] += 1
                service.remove_pending_request(future)
                continue
            answer = future.result().result
            why = what.is_foreign(answer)
            if why:
                self.foreign.append(why)
            kind = {Segmentation.FOUND: "found", Segmentation.ERROR: "refused"}.get(answer.status, "not_found")
            self.counts[kind] += 1
            if kind == "found":
                self.latencies.append(time.monotonic() - began)
        self.rounds += 1

    def goal(self):
        """A goal on the left camera, now and then cancelled; it must end."""
        interruption, self.counts["goals"] = self.interruption, self.counts["goals"] + 1
        goal = Ground.Goal(text=random.choice(COMMANDS), camera="left", frame_count=3, by_track=random.random() < 0.5, timeout=Duration(sec=10))
        sent = self.goals.send_goal_async(goal)
        if not self.wait(sent.done, 20.0):
            self.counts["goals_interrupted" if self.interruption != interruption else "goals_unanswered"] += 1
            return
        if not sent.result().accepted:
            self.counts["goals_rejected"] += 1
            return
        if random.random() < 0.3:
            sent.result().cancel_goal_async()
        ended = sent.result().get_result_async()
        is_over = self.wait(lambda: ended.done() or self.interruption != interruption, 40.0) and self.wait(ended.done, 5.0)
        kind = "goals_ended" if is_over else "goals_interrupted" if self.interruption != interruption else "goals_unanswered"
        self.counts[kind] += 1

    def close(self):
        self.stopped = True
        self.thread.join()
