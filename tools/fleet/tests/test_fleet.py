"""referseg-fleet on a real Ray head with two workers, on loopback; the same bytes as on one, also when a worker is lost."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

import pytest

ray = pytest.importorskip("ray")
from ray.cluster_utils import Cluster  # noqa: E402

from referseg_fleet import cli, recordings, report  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("REFERSEG", str(ROOT / "target" / "release" / "referseg"))
BAG = ROOT / "tests" / "data" / "recording" / "bag"
OPTIONS = ["--text", "the red mug", "--model", str(ROOT / "models" / "demo"), "--no-overlays"]


def fleet(*arguments, ok=True, **options):
    command = [sys.executable, "-m", "referseg_fleet", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, **options)
    assert (run.returncode == 0) == ok, run.stdout + run.stderr
    return run.stdout + run.stderr


def replay(bags, out, *more, rest=OPTIONS, **options):
    return fleet("replay", f"{bags}/**", "--out", out, "--binary", BINARY, *more, "--", *rest, **options)


def copies(folder, count):
    for number in range(count):
        shutil.copytree(BAG, folder / f"run{number:02}" / "bag")
    return folder


def results(out):
    """What must not depend on where and in which order it was made."""
    files = [path for kind in ["answers", "summaries"] for path in (out / kind).rglob("*") if path.is_file()]
    files += [out / name for name in ["report.json", "report.md", "report.html"]]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Twelve recordings, replayed on one worker."""
    folder = tmp_path_factory.mktemp("alone")
    bags = copies(folder / "bags", 12)
    replay(bags, folder / "out", "--workers", 1)
    return bags, folder / "out"


def test_recordings_are_found_once_each_with_a_name_of_its_own(tmp_path):
    for name in ["a/b.mcap", "a/b.db3", "c/metadata.yaml", "c/c_0.mcap", "c/c_1.mcap", "killed/killed_0.db3", "notes.txt", "out/x.mcap"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = recordings.discover([f"{tmp_path}/**", f"{tmp_path}/c/c_1.mcap"], leave_out=tmp_path / "out")
    assert list(recordings.names(found).values()) == ["a/b.db3", "a/b.mcap", "c", "killed"]
    with pytest.raises(ValueError, match="matches nothing"):
        recordings.discover([f"{tmp_path}/nowhere/*"])
    with pytest.raises(ValueError, match="no recording"):
        recordings.discover([f"{tmp_path}/notes.txt"])


def test_a_path_that_exists_is_no_pattern(tmp_path):
    (tmp_path / "a[1]").mkdir()
    for name in ["a[1]/x.mcap", "a1.mcap"]:
        (tmp_path / name).write_text("")
    assert [path.name for path in recordings.discover([f"{tmp_path}/a[1]/x.mcap"])] == ["x.mcap"]


def test_what_was_done_with_other_contents_is_done_again(tmp_path):
    config, model = tmp_path / "a.yaml", tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("1")
    config.write_text(f"model: '{model}'\n")
    arguments = ["--text", "the mug", "--config", str(config)]
    before = cli._contents(arguments)
    assert before == cli._contents(arguments) and set(before) == {str(config), str(model)}
    (model / "config.json").write_text("2")
    assert cli._contents(arguments) != before
    assert cli._contents([f"--set=model={model}"]) != cli._contents([])


def test_the_report_puts_what_became_worse_first():
    def result(found, worse=0, failed=None):
        statuses = {"FOUND": found, "NOT_FOUND": 10 - found}
        summary = {"answers": 10, "statuses": statuses, "commands": {"the mug": statuses}, "complete": True, "errors": []}
        compared = {"same": 10 - worse, "different": worse, "worse": worse}
        return {"failed": failed, "summary": None if failed else summary, "compared": compared}
    merged = report.merge({"a": result(9), "b": result(2), "c": result(8, worse=1), "d": result(0, failed="is empty")})
    assert [one["name"] for one in merged["recordings"]] == ["d", "c", "b", "a"]
    assert merged["commands"] == [{"command": "the mug", "recordings": 3, "FOUND": 19, "AMBIGUOUS": 0, "NOT_FOUND": 11, "ERROR": 0}]
    page = report.page(report.merge({"<b>": result(1)}))
    assert "<b>" not in page and "&lt;b&gt;" in page


def test_two_workers_of_which_one_is_killed_give_the_same_bytes_as_one(alone, tmp_path):
    bags, expected = alone
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        workers = [cluster.add_node(num_cpus=1) for _ in range(2)]
        cluster.wait_for_nodes()
        ray.init(address=cluster.address, log_to_driver=False)
        # of the machines, here all on one, the driver must not sit on the one that is lost
        own = ray.get_runtime_context().get_node_id()
        lost = next(node for node in workers if node.node_id != own)
        out, ended = tmp_path / "out", []

        def run():
            arguments = ["replay", f"{bags}/**", "--out", str(out), "--binary", BINARY, "--address", cluster.address, "--", *OPTIONS]
            try:
                cli.main(arguments)
            except SystemExit as error:
                ended.append(error.code)
        driver = threading.Thread(target=run)
        driver.start()
        done = lambda: len(list((out / "done").rglob("*.json"))) if (out / "done").is_dir() else 0
        end = time.monotonic() + 300
        while done() < 4 and driver.is_alive() and time.monotonic() < end:
            time.sleep(0.05)
        assert 4 <= done() < 12, "the worker must be lost midway"
        cluster.remove_node(lost, allow_graceful=False)
        driver.join(timeout=300)
        assert ended == [0]
        workers = {json.loads(path.read_text())["worker"] for path in (out / "done").rglob("*.json")}
        assert len(workers) >= 2, "both worked before one was lost"
        assert results(out) == results(expected)
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_what_is_done_is_not_done_again_unless_it_changed(alone, tmp_path):
    bags, out = alone
    bags, out = shutil.copytree(bags, tmp_path / "bags"), tmp_path / "out"
    for extra in sorted(bags.iterdir())[3:]:
        shutil.rmtree(extra)
    assert "3 recordings, 0 done before" in replay(bags, out, "--workers", 2)
    first = results(out)
    assert "3 recordings, 3 done before" in replay(bags, out, "--workers", 2)
    os.utime(bags / "run01" / "bag" / "bag.mcap", ns=(1, 1))
    said = replay(bags, out, "--workers", 2)
    assert "3 recordings, 2 done before" in said and "run01" in said
    assert results(out) == first


def test_a_recording_that_can_not_be_read_fails_alone_and_is_tried_again(tmp_path):
    bags = copies(tmp_path / "bags", 2)
    (bags / "broken.mcap").write_text("version https://git-lfs.github.com/spec/v1\n")
    for _ in range(2):
        said = replay(bags, tmp_path / "out", "--workers", 2, ok=False)
        assert "git lfs pull" in said
    merged = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [one["name"] for one in merged["recordings"]] == ["broken.mcap", "run00/bag", "run01/bag"]
    assert merged["totals"]["FOUND"] == 12


def test_what_changed_since_an_earlier_run_is_told_first(alone, tmp_path):
    bags, earlier = alone
    few = tmp_path / "bags"
    for name in ["run00", "run01"]:
        shutil.copytree(bags / name, few / name)
    replay(few, tmp_path / "out", "--workers", 2, "--against", earlier, rest=[*OPTIONS, "--set", "answer.min_score=0.97"])
    merged = json.loads((tmp_path / "out" / "report.json").read_text())
    assert all(one["worse"] > 0 and one["changed"] > 0 for one in merged["recordings"])


def test_a_dataset_in_parts_gives_the_table_of_one_run(tmp_path):
    options = ["--data", ROOT / "tests" / "data" / "spoken", "--model", ROOT / "models" / "demo"]
    # as many threads as a worker has: the last digits of sums depend on it
    environment = dict(os.environ, RAYON_NUM_THREADS="1")
    run = subprocess.run([BINARY, "eval", *options, "--out", tmp_path / "one"], capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr
    said = fleet("eval", "--out", tmp_path / "parts", "--binary", BINARY, "--workers", 2, "--shards", 3, "--", *options)
    assert "3 parts" in said
    for name in ["results.jsonl", "report.md"]:
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_options_that_the_fleet_sets_are_refused(tmp_path):
    said = replay(copies(tmp_path / "bags", 1), tmp_path / "out", rest=["--out", "x"], ok=False)
    assert "--out: is set by referseg-fleet" in said


def test_paths_of_this_folder_are_made_whole_and_words_stay_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mug").mkdir()
    given = ["--text", "mug", "--model", "mug", "--config=mug", "--model", "clip-vit-base-patch16"]
    expected = ["--text", "mug", "--model", f"{tmp_path}/mug", f"--config={tmp_path}/mug", "--model", "clip-vit-base-patch16"]
    assert cli._absolute(given) == expected
