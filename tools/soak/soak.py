"""The soak: the built node under load and faults, for as long as it is told, and what came of it.

    python soak.py --minutes 60 --out soak.json      # scripts/soak.sh makes the environment
    python soak.py --day --out day.json              # 24 hours of frames and commands, as fast as they go

Exit status 1 when something that must not be has happened; the report names it.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import rclpy
from clients import Clients
from simulated_day import run_day
from domain_coordinator import domain_id
from faults import ROOT, Clocks, Malformed, full_disk, parameter, random_parameters
from lifecycle_msgs.srv import ChangeState
from measure import Life
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from referseg.msg import Segmentation
from referseg.srv import Segment
from std_msgs.msg import String

NODE = ROOT / "target/release/referseg_node"
CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE = 1, 2, 3, 4
# growth that is no growth: the allocator's and DDS's own unrest
SLOPE_LIMIT, FILES_LIMIT, THREADS_LIMIT = 8.0, 8, 4
# the clock's subscription stays once simulated time was on
ENDPOINTS_LIMIT = 1
RECOVERY_LIMIT = 30.0
# the node's parameter max_frame_age, its default
MAX_FRAME_AGE = 2.0
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Soak:
    """The node, its cameras, and what is done to them."""

    def __init__(self, minutes, clients, log):
        self.seconds, self.log = minutes * 60.0, log
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node("soak", context=self.context, enable_rosout=False, start_parameter_services=False)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.clients = Clients(self.context, clients)
        self.parameters = self.node.create_client(SetParameters, "/referseg/set_parameters")
        self.segment = self.node.create_client(Segment, "/referseg/segment")
        self.change_state = self.node.create_client(ChangeState, "/referseg/change_state")
        self.malformed, self.clocks = Malformed(self.node), None
        self.cameras, self.lives, self.problems = {}, [], []
        self.recoveries = {"camera": [], "node": [], "lifecycle": []}
        self.counts = dict.fromkeys(["parameters_set", "parameters_refused", "lifecycle_cycles", "node_kills", "camera_kills",
                                     "full_disks", "commands", "clock_jumps", "dead_cameras", "latched_publishers"], 0)
        self.latched = []
        self.paused = threading.Event()

    # processes

    def start_node(self):
        arguments = ["-p", f"model:={ROOT / 'models/demo'}", "-p", "cameras:=[left, right]", "-p", "depth:=true"]
        self.process = subprocess.Popen([str(NODE), "--ros-args", *arguments], stdout=self.log, stderr=self.log)
        self.lives.append(Life(self.process.pid))

    def start_camera(self, name):
        command = [sys.executable, str(ROOT / "tools/soak/camera.py"), f"/{name}/image", f"{name}_optical"]
        self.cameras[name] = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def spin(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.02)
            if self.process.poll() is not None:
                self.problems.append(f"the node ended by itself with {self.process.returncode}")
                self.restart_node()

    def until(self, done, limit):
        end = time.monotonic() + limit
        while not done() and time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.02)
        return bool(done())

    def call(self, client, request, what, limit=60.0):
        if not self.until(client.service_is_ready, limit):
            self.problems.append(f"{what}: the service does not appear")
            return None
        future = client.call_async(request)
        if not self.until(future.done, limit):
            self.problems.append(f"{what}: not answered within {limit} s")
            return None
        return future.result()

    # faults

    def time_to_answer(self, kind, began):
        had = self.clients.answers
        command = [0.0]

        def answered():
            if time.monotonic() - command[0] > 1.0:
                self.clients.say()
                command[0] = time.monotonic()
            return self.clients.answers > had

        if self.until(answered, RECOVERY_LIMIT):
            self.recoveries[kind].append(time.monotonic() - began)
        else:
            self.problems.append(f"no answer within {RECOVERY_LIMIT} s after: {kind}")

    def restart_node(self):
        self.paused.set()
        self.clients.interruption += 1
        began = time.monotonic()
        self.start_node()
        self.time_to_answer("node", began)
        self.until(self.clients.ready, 30.0)
        self.spin(3.0)  # DDS may lose replies of a server that it has just discovered
        self.paused.clear()

    def kill_node(self):
        self.counts["node_kills"] += 1
        self.paused.set()
        self.clients.interruption += 1
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.restart_node()

    def kill_camera(self):
        self.counts["camera_kills"] += 1
        name = random.choice(list(self.cameras))
        self.cameras[name].kill()
        self.cameras[name].wait()
        self.spin(1.0)
        began = time.monotonic()
        self.start_camera(name)
        if name == "left":
            self.time_to_answer("camera", began)

    def bury_camera(self):
        """A camera that has died shows what was there: it must not be answered as what is there."""
        self.counts["dead_cameras"] += 1
        self.cameras["left"].kill()
        self.cameras["left"].wait()
        self.spin(MAX_FRAME_AGE + 1.5)
        reply = self.call(self.segment, Segment.Request(text="the red ball", camera="left"), "a request on a dead camera")
        if reply is not None and reply.result.status != Segmentation.ERROR:
            self.problems.append(f"a request on a camera that had died was answered with status {reply.result.status}")
        began = time.monotonic()
        self.start_camera("left")
        self.time_to_answer("camera", began)

    def latch(self):
        """Of two latched publishers the older one is replaced; what is said after that must hold. In mode `once` every command is
        answered, however late."""
        self.counts["latched_publishers"] += 1
        self.call(self.parameters, SetParameters.Request(parameters=[parameter("mode", "continuous")]), "mode continuous")
        if len(self.latched) == 2:
            self.node.destroy_publisher(self.latched.pop(0))
        self.latched.append(self.node.create_publisher(String, "/command", LATCHED))
        self.latched[-1].publish(String(data="the thing that a latched publisher named"))
        self.spin(1.0)
        said = self.clients.say()
        self.spin(3.0)
        self.clients.answered_commands.clear()
        self.spin(2.0)
        others = set(self.clients.answered_commands) - {said}
        if others:
            self.problems.append(f"{others} were answered after {said!r} was said")

    def transition(self, number):
        request = ChangeState.Request()
        request.transition.id = number
        reply = self.call(self.change_state, request, f"transition {number}", 180.0)
        if reply is not None and not reply.success:
            self.problems.append(f"transition {number} failed")

    def cycle(self, whole):
        self.counts["lifecycle_cycles"] += 1
        if whole:
            self.paused.set()
            self.clients.interruption += 1
        self.transition(DEACTIVATE)
        if whole:
            self.transition(CLEANUP)
            self.transition(CONFIGURE)
        began = time.monotonic()
        self.transition(ACTIVATE)
        self.time_to_answer("lifecycle", began)
        self.paused.clear()

    def set_parameters(self):
        request, must = random_parameters()
        reply = self.call(self.parameters, request, f"parameter {request.parameters[0].name}")
        if reply is None:
            return
        taken = reply.results[0].successful
        self.counts["parameters_set" if taken else "parameters_refused"] += 1
        if taken != must:
            self.problems.append(f"parameter {request.parameters[0]} was {'taken' if taken else 'refused'}: {reply.results[0].reason}")

    def jump_clock(self):
        def switch(on):
            request = SetParameters.Request(parameters=[parameter("use_sim_time", on)])
            reply = self.call(self.parameters, request, "use_sim_time")
            if reply is not None and not reply.results[0].successful:
                self.problems.append(f"use_sim_time: {reply.results[0].reason}")

        self.clocks = self.clocks or Clocks(self.node)
        switch(True)
        end = time.monotonic() + 8.0
        while time.monotonic() < end:
            self.clocks.tick()
            self.spin(0.05)
        switch(False)
        self.counts["clock_jumps"] = self.clocks.jumps

    def fill_disk(self):
        self.counts["full_disks"] += 1
        problem = full_disk(self.log)
        if problem:
            self.problems.append(problem)
        return problem

    # the loop

    def endpoints(self):
        pairs = (self.node.get_publisher_names_and_types_by_node, self.node.get_subscriber_names_and_types_by_node,
                 self.node.get_service_names_and_types_by_node)
        try:
            return sum(len(pair("referseg", "/")) for pair in pairs)
        except Exception:  # the node is not in the graph at the moment
            return None

    def ask(self):
        number = 0
        while not self.over:
            if self.paused.is_set():
                time.sleep(0.1)
                continue
            number += 1
            self.clients.round(len(self.clients.services) if number % 5 == 0 else random.randint(1, 8))
            time.sleep(random.uniform(0.0, 1.0))

    def send_goals(self):
        while not self.over:
            if self.paused.is_set():
                time.sleep(0.1)
                continue
            self.clients.goal()
            time.sleep(random.uniform(0.5, 3.0))

    def run(self):
        self.over = False
        self.start_node()
        for name in ("left", "right"):
            self.start_camera(name)
        began = time.monotonic()
        self.until(self.clients.ready, 60.0)
        self.time_to_answer("node", began)
        self.spin(3.0)
        threads = [threading.Thread(target=target, daemon=True) for target in (self.ask, self.send_goals)]
        for thread in threads:
            thread.start()
        short = self.seconds < 600
        # seconds between, and what is done; the node is killed early, so that its last life is long enough to show growth
        pace = 0.25 if short else 1.0
        due = {"malformed": (0.5, self.malformed.send), "parameters": (3.0, self.set_parameters), "say": (1.5, self.say),
               "sample": (2.0, self.sample), "camera": (40.0 * pace, self.kill_camera), "cycle": (70.0 * pace, lambda: self.cycle(False)),
               "whole cycle": (150.0 * pace, lambda: self.cycle(True)), "clock": (110.0 * pace, self.jump_clock),
               "disk": (600.0 * pace, self.fill_disk), "dead camera": (90.0 * pace, self.bury_camera), "latched": (60.0 * pace, self.latch)}
        kills = [self.seconds * part for part in ((0.2, 0.3) if short else (0.05, 0.1, 0.15))]
        began = time.monotonic()
        next_at = {name: every for name, (every, _) in due.items()}
        self.fill_disk()
        while (now := time.monotonic() - began) < self.seconds:
            if kills and now > kills[0]:
                kills.pop(0)
                self.kill_node()
            for name, (every, action) in due.items():
                if now >= next_at[name]:
                    action()
                    next_at[name] = time.monotonic() - began + every
            self.spin(0.05)
        self.over = True
        for thread in threads:
            thread.join(150.0)
            if thread.is_alive():
                self.problems.append("a client still waits at the end")
        self.end()

    def say(self):
        self.counts["commands"] += 1
        self.clients.say()

    def sample(self):
        self.lives[-1].sample(self.endpoints())

    def end(self):
        for camera in self.cameras.values():
            camera.kill()
            camera.wait()
        self.process.send_signal(signal.SIGINT)
        try:
            if self.process.wait(30.0) != 0:
                self.problems.append(f"the node ended with {self.process.returncode}")
        except subprocess.TimeoutExpired:
            self.problems.append("the node did not end within 30 s of SIGINT")
            self.process.kill()
        self.clients.close()
        self.context.try_shutdown()

    def report(self):
        clients, life = self.clients, max(self.lives, key=lambda life: len(life.samples))
        if clients.foreign:
            self.problems.append(f"{len(clients.foreign)} answers with another's mask: {clients.foreign[:3]}")
        for kind in ("unanswered", "goals_unanswered"):
            if clients.counts[kind]:
                self.problems.append(f"{clients.counts[kind]} {kind}")
        measured = life.summary()
        # a slope of a few minutes says nothing
        if measured and measured["minutes"] >= 20 and measured["resident_slope_mb_per_hour"] > SLOPE_LIMIT:
            self.problems.append(f"memory grows by {measured['resident_slope_mb_per_hour']} MB an hour")
        for name, limit in (("file_descriptors", FILES_LIMIT), ("threads", THREADS_LIMIT), ("dds_endpoints", ENDPOINTS_LIMIT)):
            first, second = measured.get(f"{name}_first_and_second_half", (0, 0))
            if second > first + limit:
                self.problems.append(f"{name} grow: {first} in the first half, {second} in the second")
        latencies = sorted(clients.latencies)
        return {
            "minutes": round(self.seconds / 60.0, 1), "clients": len(clients.services), **self.counts, **clients.counts,
            "rounds": clients.rounds, "topic_answers_left": clients.answers, "tracked_frames_left": clients.tracks,
            "malformed_messages": self.malformed.count,
            "request_latency_s_median_and_99": [round(latencies[int(len(latencies) * part)], 2) for part in (0.5, 0.99)] if latencies else [],
            "recovery_s_median_and_most": {kind: [round(sorted(times)[len(times) // 2], 2), round(max(times), 2), len(times)]
                                           for kind, times in self.recoveries.items() if times},
            "longest_life": measured, "foreign_masks": len(clients.foreign), "problems": self.problems,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--day", action="store_true", help="a simulated day instead")
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--out", help="write the report here as JSON")
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    with domain_id() as domain, tempfile.NamedTemporaryFile("w+", prefix="soak_", suffix=".log", delete=False) as log:
        os.environ.update(ROS_DOMAIN_ID=str(domain), ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST")
        print(f"soak: domain {domain}, log {log.name}", flush=True)
        if arguments.day:
            report = run_day(NODE, log)
        else:
            soak = Soak(arguments.minutes, arguments.clients, log)
            soak.run()
            report = soak.report()
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.out:
        with open(arguments.out, "w") as out:
            out.write(text + "\n")
    sys.exit(1 if report["problems"] else 0)


if __name__ == "__main__":
    main()
