"""Times Referseg against PyTorch in f32 on the same random weights, both on one core, and writes the table.

    pip install torch transformers pillow mobilesam-mirror timm torchvision
    cargo build --release && cargo build --release --example stages
    python tools/bench/against_pytorch.py --out docs/performance.md [--rounds 3] [--core 0]

Each round runs one after the other in turn; a ratio is taken within its round, and the table has the median of the ratios
with the smallest and the largest. Weights, picture and masks are made from fixed seeds.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from pytorch_work import make

ROOT = Path(__file__).resolve().parents[2]
ROWS = {
    "clip_features": "CLIP ViT-B/32, one 640x480 picture, 50 masks, global and local features",
    "clip_texts": "two texts",
    "sam_encoder": "SAM ViT-B image encoder",
    "sam_points": "SAM ViT-B, 64 points through the decoder",
    "sam2_encoder": "SAM 2.1 tiny image encoder",
    "sam2_points": "SAM 2.1 tiny, 64 points through the decoder",
    "mobile_encoder": "MobileSAM image encoder",
    "mobile_points": "MobileSAM, 64 points through the decoder",
    "generator": "MobileSAM's automatic generator, 8x8 points, all 192 masks, whole",
}


def run(command, core):
    environment = dict(os.environ, RAYON_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    done = subprocess.run(["taskset", "-c", str(core), *map(str, command)], env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="a Markdown file whose lines between `<!-- table -->` and `<!-- end -->` are replaced")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="keep the weights here")
    parser.add_argument("--only", nargs="*", help="only these: clip, sam, sam2, mobile, generator")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)
    if not (folder / "labels.png").exists():
        make(folder)
    stages, picture = ROOT / "target/release/examples/stages", folder / "picture.png"
    ours = {"clip": ["clip", folder / "clip", picture, folder / "labels.png", 2], "sam": ["sam", folder / "sam", picture, 2],
            "sam2": ["sam", folder / "sam2", picture, 2], "mobile": ["sam", folder / "mobile.pth", picture, 2], "generator": ["generator", folder / "mobile.pth", picture, 2]}
    if arguments.only:
        ours = {part: ours[part] for part in arguments.only}
    times = {row: [] for row in ROWS}
    for _ in range(arguments.rounds):
        for part, command in ours.items():
            theirs = run([sys.executable, ROOT / "tools/bench/pytorch_work.py", part, folder, "cpu", "f32"], arguments.core)
            found = run([stages, *command], arguments.core)
            found = found if part in ("clip", "generator") else {f"{part}_{name}": value for name, value in found.items()}
            for row in theirs:
                times[row].append((found[row], theirs[row]))
            print(part, found, theirs, flush=True)
    import torch

    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line), platform.machine())
    lines = ["| work | Referseg, ms | PyTorch, ms | ratio | smallest to largest ratio |", "|---|---|---|---|---|"]
    for row, pairs in times.items():
        if not pairs:
            continue
        ratios = sorted(a / b for a, b in pairs)
        middle = [statistics.median(values) for values in zip(*pairs)]
        lines.append(f"| {ROWS[row]} | {middle[0]:.0f} | {middle[1]:.0f} | {statistics.median(ratios):.2f} | {ratios[0]:.2f} to {ratios[-1]:.2f} |")
    lines += ["", f"{cpu}, one core, f32, PyTorch {torch.__version__}, {arguments.rounds} rounds in turn."]
    print("\n".join(lines))
    if arguments.out:
        text = arguments.out.read_text()
        before, rest = text.split("<!-- table -->\n", 1)
        arguments.out.write_text(before + "<!-- table -->\n" + "\n".join(lines) + "\n" + rest[rest.index("<!-- end -->") :])


if __name__ == "__main__":
    main()
