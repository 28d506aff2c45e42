"""The Python package, beside the command line."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import referseg
from PIL import Image
from referseg import Status

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "tests/data/scene/000000.png"
LABELS = ROOT / "tests/data/scene/000000_ids.png"
MODEL = ROOT / "models/demo"
TEXTS = ["pick up the red ball", "the ball", "the green banana", "the leftmost object", "put the red ball next to the blue cube"]


@pytest.fixture(scope="module")
def segmenter():
    return referseg.Segmenter(MODEL)


@pytest.fixture(scope="module")
def pixels():
    return np.asarray(Image.open(PICTURE).convert("RGB"))


def command_line(*arguments):
    """The lines that the command line prints."""
    program = os.environ.get("REFERSEG_BINARY", ROOT / "target/release/referseg")
    if not Path(program).is_file():
        pytest.fail(f"{program} is absent: build it (scripts/build.sh), or set REFERSEG_BINARY")
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()


def test_answers_are_those_of_the_command_line(segmenter, pixels):
    said = [part for text in TEXTS for part in ("--text", text)]
    lines = command_line("segment", "--model", MODEL, "--image", PICTURE, "--json", *said)
    frame = segmenter.encode(pixels)
    for text, line in zip(TEXTS, lines, strict=True):
        expected = json.loads(line)
        for answer in (segmenter.answer(frame, text), segmenter.segment(PICTURE, text)):
            found = json.loads(json.dumps(answer.as_dict()))
            assert found.pop("times_ms").keys() == expected["times_ms"].keys()
            assert found == {key: value for key, value in expected.items() if key != "times_ms"}, text


def test_an_answer_has_its_values_as_attributes(segmenter, pixels):
    answer = segmenter.segment(pixels, "pick up the red ball")
    assert answer.status is Status.FOUND and answer.target == "the red ball"
    box, mask = answer.box, answer.mask
    assert mask.dtype == bool and mask.shape == pixels.shape[:2]
    rows, columns = np.nonzero(mask)
    assert (columns.min(), rows.min()) == (box["x"], box["y"])
    assert (columns.max() + 1, rows.max() + 1) == (box["x"] + box["width"], box["y"] + box["height"])
    assert (answer.things[0]["mask"] == mask).all() and answer.things[0]["score"] == pytest.approx(answer.score)
    assert answer.overlay().shape == pixels.shape and (answer.overlay() != pixels).any()
    assert answer.point == (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert "FOUND" in repr(answer) and "the red ball" in repr(answer)
    assert answer._repr_png_().startswith(b"\x89PNG")
    assert segmenter.segment(pixels, "the purple wrench").status is Status.NOT_FOUND
    goal = segmenter.segment(pixels, "move the red ball to the right").destination
    assert goal["status"] == "FOUND" and 0 <= goal["point"]["x"] < pixels.shape[1]


def test_images_come_in_many_forms(segmenter, pixels):
    expected = segmenter.segment(PICTURE, "the red ball").box
    strided = np.zeros((pixels.shape[0], 2 * pixels.shape[1], 3), np.uint8)
    strided[:, ::2] = pixels
    for image in (str(PICTURE), Image.open(PICTURE), pixels, strided[:, ::2]):
        assert segmenter.segment(image, "the red ball").box == expected
    for wrong in (pixels[..., 0], pixels.astype(np.float32), np.zeros((4, 4, 4), np.uint8), 7, ROOT / "README.md", ROOT / "absent.png"):
        with pytest.raises(referseg.RefersegError):
            segmenter.segment(wrong, "the red ball")
    with pytest.raises(referseg.BadImage, match="expected a numpy array uint8"):
        segmenter.segment(pixels.astype(np.float32), "the red ball")


def test_masks_may_be_given(segmenter, pixels):
    labels = np.asarray(Image.open(LABELS)).astype(np.uint32)
    numbers = [number for number in np.unique(labels) if number]
    planes = np.stack([labels == number for number in numbers])
    by_labels, by_planes = (segmenter.segment(pixels, "the red ball", masks=masks) for masks in (labels, planes))
    assert by_labels.status is Status.FOUND and by_labels.box == by_planes.box
    assert any((by_labels.mask == plane).all() for plane in planes)
    with pytest.raises(referseg.BadImage, match="expected the image's"):
        segmenter.segment(pixels, "the red ball", masks=planes[:, :-1])


def test_depth_makes_distances_metric(segmenter, pixels):
    h, w = pixels.shape[:2]
    depth = np.full((h, w), 0.8, np.float32)
    camera = (500.0, 500.0, w / 2, h / 2)
    text = "move the red ball 5 cm to the right"
    by_depth = segmenter.segment(pixels, text, depth=depth, intrinsics=camera).destination
    assert by_depth["position"]["z"] == pytest.approx(0.8, abs=0.01)
    units = segmenter.segment(pixels, text, depth=(depth * 1000).astype(np.uint16), intrinsics=camera).destination
    assert units["point"] == by_depth["point"]
    assert "not judged" in segmenter.segment(pixels, text).destination["reason"]
    with pytest.raises(referseg.BadImage):
        segmenter.segment(pixels, text, depth=depth[:, : w // 3])


def test_proposals_and_frames(segmenter, pixels):
    proposals = segmenter.proposals(pixels)
    frame = segmenter.encode(pixels)
    assert len(proposals) == len(frame.masks) > 3 and frame.shape == pixels.shape[:2]
    assert all((one["mask"] == mask).all() for one, mask in zip(proposals, frame.masks))


def test_a_conversation_hears_replies(segmenter, pixels):
    labels = np.asarray(Image.open(LABELS)).astype(np.uint32)
    conversation = referseg.Conversation(segmenter)
    frame = segmenter.encode(pixels, masks=labels)
    first = conversation.say(frame, "the object")
    assert first.status is Status.AMBIGUOUS and first.question and len(first.candidates) > 1
    assert conversation.say(frame, "the leftmost one").status is Status.FOUND
    assert "object" in conversation.state
    conversation.clear()
    assert conversation.state == ""


def test_a_command_is_parsed_as_by_the_command_line():
    text = "put the red mug between the plate and the can"
    expected = json.loads(command_line("parse", text)[0])
    assert json.loads(json.dumps(referseg.parse(text))) == expected
    assert expected["target"] == "the red mug"


def test_settings_are_the_configurations_keys(tmp_path):
    few = referseg.Segmenter(MODEL, proposals={"generator": "regions", "limit": 5})
    assert len(few.proposals(PICTURE)) <= 5
    assert len(referseg.Segmenter(MODEL, proposals="regions", **{"proposals.limit": 4}).proposals(PICTURE)) <= 4
    file = tmp_path / "own.yaml"
    file.write_text(f"model: {MODEL}\nanswer: {{min_score: 0.99}}\n")
    strict = referseg.Segmenter.from_yaml(file)
    assert strict.segment(PICTURE, "the red ball").status is Status.NOT_FOUND
    with pytest.raises(referseg.BadSetting, match="proposals"):
        referseg.Segmenter(MODEL, **{"proposals.limits": 4})
    with pytest.raises(referseg.BadSetting):
        referseg.Segmenter(MODEL, device="abacus")
    with pytest.raises(referseg.BadModel, match="(?i)no such file"):
        referseg.Segmenter(tmp_path)
    with pytest.raises(referseg.BadCommand):
        referseg.parse("")


def test_threads_share_a_segmenter_and_others_go_on(segmenter, pixels):
    expected = segmenter.segment(pixels, "the red ball").box
    found, ticks, done = [], 0, threading.Event()

    def ask():
        for _ in range(3):
            found.append(segmenter.segment(pixels, "the red ball").box)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    [thread.start() for thread in threads]
    watch = threading.Thread(target=lambda: ([thread.join() for thread in threads], done.set()))
    watch.start()
    while not done.wait(0.005):
        ticks += 1
    assert found == [expected] * 9
    assert ticks > 3, "this thread stood still while others computed"


def test_ctrl_c_ends_a_long_wait():
    script = f"""
import numpy, referseg, signal, sys, threading, time, os
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is started without
segmenter = referseg.Segmenter({str(MODEL)!r}, **{{"proposals.limit": 600}})
noise = numpy.random.default_rng(0).integers(0, 255, (2000, 3000, 3), dtype=numpy.uint8)
began = []
def interrupt():
    began.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)
threading.Timer(0.3, interrupt).start()
try:
    for _ in range(200):
        segmenter.segment(noise, "the red ball")
except KeyboardInterrupt:
    print(time.monotonic() - began[0], flush=True)
    os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "it was not interrupted"


def test_memory_stays_where_it_is(segmenter, pixels):
    resident = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    small = np.ascontiguousarray(pixels[::4, ::4])
    frame = segmenter.encode(small)

    def work(count):
        for _ in range(count):
            answer = segmenter.answer(frame, "the red ball")
            answer.mask, answer.things, answer.as_dict(), referseg.parse("the red ball")

    work(500)
    before = resident()
    work(10_000)
    assert resident() - before < 20, "MB more after 10,000 calls"
