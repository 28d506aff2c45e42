"""Holds a CUDA build of Referseg to its CPU results, times it against PyTorch on the same GPU, and lets it run long.

    scripts/bench_gpu.sh [--programs target/cuda/sm_90] [--frames 1000] [--out gpu.md]

Needs a GPU and no network; PyTorch and transformers for random ViT-B/16 and SAM ViT-B weights and for the comparison (both are left
out, loudly, without them). Exit status 1 when a result differs from the CPU's by more than it may, or memory grows.
"""
import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# largest difference of two cosine similarities from f32 on the CPU, and relative difference of SAM's logits
ALLOWED = {"f32": (1e-3, 1e-2), "f16": (5e-3, 5e-2), "bf16": (5e-3, 2e-1)}
PARTS = ["long-run", "parity", "sam-parity", "times", "pytorch"]
# device memory that 1,000 frames may add, MiB
GROWTH = 64


def gpu(query):
    command = ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader,nounits", "--id=0"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def run(command):
    done = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


class Report:
    def __init__(self):
        self.lines, self.failed = [], False

    def say(self, line):
        print(line, flush=True)
        self.lines.append(line)

    def check(self, good, line):
        self.failed |= not good
        self.say(f"* {'PASS' if good else 'FAIL'}: {line}")


def long_run(referseg, frames, report):
    """Device and host memory while many frames are answered."""
    report.say("\n## Long run\n")
    used, done = [], threading.Event()

    def watch():
        while not done.wait(0.5):
            used.append(int(gpu("memory.used")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    try:
        found = run([referseg, "bench", "--json", "--image", "tests/data/scene/000000.png", "--text", "the red mug", "--device", "cuda:0",
                     "--runs", frames])
    finally:
        done.set()
        watcher.join()
    seconds = time.monotonic() - began
    # memory goes up and down within each frame, so the highest of an early and of a late part are compared
    third = max(len(used) // 3, 1)
    early, late = max(used[:third], default=0), max(used[-third:], default=0)
    report.check(late - early <= GROWTH, f"{frames} frames in {seconds:.0f} s, {found['times_ms']['all']['median']:.1f} ms each; "
                 f"device memory at most {early} MiB in the first third, {late} in the last")
    memory = found["memory_mb"]
    grown = memory["resident"] - memory["resident_after_first_run"]
    report.check(grown <= GROWTH, f"resident memory {memory['resident_after_first_run']:.0f} MB after the first frame, {memory['resident']:.0f} after the last")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, default=ROOT / "target/cuda/sm_90", help="folder with referseg and stages")
    parser.add_argument("--frames", type=int, default=1000, help="frames of the long run")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to do (default: all)")
    parser.add_argument("--out", type=Path, help="write the report here too, Markdown")
    arguments = parser.parse_args()
    referseg, stages = (arguments.programs.resolve() / name for name in ("referseg", "stages"))
    report = Report()
    report.say(f"{gpu('name')}, driver {gpu('driver_version')}")
    has_torch = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
    folder = Path(tempfile.mkdtemp())
    if has_torch:
        sys.path.insert(0, str(Path(__file__).parent))
        from pytorch_work import make

        make(folder, patch=16)
    else:
        report.say("SKIPPED: no PyTorch and transformers here, so no random ViT-B/16 and SAM, and no comparison")
    picture = folder / "picture.png" if has_torch else ROOT / "tests/data/scene/000000.png"
    shipped = ["bench", "--json", "--image", picture, "--text", "the red mug"]
    vit = [*shipped, "--model", folder / "clip", "--proposals", f"labels:{folder / 'labels.png'}", "--set", "proposals.limit=100"]
    vit += ["--set", "guidance=none"]
    works = {"shipped model, 40 regions": [*shipped, "--set", "guidance=none"]}
    if has_torch:
        works["ViT-B/16, 50 masks"] = vit

    if "long-run" in arguments.parts:
        long_run(referseg, arguments.frames, report)
    report.say("\n## Against the CPU\n")
    for name, work in works.items() if "parity" in arguments.parts else ():
        for dtype, (allowed, _) in ALLOWED.items():
            other = ["--compare", "device=cuda:0", "--compare", f"dtype={dtype}"]
            found = run([referseg, *work, "--device", "cpu", "--runs", 1, *other])
            apart = found["largest_score_difference"]
            same = found["same_pick"]
            # random weights score all masks nearly alike, so another pick within the difference is a tie
            report.check(apart <= allowed, f"{name}, {dtype}: similarities at most {apart:.1e} apart (allowed {allowed:.0e}), {'same' if same else 'another'} pick")
    if has_torch and "sam-parity" in arguments.parts:
        for dtype, (_, allowed) in ALLOWED.items():
            found = run([stages, "sam-parity", folder / "sam", picture, "cuda:0", dtype])
            report.check(found["logits"] <= allowed, f"SAM ViT-B, {dtype}: embedding {found['embedding']:.1e}, logits {found['logits']:.1e} apart, relative (allowed {allowed:.0e})")

    report.say("\n## Milliseconds\n")
    report.say("| work | type | first | proposals | features | text | scoring | all |")
    report.say("|---|---|---|---|---|---|---|---|")
    features = {}
    for name, work in works.items() if {"times", "pytorch"} & set(arguments.parts) else ():
        for dtype in ALLOWED:
            found = run([referseg, *work, "--device", "cuda:0", "--set", f"dtype={dtype}", "--runs", 30])
            ms = [found["times_ms"][stage]["median"] for stage in ("proposals", "visual_features", "text_features", "scoring", "all")]
            report.say(f"| {name} | {dtype} | {found['first_ms']:.0f} | " + " | ".join(f"{value:.2f}" for value in ms) + " |")
            features[name, dtype] = ms
    if has_torch and "pytorch" in arguments.parts:
        report.say("\n## Against PyTorch on this GPU\n")
        report.say("| work | type | Referseg, ms | PyTorch, ms | ratio |")
        report.say("|---|---|---|---|---|")
        for dtype in ("f32", "f16"):
            theirs = {}
            for part in ("clip", "sam"):
                try:
                    theirs |= run([sys.executable, ROOT / "tools/bench/pytorch_work.py", part, folder, "cuda", dtype])
                except RuntimeError as error:
                    report.say(f"PyTorch {part} {dtype} failed: {str(error)[-300:]}")
            sam = run([stages, "sam", folder / "sam", picture, 11, "cuda:0", dtype])
            ours = {"clip_features": features["ViT-B/16, 50 masks", dtype][1], "clip_texts": features["ViT-B/16, 50 masks", dtype][2],
                    "sam_encoder": sam["encoder"], "sam_points": sam["points"]}
            names = {"clip_features": "ViT-B/16, 50 masks, features", "clip_texts": "two texts", "sam_encoder": "SAM ViT-B encoder",
                     "sam_points": "SAM ViT-B, 64 points"}
            for row, name in names.items():
                if row in theirs:
                    report.say(f"| {name} | {dtype} | {ours[row]:.2f} | {theirs[row]:.2f} | {ours[row] / theirs[row]:.2f} |")

    if arguments.out:
        arguments.out.write_text("\n".join(report.lines) + "\n")
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
