"""Renders the tables of examples/pick with PyBullet, and asks about them: scenes of another renderer than the one that the
shipped model was trained on, for `referseg eval`.

    source target/ros/env.sh && pip install pybullet==3.2.7 pillow
    python tools/pybullet_scenes.py --out DIR --count 60
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import pybullet as p
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "examples" / "pick"))
import scene

FORMS = {
    "attribute": ["the {n}", "pick up the {n}", "please get me the {n}", "grab the {n}"],
    "left": ["the {s} on the left", "the left {s}", "the {s} on the left side"],
    "right": ["the {s} on the right", "the right {s}", "the {s} to the right"],
    "front": ["the {s} in front", "the front {s}", "the {s} close to the camera"],
    "back": ["the {s} in the back", "the {s} at the back", "the {s} far away"],
    "left of": ["the {s} left of the {a}", "the {s} to the left of the {a}"],
    "right of": ["the {s} right of the {a}", "the {s} to the right of the {a}"],
    "front of": ["the {s} in front of the {a}"],
    "behind": ["the {s} behind the {a}"],
    "leftmost": ["the leftmost {s}", "the {s} furthest to the left"],
    "rightmost": ["the rightmost {s}", "the {s} furthest to the right"],
    "nearest": ["the {s} closest to the camera", "the nearest {s}"],
    "farthest": ["the {s} farthest from the camera", "the farthest {s}"],
    "ordinal": ["the {r} {s} from the {d}", "the {s} that is {r} from the {d}"],
    "negation": ["the {s} that is not {c}", "the {s}, not the {c} one", "pick up the {c} {s}, no wait, the {o} one"],
}


def look(table):
    """RGB [h, w, 3] and, for each thing from 1 on, its pixels in a label image [h, w]."""
    rgb, _ = table.see()
    view = p.computeViewMatrix(scene.EYE.tolist(), scene.TARGET.tolist(), [0, 0, 1])
    lens = p.computeProjectionMatrixFOV(scene.FIELD, scene.WIDTH / scene.HEIGHT, scene.NEAR, scene.FAR)
    bodies = p.getCameraImage(scene.WIDTH, scene.HEIGHT, view, lens, renderer=p.ER_TINY_RENDERER)[4]
    bodies = np.reshape(bodies, (scene.HEIGHT, scene.WIDTH))
    labels = np.zeros(bodies.shape, np.uint8)
    for number, (_, body) in enumerate(table.things, 1):
        labels[bodies == body] = number
    return rgb, labels


def expressions(things, random):
    """(kind, words, label) for a table; things are (colour, shape, x, y) with centroids in parts of the width."""
    asked = []
    say = lambda form, **parts: str(random.choice(FORMS[form])).format(**parts)
    for k, (colour, shape, x, y) in enumerate(things):
        asked.append(("attribute", say("attribute", n=f"{colour} {shape}"), k + 1))
        rivals = [(j, t) for j, t in enumerate(things) if j != k and t[1] == shape]
        sides = {"left": (0, 1), "right": (0, -1), "back": (1, 1), "front": (1, -1)}
        for side, (axis, sign) in sides.items():
            if rivals and all(sign * (t[2 + axis] - (x, y)[axis]) > 0.06 for _, t in rivals):
                asked.append(("position", say(side, s=shape), k + 1))
                most = {"left": "leftmost", "right": "rightmost", "front": "nearest", "back": "farthest"}[side]
                asked.append(("superlative", say(most, s=shape), k + 1))
        for j, (ac, ash, ax, ay) in enumerate(things):
            for form, (axis, sign) in {"left of": (0, -1), "right of": (0, 1), "behind": (1, -1), "front of": (1, 1)}.items():
                beyond = lambda t: sign * (t[2 + axis] - (ax, ay)[axis])
                aligned = axis == 0 or abs(x - ax) < 0.1
                others = [t for m, t in rivals if m != j]
                if j != k and others and aligned and beyond((0, 0, x, y)) > 0.05 and all(beyond(t) < -0.02 for t in others):
                    asked.append(("relation", say(form, s=shape, a=f"{ac} {ash}"), k + 1))
        row = sorted([(t[2], j) for j, t in rivals] + [(x, k)])
        if len(row) > 2 and min(b[0] - a[0] for a, b in zip(row, row[1:])) > 0.03:
            rank = [j for _, j in row].index(k)
            if rank:
                asked.append(("ordinal", say("ordinal", s=shape, r=["first", "second", "third", "fourth"][rank], d="left"), k + 1))
        if len(rivals) == 1:
            asked.append(("negation", say("negation", s=shape, c=rivals[0][1][0], o=colour), k + 1))
    return asked


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--alike", type=int, default=0, help="so many things of one shape on each table, for orders")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = scene.Table()
    with open(arguments.out / "expressions.jsonl", "w") as lines:
        for number in range(arguments.count):
            seed = arguments.seed + number
            random = np.random.default_rng(seed)
            table.lay(seed, alike=arguments.alike)
            rgb, labels = look(table)
            names = {"image": f"{number:03}.png", "labels": f"{number:03}_labels.png"}
            Image.fromarray(rgb).save(arguments.out / names["image"])
            Image.fromarray(labels).save(arguments.out / names["labels"])
            things = []
            for label, (name, _) in enumerate(table.things, 1):
                ys, xs = np.nonzero(labels == label)
                things.append((*name.split(), xs.mean() / scene.WIDTH, ys.mean() / scene.WIDTH))
            for kind, text, label in expressions(things, random):
                lines.write(json.dumps({**names, "text": text, "label": label, "type": kind, "want": "FOUND"}) + "\n")


if __name__ == "__main__":
    main()
