"""referseg-fleet: Referseg over many recordings or a large dataset, on Ray.

    referseg-fleet replay 'bags/**' --out DIR [--against EARLIER] [options] -- [options of referseg replay]
    referseg-fleet eval --out DIR [options] -- --data DATASET [options of referseg eval]

Inputs, the program and --out must lie at the same paths on all machines (a shared folder). A run that was ended is taken
up again: what is done and unchanged is not done again.
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from referseg_fleet import cluster, recordings, report

# options that the fleet sets itself
OWN_REPLAY = ("--out", "--summary", "--report")
OWN_EVAL = ("--out", "--shard", "--merge")
# options of referseg whose values are paths
PATHS = ("--model", "--config", "--sam-model", "--timetable", "--data", "--images", "--cache")


def _write(path, text):
    """Writes a file as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(text)
    os.replace(file.name, path)


def _binary(given):
    found = shutil.which(given)
    if not found:
        raise ValueError(f"--binary {given}: no such program; cargo build --release makes target/release/referseg")
    return str(pathlib.Path(found).resolve())


def _refuse(arguments, own):
    for argument in arguments:
        if argument.split("=")[0] in own:
            raise ValueError(f"{argument}: is set by referseg-fleet; leave it out")


def _progress(done, count, began, name, ended):
    left = (time.monotonic() - began) / max(done, 1) * (count - done)
    mark = "" if ended["status"] == 0 else f" ended with {ended['status']}: {ended['error'].strip()}"
    print(f"[{done}/{count}, {left:.0f} s left] {name}{mark}", file=sys.stderr, flush=True)


def _key(*parts):
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _absolute(arguments):
    """Paths of this folder mean nothing on another machine. The model may also be a public one's name."""
    found, before = [], ""
    for one in arguments:
        option, equals, value = one.partition("=")
        if option in PATHS and equals and os.path.exists(value):
            one = f"{option}={pathlib.Path(value).resolve()}"
        elif before in PATHS and os.path.exists(one):
            one = str(pathlib.Path(one).resolve())
        found.append(one)
        before = one
    return found


def _digest(path):
    """SHA-256 of a file, or of the names and contents of a folder's files."""
    if path.is_file():
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                digest.update(part)
        return digest.hexdigest()
    files = sorted(one for one in path.rglob("*") if one.is_file())
    return _key([[one.relative_to(path).as_posix(), _digest(one)] for one in files])


def _contents(arguments):
    """Digests of the files and folders that the arguments name, and of those that their YAML files name."""
    named = set()
    for argument in arguments:
        for value in (argument, argument.rpartition("=")[2]):
            path = pathlib.Path(value)
            if not value.startswith("-") and path.exists():
                named.add(path.resolve())
                if path.suffix in (".yaml", ".yml") and path.is_file():
                    values = [word.strip("'\"") for word in path.read_text(errors="replace").replace(",", " ").split()]
                    named |= {pathlib.Path(one).resolve() for one in values if "/" in one and pathlib.Path(one).exists()}
    return {str(path): _digest(path) for path in sorted(named)}


def _replay(given, rest):
    _refuse(rest, OWN_REPLAY)
    binary, out = _binary(given.binary), pathlib.Path(given.out).resolve()
    inputs = recordings.discover(given.recordings, leave_out=out)
    names = recordings.names(inputs)
    digest = hashlib.sha256(pathlib.Path(binary).read_bytes()).hexdigest()
    rest = _absolute(rest)
    contents = _contents(rest)
    files = lambda name: (out / "answers" / f"{name}.answers.mcap", out / "summaries" / f"{name}.json", out / "done" / f"{name}.json")
    keys, jobs, kept = {}, [], 0
    for path in inputs:
        name = names[path]
        answers, summary, done = files(name)
        keys[name] = _key(str(path), recordings.state(path), rest, contents, digest)
        if done.is_file() and json.loads(done.read_text())["key"] == keys[name]:
            kept += 1
            continue
        for folder in (answers.parent, summary.parent):
            folder.mkdir(parents=True, exist_ok=True)
        jobs.append((name, ["replay", str(path), "--out", str(answers), "--summary", str(summary), *rest]))
    print(f"{len(inputs)} recordings, {kept} done before", file=sys.stderr, flush=True)
    began, ray = time.monotonic(), cluster.connect(given.address, given.workers)
    count = 0

    def on_end(name, ended):
        nonlocal count
        count += 1
        _progress(count, len(jobs), began, name, ended)
        failed = None if ended["status"] in (0, 3) else ended["error"].strip() or f"exit status {ended['status']}"
        # what was lost or could not be read is tried again next time
        key = keys[name] if failed is None else ""
        _write(files(name)[2], json.dumps({"key": key, "failed": failed, "seconds": ended["seconds"], "worker": ended["worker"]}))
    cluster.run(ray, jobs, binary, given.cpus, given.gpus, on_end)
    # what workers that were killed had begun; nobody writes any more
    for begun in out.rglob(".referseg-*.part"):
        begun.unlink(missing_ok=True)
    compared = _compare(ray, given, binary, out, names.values(), files)
    results = {}
    for name in sorted(names.values()):
        failed = json.loads(files(name)[2].read_text())["failed"]
        summary = None if failed is not None else json.loads(files(name)[1].read_text())
        results[name] = {"failed": failed, "summary": summary, "compared": compared.get(name)}
    merged = report.merge(results)
    for name, text in [("report.json", report.text(merged)), ("report.md", report.markdown(merged)), ("report.html", report.page(merged))]:
        _write(out / name, text)
    took = time.monotonic() - began
    failed = sum(one["failed"] is not None for one in merged["recordings"])
    print(f"{len(inputs)} recordings, {failed} failed, {took:.1f} s; {out / 'report.html'}")
    return 1 if failed else 0


def _compare(ray, given, binary, out, names, files):
    """What changed since an earlier run, by name."""
    if not given.against:
        return {}
    earlier = pathlib.Path(given.against).resolve()
    pair = lambda name: (earlier / files(name)[0].relative_to(out), files(name)[0])
    both = [name for name in names if all(path.is_file() for path in pair(name))]
    found = {}

    def on_end(name, ended):
        if ended["status"] in (0, 1):
            found[name] = json.loads(ended["output"])
        else:
            print(f"{name}: not compared: {ended['error'].strip()}", file=sys.stderr, flush=True)
    jobs = [(name, ["compare", *map(str, pair(name)), "--json"]) for name in both]
    cluster.run(ray, jobs, binary, given.cpus, given.gpus, on_end)
    return found


def _eval(given, rest):
    _refuse(rest, OWN_EVAL)
    binary, out = _binary(given.binary), pathlib.Path(given.out).resolve()
    rest = _absolute(rest)
    began, ray = time.monotonic(), cluster.connect(given.address, given.workers)
    plan = out / "shards.json"
    if plan.is_file():
        shards = json.loads(plan.read_text())["shards"]  # parts of another number are other parts
    else:
        shards = given.shards or 4 * max(1, int(ray.cluster_resources().get("CPU", 1) / given.cpus))
        _write(plan, json.dumps({"shards": shards}))
    parts = [(i, out / "shards" / str(i)) for i in range(1, shards + 1)]
    jobs = [(f"part {i} of {shards}", ["eval", *rest, "--out", str(folder), "--shard", f"{i}/{shards}"]) for i, folder in parts]
    failed, count = [], 0

    def on_end(name, ended):
        nonlocal count
        count += 1
        _progress(count, len(jobs), began, name, ended)
        if ended["status"] != 0:
            failed.append(f"{name}: {ended['error'].strip()}")
    cluster.run(ray, jobs, binary, given.cpus, given.gpus, on_end)
    if failed:
        raise ValueError("; ".join(sorted(failed)))
    results = [str(folder / f"results-{i}-of-{shards}.jsonl") for i, folder in parts]
    merged = subprocess.run([binary, "eval", "--merge", *results, "--out", str(out)], text=True, stdout=subprocess.PIPE)
    print(merged.stdout, end="")
    print(f"{shards} parts, {time.monotonic() - began:.1f} s", file=sys.stderr)
    return merged.returncode


def _parser():
    parser = argparse.ArgumentParser(prog="referseg-fleet", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--out", required=True, help="folder of the results, which a later run takes up")
    shared.add_argument("--address", help="a Ray cluster's address [default: this machine alone]")
    shared.add_argument("--workers", type=int, help="workers of this machine, without --address [default: its processors]")
    shared.add_argument("--cpus", type=float, default=1, help="processors of a worker")
    shared.add_argument("--gpus", type=float, default=0, help="GPUs of a worker; may be a part of one")
    shared.add_argument("--binary", default="referseg", help="the referseg program")
    replay = commands.add_parser("replay", parents=[shared], help="replay recordings")
    replay.add_argument("recordings", nargs="+", help="patterns of folders of rosbag2, .mcap, .db3 or .bag files; ** is any folders")
    replay.add_argument("--against", metavar="DIR", help="the --out of an earlier run; what changed since is told first")
    evaluation = commands.add_parser("eval", parents=[shared], help="measure on a dataset")
    evaluation.add_argument("--shards", type=int, help="parts of the dataset [default: 4 for each worker]")
    return parser


def main(arguments=None):
    arguments = sys.argv[1:] if arguments is None else arguments
    at = arguments.index("--") if "--" in arguments else len(arguments)
    given, rest = _parser().parse_args(arguments[:at]), arguments[at + 1:]
    try:
        sys.exit({"replay": _replay, "eval": _eval}[given.command](given, rest))
    except ValueError as error:
        sys.exit(f"referseg-fleet: {error}")
