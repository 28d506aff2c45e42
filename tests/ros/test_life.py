"""Lifecycle, parameters, diagnostics and the log."""

import pathlib
import re
import signal

import pytest
from action_msgs.msg import GoalStatus
from bond.msg import Status
from conftest import ASKED, duration, image, picture, ROOT
from lifecycle_msgs.msg import State, Transition, TransitionEvent
from lifecycle_msgs.srv import ChangeState, GetAvailableStates, GetAvailableTransitions, GetState
from rcl_interfaces.msg import Log, Parameter, ParameterEvent, ParameterType, ParameterValue
from rcl_interfaces.srv import (DescribeParameters, GetParameters, GetParameterTypes, ListParameters, SetParameters,
                                SetParametersAtomically)
from rclpy.action import ActionClient, get_action_server_names_and_types_by_node
from rclpy.qos import DurabilityPolicy, QoSProfile
from referseg.action import Ground
from referseg.msg import Segmentation
from referseg.srv import Segment


def state(peer, node="/referseg"):
    return peer.call("get_state", GetState, GetState.Request(), node).current_state


def change(peer, transition, node="/referseg"):
    given = Transition(label=transition) if isinstance(transition, str) else Transition(id=transition)
    return peer.call("change_state", ChangeState, ChangeState.Request(transition=given), node).success


def managed(peer, *args, **parameters):
    peer.start(*args, autostart="false", wait=False, **parameters)
    events = []
    peer.node.create_subscription(TransitionEvent, "/referseg/transition_event", events.append, 10)
    peer.until(lambda: peer.node.count_publishers("/referseg/transition_event"), "the events' publisher")
    assert state(peer).label == "unconfigured"
    return events


def test_a_managed_node_goes_through_its_states(peer):
    events = managed(peer)
    assert peer.node.count_publishers("/referseg/segmentation") == 0
    inactive = peer.call("segment", Segment, Segment.Request(text="the mug")).result
    assert inactive.status == Segmentation.ERROR and "the node is unconfigured; activate it first" in inactive.reason
    assert not change(peer, Transition.TRANSITION_ACTIVATE), "not before it is configured"
    assert change(peer, Transition.TRANSITION_CONFIGURE)
    assert state(peer).id == State.PRIMARY_STATE_INACTIVE
    assert peer.node.count_subscribers("/image") == 0
    assert change(peer, "activate")
    peer.connect()
    (answer,) = peer.ask(ASKED["text"])
    assert answer.status == Segmentation.FOUND
    assert change(peer, Transition.TRANSITION_DEACTIVATE)
    # the subscription goes with the next message that it gets
    peer.film(lambda: peer.node.count_subscribers("/image") == 0, image(picture(), stamp=(7000, 0)))
    assert "inactive" in peer.call("segment", Segment, Segment.Request(text="the mug")).result.reason
    assert change(peer, Transition.TRANSITION_CLEANUP)
    peer.until(lambda: peer.node.count_publishers("/referseg/segmentation") == 0, "the publishers to go")
    # and once more, with the command forgotten
    assert change(peer, "configure") and change(peer, "activate")
    peer.until(peer.images.get_subscription_count, "the subscription")
    (answer,) = peer.ask(ASKED["text"])
    assert answer.command_number == 1
    assert all(answer.header.stamp.sec < 7000 for answer in peer.heard), "nothing is answered after deactivate"
    assert change(peer, "shutdown")
    assert state(peer).label == "finalized"
    way = [(e.start_state.label, e.goal_state.label) for e in events]
    first = [("unconfigured", "configuring"), ("configuring", "inactive"), ("inactive", "activating"), ("activating", "active"),
             ("active", "deactivating"), ("deactivating", "inactive"), ("inactive", "cleaningup"), ("cleaningup", "unconfigured")]
    assert way[: len(first)] == first
    assert way[-2:] == [("active", "shuttingdown"), ("shuttingdown", "finalized")]


def test_activations_on_silent_topics_leave_no_subscriptions_behind(peer):
    managed(peer, depth=True, target_frame="base")
    assert change(peer, "configure")
    silent = ["/image", "/depth", "/command", "/tf", "/tf_static"]
    for _ in range(5):
        assert change(peer, "activate")
        peer.until(lambda: all(peer.node.count_subscribers(topic) for topic in silent), "the subscriptions")
        peer.spin(0.5)
        assert change(peer, "deactivate")
    counts = {topic: peer.node.count_subscribers(topic) for topic in silent}
    assert counts == dict.fromkeys(silent, 1), counts


@pytest.mark.parametrize("also_cleanup", [False, True])
def test_deactivate_answers_the_goals_and_calls_in_flight(peer, also_cleanup):
    peer.start()
    goals = ActionClient(peer.node, Ground, "/referseg/ground")
    peer.until(goals.server_is_ready, "the action server")
    # a goal and a call that wait for a frame, and a goal that is at its frames
    calls = [peer.call_async("segment", Segment, Segment.Request(text="the thing", timeout=duration(60.0)))]
    sent = goals.send_goal_async(Ground.Goal(text=ASKED["text"], frame_count=1000, timeout=duration(60.0)))
    peer.until(sent.done, "the goal's acceptance")
    result = sent.result().get_result_async()
    peer.film(calls[0].done)
    calls.append(peer.call_async("segment", Segment, Segment.Request(text="the thing", next_frame=True, timeout=duration(60.0))))
    peer.spin(0.5)
    assert change(peer, Transition.TRANSITION_DEACTIVATE)
    if also_cleanup:
        assert change(peer, Transition.TRANSITION_CLEANUP)
    peer.until(lambda: result.done() and calls[1].done(), "both answers", limit=10)
    assert result.result().status == GoalStatus.STATUS_ABORTED
    assert "deactivated" in result.result().result.reason and not result.result().result.agreed
    assert result.result().result.result.status == Segmentation.FOUND, "with the best answer so far"
    answer = calls[1].result().result
    assert answer.status == Segmentation.ERROR and "deactivated" in answer.reason, answer.reason
    if also_cleanup:
        assert change(peer, "configure")
    assert change(peer, "activate")
    assert peer.segment(text=ASKED["text"], image=image(picture())).status == Segmentation.FOUND


def resident(process):
    """Memory of a process, MiB."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def test_cleanup_frees_the_memory(peer):
    managed(peer, proposals="sam", sam_model=ROOT / "tests" / "data" / "sam" / "random_sam.pth")
    sizes = []
    for _ in range(14):
        assert change(peer, Transition.TRANSITION_CONFIGURE)
        assert change(peer, Transition.TRANSITION_CLEANUP)
        sizes.append(resident(peer.process))
    model = (ROOT / "models" / "demo" / "model.safetensors").stat().st_size / 2**20
    grown = min(sizes[-4:]) - min(sizes[1:5])
    assert grown < 5 * model, f"nine models stay when none of them is freed: {sizes}"


def test_nav2s_lifecycle_manager_finds_its_bond(peer):
    """What nav2_lifecycle_manager and its end of bondcpp do: activate, wait for the node's heartbeat, watch it, let go."""
    health = peer.health()
    peer.start("-r", "__ns:=/robot", autostart="false", wait=False)
    heard = []
    peer.node.create_subscription(Status, "/robot/bond", heard.append, 100)
    bond = peer.node.create_publisher(Status, "/robot/bond", 5)
    peer.until(lambda: peer.node.count_publishers("/robot/bond") == 2, "the node's end")

    def alive():
        had = len(heard)
        peer.until(lambda: any(status.active for status in heard[had:]), "a heartbeat")
        (mine,) = {status.instance_id for status in heard if status.instance_id != "manager"}
        assert mine and all(status.id == "referseg" and status.heartbeat_timeout == 4.0 for status in heard)

    assert not heard, "nothing before it is active"
    for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
        assert change(peer, transition, "/robot/referseg")
    alive()
    # an end that is taken down is let go at once; the node's life does not hang on it
    heard.clear()
    bond.publish(Status(id="another", instance_id="manager", active=False))
    bond.publish(Status(id="referseg", instance_id="manager", active=False))
    peer.until(lambda: any(s.instance_id != "manager" and not s.active for s in heard), "the consent")
    heard.clear()
    alive()
    assert change(peer, Transition.TRANSITION_DEACTIVATE, "/robot/referseg")
    peer.until(lambda: not heard[-1].active, "the end of the heartbeat")
    heard.clear()
    had = len(health.get("robot/referseg: model", []))
    peer.until(lambda: len(health.get("robot/referseg: model", [])) > had + 1, "two more diagnostics")
    assert not heard, "silent while inactive"
    assert change(peer, Transition.TRANSITION_ACTIVATE, "/robot/referseg")
    alive()
    peer.process.send_signal(signal.SIGINT)
    assert peer.process.wait(20) == 0
    peer.process = None
    peer.until(lambda: not heard[-1].active, "the last word")


def test_a_model_that_can_not_be_loaded_leaves_the_node_unconfigured(peer):
    managed(peer, model="/nowhere")
    assert not change(peer, "configure")
    assert state(peer).label == "unconfigured"
    assert "not configured: model file \"/nowhere\"" in peer.output()
    # the parameter may change now, and then it works
    assert set_parameter(peer, "model", str(ROOT / "models" / "demo")).successful
    assert change(peer, "configure")


def test_the_graph_of_states_is_told(peer):
    peer.start()
    states = peer.call("get_available_states", GetAvailableStates, GetAvailableStates.Request()).available_states
    assert {"unconfigured", "inactive", "active", "finalized"} <= {s.label for s in states}
    possible = peer.call("get_available_transitions", GetAvailableTransitions, GetAvailableTransitions.Request())
    assert {t.transition.label for t in possible.available_transitions} == {"deactivate", "shutdown"}
    graph = peer.call("get_transition_graph", GetAvailableTransitions, GetAvailableTransitions.Request())
    assert len(graph.available_transitions) == 7
    assert state(peer).label == "active", "autostart"


def value_of(value):
    kind = {bool: "bool", int: "integer", float: "double", str: "string"}[type(value)]
    number = {"bool": ParameterType.PARAMETER_BOOL, "integer": ParameterType.PARAMETER_INTEGER,
              "double": ParameterType.PARAMETER_DOUBLE, "string": ParameterType.PARAMETER_STRING}[kind]
    return ParameterValue(type=number, **{f"{kind}_value": value})


def set_parameter(peer, name, value):
    request = SetParameters.Request(parameters=[Parameter(name=name, value=value_of(value))])
    return peer.call("set_parameters", SetParameters, request).results[0]


def get_parameters(peer, names, node="/referseg"):
    return peer.call("get_parameters", GetParameters, GetParameters.Request(names=names), node).values


def test_parameters_are_listed_and_described_with_their_ranges(peer):
    peer.start()
    names = peer.call("list_parameters", ListParameters, ListParameters.Request()).result.names
    assert {"mode", "model", "min_score", "cameras", "use_sim_time"} <= set(names)
    described = peer.call("describe_parameters", DescribeParameters, DescribeParameters.Request(names=names)).descriptors
    types = peer.call("get_parameter_types", GetParameterTypes, GetParameterTypes.Request(names=names)).types
    assert all(d.description for d in described) and [d.type for d in described] == list(types)
    of = {d.name: d for d in described}
    (score,), (limit,) = of["min_score"].floating_point_range, of["proposal_limit"].integer_range
    assert (score.from_value, score.to_value, limit.from_value, limit.to_value) == (-1.0, 1.0, 1, 1000)
    assert "needs a reload" in of["model"].additional_constraints and of["autostart"].read_only
    assert of["mode"].additional_constraints == ""
    (unknown,) = get_parameters(peer, ["nothing"])
    assert unknown.type == ParameterType.PARAMETER_NOT_SET


def test_parameters_change_while_the_node_works_and_events_tell(peer):
    events = []
    peer.node.create_subscription(ParameterEvent, "/parameter_events", events.append, 10)
    peer.start()
    (answer,) = peer.ask(ASKED["text"])
    assert answer.status == Segmentation.FOUND
    assert set_parameter(peer, "min_score", 0.99).successful
    assert get_parameters(peer, ["min_score"])[0].double_value == pytest.approx(0.99)
    answers = peer.ask(None, count=3)
    assert answers[-1].status == Segmentation.NOT_FOUND and "below answer.min_score" in answers[-1].reason
    assert not any(answers[-1].mask.data)
    assert set_parameter(peer, "min_score", -1).successful, "whole numbers are numbers"
    for name, value in (("method", "cropping"), ("proposal_limit", 5), ("parser", "dependency"), ("preset", "paper"),
                        ("global_weight", 0.3), ("preset", "clean"), ("method", "global_local")):
        assert set_parameter(peer, name, value).successful, name
        assert peer.segment(text=ASKED["text"], image=image(picture())).status != Segmentation.ERROR
    peer.until(lambda: {"min_score", "method", "proposal_limit"} <=
               {p.name for e in events for p in e.changed_parameters if e.node == "/referseg"}, "the events")


def test_the_proposals_change_live_to_segment_anything_and_back(peer, tmp_path):
    config = tmp_path / "sam.yaml"
    # random weights: masks of no object, so that every mask may pass and every answer counts
    config.write_text("proposals: {limit: 6, sam: {min_predicted_iou: -1.0, min_stability: 0.0, box_nms: 1.0}}\n"
                      "answer: {min_score: -1.0, min_margin: 0.0}\n")
    peer.start(config=config)
    regions = peer.segment(text=ASKED["text"], image=image(picture()))
    request = SetParametersAtomically.Request(parameters=[
        Parameter(name="sam_model", value=value_of(str(ROOT / "tests" / "data" / "sam" / "random_sam.pth"))),
        Parameter(name="proposals", value=value_of("sam"))])
    assert peer.call("set_parameters_atomically", SetParametersAtomically, request).result.successful
    sam = peer.segment(text=ASKED["text"], image=image(picture()))
    assert sam.status == Segmentation.FOUND and bytes(sam.mask.data) != bytes(regions.mask.data)
    assert not set_parameter(peer, "sam_model", "/nowhere.pth").successful
    assert bytes(peer.segment(text=ASKED["text"], image=image(picture())).mask.data) == bytes(sam.mask.data), "as before"
    assert set_parameter(peer, "proposals", "regions").successful
    assert bytes(peer.segment(text=ASKED["text"], image=image(picture())).mask.data) == bytes(regions.mask.data)


def test_an_edited_configuration_file_counts_from_the_next_configure_on(peer, tmp_path):
    config = tmp_path / "settings.yaml"
    config.write_text("answer: {min_score: -1.0, min_margin: 0.0}\n")
    peer.start(config=config)
    config.write_text("answer: {min_score: 0.99, min_margin: 0.0}\n")
    assert set_parameter(peer, "proposal_limit", 30).successful
    assert peer.segment(text=ASKED["text"], image=image(picture())).status == Segmentation.FOUND, "not before"
    for transition in ("deactivate", "cleanup", "configure", "activate"):
        assert change(peer, transition), transition
    assert get_parameters(peer, ["min_score"])[0].double_value == pytest.approx(0.99)
    assert peer.segment(text=ASKED["text"], image=image(picture())).status == Segmentation.NOT_FOUND


def test_refused_parameters_change_nothing_and_say_why(peer):
    peer.start()
    before = get_parameters(peer, ["min_score", "method", "proposals", "model"])
    for name, value, reason in (
        ("min_score", 3.0, "3 is out of range; expected -1 to 1"),
        ("min_score", "high", "must be a double, got a string"),
        ("method", "grad_cam", "grad_cam can't run on this model"),
        ("method", "guess", "guess"),
        ("proposals", "sam", "models list"),
        ("mode", "twice", "expected continuous or once"),
        ("model", "/elsewhere", "needs a reload"),
        ("autostart", False, "restart the node"),
        ("nothing", 1, "is unknown"),
    ):
        result = set_parameter(peer, name, value)
        assert not result.successful and reason in result.reason, (name, result.reason)
    both = [Parameter(name="min_margin", value=value_of(0.5)), Parameter(name="mode", value=value_of("twice"))]
    request = SetParametersAtomically.Request(parameters=both)
    assert not peer.call("set_parameters_atomically", SetParametersAtomically, request).result.successful
    assert get_parameters(peer, ["min_margin"])[0].double_value != 0.5
    assert get_parameters(peer, ["min_score", "method", "proposals", "model"]) == before
    assert peer.ask(ASKED["text"])[0].status == Segmentation.FOUND


def test_diagnostics_tell_how_the_node_is(peer):
    health = peer.health()
    peer.start()
    peer.ask(ASKED["text"], count=2)

    def of(name):
        return {v.key: v.value for v in health[name][-1].values} if health.get(name) else {}

    peer.until(lambda: len(of("referseg: model").get("model sha256", "")) == 64 and
               int(of("referseg: camera").get("answers", 0)) >= 2, "diagnostics")
    model, camera = of("referseg: model"), of("referseg: camera")
    assert model["state"] == "active" and model["device"] == "cpu" and model["model"].endswith("models/demo")
    assert camera["topic"] == "/image" and camera["publishers"] == "1" and int(camera["frames"]) >= 2
    before = int(camera["dropped (no request)"])
    peer.say("")
    for _ in range(5):
        peer.images.publish(image(picture()))
    peer.until(lambda: int(of("referseg: camera")["dropped (no request)"]) > before, "frames that nobody asked for")
    peer.ask(ASKED["text"])
    assert int(camera["answers on static frames"]) >= 1, "the same picture was shown again"
    assert set_parameter(peer, "static_tolerance", 0.0).successful
    peer.ask(None, count=2)
    peer.until(lambda: float(of("referseg: camera")["visual features, ms"]) > 0
               and float(of("referseg: camera")["proposals, ms"]) > 0, "the stages' times of a frame that was encoded")
    assert health["referseg: camera"][-1].level == b"\x00" and health["referseg: camera"][-1].hardware_id == "cpu"
    had = len(health["referseg: model"])
    peer.until(lambda: len(health["referseg: model"]) > had + 1, "one a second")
    bad = image(picture())
    bad.encoding = "yuv444"
    peer.ask(None, bad)
    peer.until(lambda: peer.images.publish(bad) or "yuv444" in of("referseg: model").get("last problem", ""), "the problem")


def test_the_log_goes_to_rosout(peer):
    log = []
    latched = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    peer.node.create_subscription(Log, "/rosout", log.append, latched)
    peer.start()
    bad = image(picture())
    bad.encoding = "yuv444"
    peer.ask(ASKED["text"], bad)
    peer.until(lambda: any(m.level == 30 and "yuv444" in m.msg and m.name == "referseg" for m in log), "the warning")
    assert any("configured: model" in m.msg and m.level == 20 for m in log)


def test_the_readme_has_every_topic_service_and_action_of_the_node(peer):
    peer.start(depth="true")
    readme = (ROOT / "docs" / "interface.md").read_text() + (ROOT / "docs" / "ros.md").read_text()
    node = peer.node
    peer.until(lambda: ("referseg", "/") in node.get_node_names_and_namespaces(), "the node's name in the graph")
    topics = node.get_publisher_names_and_types_by_node("referseg", "/") + node.get_subscriber_names_and_types_by_node("referseg", "/")
    services = node.get_service_names_and_types_by_node("referseg", "/")
    known_to_all = {"/clock", "/parameter_events", "/rosout"}
    parameters = {f"/referseg/{name}" for name in ("describe_parameters", "get_parameters", "get_parameter_types", "list_parameters",
                                                   "set_parameters", "set_parameters_atomically")}
    names = [name for name, _ in topics + services if "/_action/" not in name and name not in known_to_all | parameters]
    names += [name for name, _ in get_action_server_names_and_types_by_node(node, "referseg", "/")]
    assert len(names) > 20
    for name in names:
        said = name.replace("/referseg/", "~/") if name.startswith("/referseg/") else name.lstrip("/")
        # the lifecycle's services are named as a whole
        if said in ("~/get_available_states", "~/get_available_transitions", "~/get_transition_graph"):
            continue
        if said.startswith("~/track/"):  # one row for all of them
            assert f"`{said.split('/')[2]}`" in re.search("^.*`~/track`, and.*$", readme, re.M).group(), said
            continue
        assert f"`{said}`" in readme or f"`/{said}`" in readme, said

