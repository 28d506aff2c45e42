"""The policy file for SROS 2 allows what the node opens and nothing else; and with a middleware that has the plugins, the node runs in an enclave."""

import os
import pathlib
import shutil
import subprocess
import xml.etree.ElementTree

import pytest
import rclpy
from conftest import ASKED, ROOT, image, picture

POLICY = ROOT / "config" / "sros2_policy.xml"


def allowed():
    """What the policy allows, by kind, with full names."""
    profile = xml.etree.ElementTree.parse(POLICY).getroot().find(".//profile")
    full = {"~": f"/{profile.get('node')}"}

    def named(tag, right):
        entries = [entry for group in profile.findall(tag) if group.get(right) == "ALLOW" for entry in group]
        texts = [entry.text.strip() for entry in entries]
        return {full["~"] + text[1:] if text.startswith("~") else text if text.startswith("/") else "/" + text for text in texts}

    return {"subscribe": named("topics", "subscribe"), "publish": named("topics", "publish"), "reply": named("services", "reply"),
            "execute": named("actions", "execute")}


def test_the_policy_allows_what_the_node_opens_and_nothing_else(peer):
    peer.start(depth="true", target_frame="base_link", proposals="topic", use_sim_time="true")
    node, policy = peer.node, allowed()
    peer.until(lambda: ("referseg", "/") in node.get_node_names_and_namespaces() and node.count_subscribers("/image") and node.count_subscribers("/proposal_boxes")
               and node.count_subscribers("/clock") and node.count_subscribers("/tf_static"), "the node's endpoints")

    def names(ask):
        return {name for name, _ in ask("referseg", "/") if "/_action/" not in name}

    assert names(node.get_publisher_names_and_types_by_node) == policy["publish"]
    assert names(node.get_subscriber_names_and_types_by_node) == policy["subscribe"]
    assert names(node.get_service_names_and_types_by_node) == policy["reply"]
    actions = {name.split("/_action/")[0] for name, _ in node.get_service_names_and_types_by_node("referseg", "/") if "/_action/" in name}
    assert actions == policy["execute"]


def has_security():
    """Whether the middleware has DDS's security plugins."""
    library = next((pathlib.Path(folder) / name for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":")
                    for name in ("libfastrtps.so", "libfastdds.so") if (pathlib.Path(folder) / name).is_file()), None)
    return library is not None and b"builtin.PKI-DH" in library.read_bytes()


def test_the_node_runs_in_an_enclave(peer, tmp_path):
    if not shutil.which("ros2") or subprocess.run(["ros2", "security", "-h"], capture_output=True).returncode:
        pytest.skip("NOT RUN: no `ros2 security` here (sros2 is on no registry that the tests reach)")
    if not has_security():
        pytest.skip("NOT RUN: this Fast DDS was built without DDS security (SECURITY is off in the wheels)")
    keystore = tmp_path / "keystore"
    for command in (["create_keystore", keystore], ["create_enclave", keystore, "/referseg"], ["create_enclave", keystore, "/tester"],
                    ["create_permission", keystore, "/referseg", POLICY]):
        subprocess.run(["ros2", "security", *map(str, command)], check=True)
    secure = {"ROS_SECURITY_KEYSTORE": str(keystore), "ROS_SECURITY_ENABLE": "true", "ROS_SECURITY_STRATEGY": "Enforce"}
    peer.env.update(secure)
    os.environ.update(secure)
    try:
        context = rclpy.Context()
        rclpy.init(context=context, domain_id=int(peer.env["ROS_DOMAIN_ID"]), args=["--ros-args", "--enclave", "/tester"])
        peer.executor.shutdown()
        peer.node.destroy_node()
        peer.context.try_shutdown()
        peer.context = context
        peer.node = rclpy.create_node("tester", context=context)
        peer.executor = rclpy.executors.SingleThreadedExecutor(context=context)
        peer.executor.add_node(peer.node)
        peer.start("--enclave", "/referseg")
        assert peer.ask(ASKED["text"], image(picture()))
    finally:
        for name in secure:
            del os.environ[name]
