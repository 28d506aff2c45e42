#!/usr/bin/env python3
"""A dry run of `referseg eval` at the size of RefCOCO val: 1,500 pictures, 10,834 expressions, RefCOCO's own file formats, random
pictures. Says what each stage takes in time, memory and disk, and kills a run midway to see that it goes on.

    pip install numpy pillow
    cargo build --release && python tools/bench/refcoco_size.py [--images N] [--model DIR] [--folder DIR] [--out FILE.md]
"""
import argparse
import json
import os
import pickle
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
IMAGES, EXPRESSIONS = 1500, 10834
COLOURS = {"red": (205, 25, 25), "green": (30, 150, 40), "blue": (25, 50, 205), "yellow": (230, 200, 30), "purple": (120, 30, 150)}
WHERE = ["", " on the left", " on the right", " at the top", " at the bottom", " in the middle", " next to the blue one"]


def make(folder, images):
    """instances.json, refs(unc).p and train2014: discs on noise, of the sizes of COCO's pictures."""
    random = np.random.default_rng(5)
    (folder / "train2014").mkdir(parents=True)
    expressions = EXPRESSIONS * images // IMAGES
    annotations, refs, pictures, sentence = [], [], [], 0
    for image in range(images):
        width, height = (640, 480) if random.random() < 0.7 else (480, 640)
        y, x = np.mgrid[0:height, 0:width]
        picture = random.integers(90, 170, (height // 8 + 1, width // 8 + 1, 3)).repeat(8, 0).repeat(8, 1)[:height, :width]
        name = f"COCO_train2014_{image:012}.jpg"
        pictures.append({"id": image, "file_name": name, "width": width, "height": height})
        for thing in range(4):
            colour = list(COLOURS)[random.integers(len(COLOURS))]
            radius = int(random.integers(25, 70))
            column, row = random.integers(radius, width - radius), random.integers(radius, height - radius)
            picture[(x - column) ** 2 + (y - row) ** 2 < radius ** 2] = COLOURS[colour]
            turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
            polygon = np.stack([column + radius * np.cos(turn), row + radius * np.sin(turn)], 1).round(2).ravel().tolist()
            number = len(annotations)
            annotations.append({"id": number, "image_id": image, "category_id": 1, "iscrowd": 0, "segmentation": [polygon],
                                "bbox": [int(column - radius), int(row - radius), 2 * radius, 2 * radius]})
            share = (image * 4 + thing + 1) * expressions // (images * 4) - sentence
            texts = [f"the {colour} ball{WHERE[random.integers(len(WHERE))]}" for _ in range(share)]
            refs.append({"ref_id": number, "ann_id": number, "image_id": image, "category_id": 1, "split": "val", "file_name": name,
                         "sent_ids": list(range(sentence, sentence + share)),
                         "sentences": [{"sent_id": sentence + at, "sent": text, "raw": text, "tokens": text.split()}
                                       for at, text in enumerate(texts)]})
            sentence += share
        Image.fromarray(picture.astype(np.uint8)).save(folder / "train2014" / name, quality=90)
    (folder / "instances.json").write_text(json.dumps({"images": pictures, "annotations": annotations, "categories": [{"id": 1}]}))
    with open(folder / "refs(unc).p", "wb") as file:
        pickle.dump(refs, file, protocol=0)
    return sentence


def size(folder):
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) / 1e6


def run(arguments, kill_after=None):
    """Seconds, and the largest resident memory in MB."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=said)
        began = time.monotonic()
        if kill_after:
            time.sleep(kill_after)
            os.kill(process.pid, signal.SIGKILL)  # not yet waited for: it is ours even when it has ended
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if not kill_after and process.returncode:
            said.seek(0)
            raise SystemExit(said.read())
    return time.monotonic() - began, used.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--model", default=str(ROOT / "models/demo"))
    parser.add_argument("--binary", default=str(ROOT / "target/release/referseg"))
    parser.add_argument("--folder", type=Path, help="keep the data here, and the results")
    parser.add_argument("--out", type=Path, help="a Markdown table, else printed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        data = folder / "refcoco"
        expressions = make(data, arguments.images) if not data.is_dir() else None
        cache = folder / "cache"
        base = [arguments.binary, "eval", "--data", str(data), "--split", "val", "--model", arguments.model]

        def evaluated(name, *more, cached=cache, kill_after=None):
            out = folder / name
            return out, *run([*base, "--out", str(out), "--cache", str(cached), *more], kill_after)

        rows = []

        def row(what, seconds, memory, disk):
            rows.append(f"| {what} | {seconds:.0f} | {memory:.0f} | {disk:.0f} |")
            print(rows[-1], flush=True)

        whole, seconds, memory = evaluated("whole")
        row("all, with nothing known: proposals, features, texts, scores, report", seconds, memory, size(cache) + size(whole))
        again, seconds, memory = evaluated("again")
        row("again with the cache: texts, scores, report", seconds, memory, size(again))
        rows_of_table = ["--row", "visual.global_weight=0.5", "--row", "text.sentence_weight=1.0", "--row", "guidance=none", "--row", "method=cropping"]
        more, seconds, memory = evaluated("rows", *rows_of_table)
        row("five rows of one table, which share the features", seconds, memory, size(more))
        before = size(cache)
        other, seconds, memory = evaluated("other", "--row", "method=region_token")
        row("another method's features on the known proposals", seconds, memory, size(cache) - before + size(other))
        # killed three times, with a cache of its own; the bytes are those of the run that was not
        own = folder / "own"
        for _ in range(3):
            killed, _, _ = evaluated("killed", cached=own, kill_after=20)
        killed, seconds, memory = evaluated("killed", cached=own)
        row("what was left after three kills of 20 s", seconds, memory, size(own))
        same = (killed / "results.jsonl").read_bytes() == (whole / "results.jsonl").read_bytes()
        print("the killed run's results are", "the same bytes" if same else "OTHERS")
        head = f"{arguments.images} pictures, {expressions or 'known'} expressions, {os.cpu_count()} cores"
        table = f"{head}:\n\n| what | s | resident, MB | written, MB |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
        if arguments.out:
            arguments.out.write_text(table)
        print(table)
        raise SystemExit(0 if same else 1)


if __name__ == "__main__":
    main()
