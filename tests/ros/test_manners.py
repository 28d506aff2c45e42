"""ROS as people know it: commands of every kind of publisher, remapped compressed images, words when nothing starts, doctor, time."""

import subprocess
import time

from conftest import ASKED, NODE, ROOT, image, picture
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from referseg.msg import Segmentation
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String
from test_node import refusal

DOCTOR = ROOT / "target" / "release" / "referseg"


def answered(peer, count=1):
    """The topic's answers, after so many came and up to a later frame."""
    def shown():
        peer.images.publish(image(picture()))
        peer.spin(0.3)
        return len(peer.heard) >= count

    peer.until(shown, f"{count} answers")
    return peer.topic_answers_up_to(image(picture(), stamp=(999, len(peer.heard))))


def test_a_best_effort_publisher_of_commands_is_heard(peer):
    peer.start(mode="once")
    said = peer.node.create_publisher(String, "/command", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    # the node looks at the publishers four times a second
    peer.until(said.get_subscription_count, "the best-effort subscription")
    said.publish(String(data="the black can"))
    (answer,) = answered(peer)
    assert answer.command == "the black can"
    peer.say(ASKED["text"])  # a reliable one comes on both subscriptions, and is taken once
    assert [answer.command for answer in answered(peer, 2)] == ["the black can", ASKED["text"]]


def test_a_latched_command_is_received_by_a_node_that_starts_later_and_once(peer):
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    said = peer.node.create_publisher(String, "/command", latched)
    said.publish(String(data=ASKED["text"]))
    peer.start(mode="once")
    assert [answer.command for answer in answered(peer)] == [ASKED["text"]]
    said.publish(String(data="the black can"))
    assert [answer.command for answer in answered(peer, 2)] == [ASKED["text"], "the black can"]


def test_in_a_burst_the_oldest_are_dropped_and_every_command_is_answered(peer):
    peer.start(mode="once")
    peer.node.destroy_subscription(peer.results)
    peer.results = peer.node.create_subscription(Segmentation, "/referseg/segmentation", peer.heard.append, QoSProfile(depth=200))
    said = peer.node.create_publisher(String, "/command", QoSProfile(depth=100))
    peer.until(said.get_subscription_count, "the command's subscription")
    for number in range(60):
        said.publish(String(data=f"the red ball, number {number}"))
    peer.spin(1.0)
    answers = answered(peer, 60)
    numbers = {int(answer.command.split()[-1]): answer.status for answer in answers}
    assert sorted(numbers) == list(range(60)), "each is answered, once"
    dropped = [number for number, status in numbers.items() if status == Segmentation.ERROR]
    assert sorted(dropped) == list(range(44)), "the newest 16 are answered on the frame"
    assert "newer commands wait" in next(answer for answer in answers if answer.status == Segmentation.ERROR).reason


def test_an_image_remapped_to_compressed_is_read_as_such(peer):
    from io import BytesIO

    from PIL import Image as Picture
    peer.start("-r", "image:=/camera/image/compressed", wait=False)
    packed = BytesIO()
    Picture.fromarray(picture()).save(packed, "PNG")
    images = peer.node.create_publisher(CompressedImage, "/camera/image/compressed", 5)
    commands = peer.node.create_publisher(String, "/command", 10)
    peer.node.create_subscription(Segmentation, "/referseg/segmentation", peer.heard.append, 10)
    peer.until(lambda: images.get_subscription_count() and commands.get_subscription_count()
               and peer.node.count_publishers("/referseg/segmentation"), "the node's endpoints")
    commands.publish(String(data=ASKED["text"]))

    def shown():
        message = CompressedImage(format="png", data=packed.getvalue())
        message.header.frame_id = "eye"
        images.publish(message)
        peer.spin(0.3)
        return peer.heard

    assert peer.until(shown, "an answer")[0].status == Segmentation.FOUND


def test_what_keeps_it_from_starting_is_said_with_a_remedy(peer, tmp_path):
    assert "did you mean /robot1?" in refusal(peer, "-r", "__ns:=/robot1/")
    nowhere = tmp_path / "file"
    nowhere.write_text("")
    for name, value, words in (
            ("ROS_LOG_DIR", str(nowhere / "log"), "set ROS_LOG_DIR to a folder that can be written"),
            ("ROS_DOMAIN_ID", "9999", "set it to a number from 0 to 232")):
        before = dict(peer.env)
        peer.env[name] = value
        said = refusal(peer)
        peer.env = before
        assert words in said, (name, said)


def test_a_tilde_in_a_path_is_the_home_folder(peer, tmp_path):
    (tmp_path / "models").symlink_to(ROOT / "models")
    peer.env["HOME"] = str(tmp_path)
    peer.start(model="~/models/demo")
    assert peer.ask(ASKED["text"])[0].status == Segmentation.FOUND


def test_another_node_of_the_same_name_is_warned_about(peer):
    peer.start()
    twin = subprocess.Popen([str(NODE), "--ros-args", "-p", f"model:={ROOT / 'models' / 'demo'}"], env=peer.env,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        peer.until(lambda: "1 other node(s) are also named /referseg" in peer.output(), "the warning")
        assert "__node:=NAME" in peer.output()
    finally:
        twin.terminate()
        twin.wait(20)


def test_doctor_names_cameras_how_they_publish_and_what_helps(peer):
    profile = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    camera = peer.node.create_publisher(Image, "/camera/image", profile)
    environment = {name: value for name, value in peer.env.items() if not name.startswith("FAST")}
    model = ["--model", str(ROOT / "models" / "demo")]
    with subprocess.Popen([str(DOCTOR), "doctor", "--listen", "4", *model], env=environment, stdout=subprocess.PIPE, text=True) as doctor:
        end = time.monotonic() + 60
        while doctor.poll() is None and time.monotonic() < end:
            camera.publish(image(picture()))
            peer.spin(0.05)
        said = doctor.stdout.read()
    assert "/camera/image by /tester (best effort)" in said, said
    assert "weights: " in said and "sha256 " in said and "middleware: rmw_fastrtps_cpp" in said, said
    assert "shared memory" in said and "log folder" in said, said
    alone = dict(environment, CYCLONEDDS_URI="file:///nowhere.xml")
    broken = subprocess.run([str(DOCTOR), "doctor", "--listen", "0", "--model", "/nowhere"], env=alone, capture_output=True, text=True)
    assert broken.returncode == 1 and "!!  CYCLONEDDS_URI" in broken.stdout and "!!  weights" in broken.stdout, broken.stdout


def test_simulated_time_is_switched_live_and_jumps_lose_no_answers(peer):
    peer.start()
    peer.ask(ASKED["text"])
    clock = peer.node.create_publisher(Clock, "/clock", 10)

    def switch(on):
        value = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=on)
        request = SetParameters.Request(parameters=[Parameter(name="use_sim_time", value=value)])
        assert peer.call("set_parameters", SetParameters, request).results[0].successful

    def tick(second):
        message = Clock()
        message.clock.sec = second
        clock.publish(message)
        peer.spin(0.05)

    switch(True)
    peer.until(clock.get_subscription_count, "the clock's subscription")
    health = peer.health()
    # it runs, stands still, jumps forwards, and loops
    for second in (100, 101, 101, 101, 5000, 5001, 100, 101):
        tick(second)
        tick(second)
        (answer,) = peer.ask(None, image(picture(), stamp=(second, 0)))
        assert answer.status == Segmentation.FOUND and answer.header.stamp.sec == second
    peer.until(lambda: any(status.values for status in health.get("referseg: camera", [])), "diagnostics under simulated time")
    assert "time went backwards" in peer.output()
    switch(False)
    assert peer.ask(None)[0].status == Segmentation.FOUND
