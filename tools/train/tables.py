"""Crops of the things in rendered tables (tools/tabletop) and of what is no thing, as cameras would give them."""

import json
import os

import cv2
import numpy as np
from PIL import Image

import data
from nouns import NUMBER
from words import CATEGORIES, COLOURS

cv2.setNumThreads(1)
SMALLEST, SEEN = 180, 0.45  # pixels of a thing that is learned from, and the part of it that shows
UNKNOWN = -100


class Tables:
    """The pictures of one folder, and which of their things are learned from."""

    def __init__(self, folder, keep):
        records = [json.loads(line) for line in open(f"{folder}/scenes.jsonl") if line.endswith("}\n")]
        h, w = records[0]["height"], records[0]["width"]
        count = min(len(records), os.path.getsize(f"{folder}/ids.bin") // (h * w), os.path.getsize(f"{folder}/rgb.bin") // (3 * h * w))
        self.records = records[:count]
        self.rgb = np.memmap(f"{folder}/rgb.bin", np.uint8, "r")[: count * h * w * 3].reshape(count, h, w, 3)
        self.ids = np.memmap(f"{folder}/ids.bin", np.uint8, "r")[: count * h * w].reshape(count, h, w)
        self.things = [(n, thing) for n, record in enumerate(self.records) for thing in record["objects"]
                       if thing["area"] >= SMALLEST and thing["visible"] > SEEN and keep(thing)]


def noisy(rgb, rng):
    """What a lens, a sensor and a codec do to a crop's pixels: blur, lost detail, noise, compression."""
    if rng.random() < 0.6:  # few paths are noisier than most cameras
        rgb = cv2.medianBlur(np.ascontiguousarray(rgb), 3)
    if rng.random() < 0.25:
        rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.3, 1.5))
    h, w, _ = rgb.shape
    if rng.random() < 0.3 and min(w, h) > 24:
        by = rng.uniform(0.4, 0.9)
        rgb = cv2.resize(cv2.resize(rgb, (int(w * by), int(h * by)), interpolation=cv2.INTER_AREA), (w, h))
    if rng.random() < 0.25:
        rgb = cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 92))])[1], cv2.IMREAD_COLOR)
    return rgb


def lit(rgb, rng):
    """Another white balance, exposure, contrast and saturation. Also whether its colours are still those of the thing."""
    x = rgb.astype(np.float32)
    strong = rng.random() < 0.2
    if strong:  # a thing is what it is in any colour
        kind = rng.random()
        if kind < 0.35:
            x = x.mean(2, keepdims=True).repeat(3, 2)
        elif kind < 0.7:
            x = x[..., rng.permutation(3)]
        else:
            x = x * rng.uniform(0.5, 1.5, 3)
    elif rng.random() < 0.6:
        x = x * rng.uniform(0.9, 1.1, 3).astype(np.float32)
    if rng.random() < 0.5:
        x = 255 * (x.clip(0, 255) / 255) ** rng.uniform(0.65, 1.45)
    if rng.random() < 0.4:
        grey = x.mean(2, keepdims=True)
        x = grey + rng.uniform(0.6, 1.4) * (x - grey)
    if rng.random() < 0.5:
        x = (x - 128) * rng.uniform(0.7, 1.4) + 128 + rng.uniform(-30, 30)
    if rng.random() < 0.4:
        x = x + rng.normal(0, rng.uniform(1, 12), x.shape).astype(np.float32)
    return x.clip(0, 255).astype(np.uint8), not strong


def rough(mask, rng):
    """A mask as a proposal generator might give it: a little larger, smaller, or with a bite taken out."""
    draw = rng.random()
    if draw < 0.2:
        return data.grow(mask)
    if draw < 0.4:
        less = data.shrink(mask)
        return less if less.sum() > 60 else mask
    if draw < 0.5:
        x0, y0, x1, y1 = data.tight_box(mask)
        angle, h, w = rng.uniform(0, 2 * np.pi), *mask.shape
        y, x = np.mgrid[:h, :w]
        along = (x - (x0 + x1) / 2) * np.cos(angle) + (y - (y0 + y1) / 2) * np.sin(angle)
        less = mask & (along < rng.uniform(0.2, 0.45) * max(x1 - x0, y1 - y0))
        return less if less.sum() > 0.5 * mask.sum() else mask
    return mask


def look(rgb, mask, rng, is_thing, size):
    """A masked crop [s, s, 3], and whether its colours are true."""
    x0, y0, x1, y1 = data.tight_box(mask)
    h, w = mask.shape
    near = (slice(max(0, y0 - 3), min(h, y1 + 3)), slice(max(0, x0 - 3), min(w, x1 + 3)))
    rgb, mask = rgb[near], mask[near]
    if is_thing:
        mask = rough(mask, rng)
    rgb, is_true = lit(noisy(rgb, rng), rng)
    if rng.random() < 0.5:
        rgb, mask = rgb[:, ::-1], mask[:, ::-1]
    if is_thing and rng.random() < 0.3:
        turn = float(rng.uniform(-35, 35))
        rgb = np.asarray(Image.fromarray(np.ascontiguousarray(rgb)).rotate(turn, Image.BILINEAR, expand=True))
        mask = np.asarray(Image.fromarray(np.ascontiguousarray(mask)).rotate(turn, expand=True))
    if not mask.any():
        return None, False
    x0, y0, x1, y1 = data.tight_box(mask)
    if rng.random() < 0.5:  # of the box's side
        by = rng.uniform(0, 0.12) * max(x1 - x0, y1 - y0)
        box = (max(0, int(x0 - by)), max(0, int(y0 - by)), min(mask.shape[1], int(x1 + by)), min(mask.shape[0], int(y1 + by)))
    else:
        box = (x0, y0, x1, y1)
    fill = data.MEAN * 255 if rng.random() < 0.9 else rng.uniform(0, 255, 3)
    return data.crop(rgb, mask, box, fill, size), is_true


class Views:
    """Draws things of several folders so that all names come up, common ones more often."""

    def __init__(self, folders, keep=lambda thing: True):
        self.folders = [Tables(folder, keep) for folder in folders]
        of_name = {}
        for f, tables in enumerate(self.folders):
            for n, thing in tables.things:
                number = NUMBER.get(thing["noun"])
                if number is not None:
                    of_name.setdefault(number, []).append((f, n, thing))
        self.numbers = sorted(of_name)
        self.of_name = of_name
        weight = np.array([len(of_name[number]) ** 0.5 for number in self.numbers])
        self.weight = weight / weight.sum()

    def draw(self, rng, things, nothings, size):
        """Crops [n, s, s, 3] bytes, names [n], colours [n]; `UNKNOWN` where that is not known."""
        crops, names, colours = [], [], []
        for number in rng.choice(self.numbers, things, p=self.weight):
            views = self.of_name[number]
            f, n, thing = views[rng.integers(len(views))]
            tables = self.folders[f]
            if "box" not in thing:
                thing["box"] = data.tight_box(np.asarray(tables.ids[n]) == thing["id"])
            x0, y0, x1, y1 = thing["box"]
            part = (slice(max(0, y0 - 6), y1 + 6), slice(max(0, x0 - 6), x1 + 6))
            crop, is_true = look(np.asarray(tables.rgb[n][part]), np.asarray(tables.ids[n][part]) == thing["id"], rng, True, size)
            if crop is None:
                continue
            crops.append(crop), names.append(number)
            is_known = is_true and thing["colour"] in COLOURS
            colours.append(COLOURS.index(thing["colour"]) if is_known else UNKNOWN)
        for _ in range(nothings):
            tables = self.folders[rng.integers(len(self.folders))]
            n = int(rng.integers(len(tables.records)))
            ids = np.asarray(tables.ids[n])
            if not ids.any():
                continue
            mask = data.distractor(ids, rng)
            if mask.sum() < 60:
                continue
            name = data.nothing(mask, ids)
            crop, _ = look(np.asarray(tables.rgb[n]), mask, rng, False, size)
            if crop is not None and name >= 0:
                crops.append(crop), names.append(name), colours.append(UNKNOWN)
        return np.stack(crops), np.array(names), np.array(colours)


def captions(names, colours, rng):
    """For some of the crops a text with what it demands: (text, name or -1, colour or -1)."""
    out = []
    for name, colour in zip(names, colours):
        if name >= len(CATEGORIES) or len(out) >= 60:
            continue
        the = "the " if rng.random() < 0.5 else ""
        if colour < 0:
            out.append((the + CATEGORIES[name], name, -1))
        elif rng.random() < 0.75:
            out.append((f"{the}{COLOURS[colour]} {CATEGORIES[name]}", name, colour))
        else:
            out.append((f"{the}{COLOURS[colour]} {['object', 'thing', 'item', 'one'][rng.integers(4)]}", -1, colour))
    return out
