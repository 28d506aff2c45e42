"""Batches of rendered scenes: masked crops, patch masks, whole pictures, and the words that fit each object."""

import io
import json
import os

import numpy as np
import torch
from PIL import Image

import expressions
import model
from words import CATEGORIES, COLOURS, IDS, NOTHING, encode

MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)  # CLIP's
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
S, GRID = model.IMAGE_SIZE, model.IMAGE_SIZE // model.PATCH
FILLERS = {i for w, i in IDS.items() if i > IDS["only"]}
NAMES = CATEGORIES + NOTHING


class Scenes:
    """Rendered scenes of one folder, with region proposals where `dump_regions` has made them."""

    def __init__(self, folder):
        self.records = [json.loads(line) for line in open(f"{folder}/scenes.jsonl")]
        h, w = self.records[0]["height"], self.records[0]["width"]
        self.proposals = []
        if os.path.exists(f"{folder}/regions.jsonl"):
            self.proposals = [json.loads(line) for line in open(f"{folder}/regions.jsonl")]
            self.offsets = np.concatenate([[0], np.cumsum([len(p) for p in self.proposals])])
            self.packed = np.memmap(f"{folder}/regions.bin", np.uint8, "r").reshape(-1, h * w // 8)
        self.rgb = np.memmap(f"{folder}/rgb.bin", np.uint8, "r", shape=(len(self.records), h, w, 3))
        self.ids = np.memmap(f"{folder}/ids.bin", np.uint8, "r", shape=(len(self.records), h, w))

    def region(self, index, which):
        """Mask of one region proposal of a scene."""
        return np.unpackbits(self.packed[self.offsets[index] + which]).astype(bool).reshape(self.ids.shape[1:])


def pixels(rgb):
    """[h, w, 3] bytes at the model's size -> normalised [3, s, s]."""
    return ((rgb.astype(np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1)


def patch_mask(mask):
    """Part of each patch of the squashed picture that the mask covers, [g * g]."""
    return np.asarray(Image.fromarray(mask.astype(np.float32)).resize((GRID, GRID), Image.BOX)).reshape(-1)


def crop(rgb, mask, box, fill, size=S):
    """The box of the picture in the middle of a square, filled outside the mask, at the model's size."""
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0)
    left, top = (side - (x1 - x0)) // 2, (side - (y1 - y0)) // 2
    part = np.full((side, side, 3), np.asarray(fill).astype(np.uint8), np.uint8)
    np.copyto(part[top : top + y1 - y0, left : left + x1 - x0], rgb[y0:y1, x0:x1], where=mask[y0:y1, x0:x1, None])
    return np.asarray(Image.fromarray(part).resize((size, size), Image.BICUBIC))


def tight_box(mask):
    ys, xs = np.where(mask.any(1))[0], np.where(mask.any(0))[0]
    return xs[0], ys[0], xs[-1] + 1, ys[-1] + 1


def shifted(mask, dx, dy):
    return np.roll(np.roll(mask, dx, 1), dy, 0)


def grow(mask):
    return mask | shifted(mask, 1, 0) | shifted(mask, -1, 0) | shifted(mask, 0, 1) | shifted(mask, 0, -1)


def shrink(mask):
    return ~grow(~mask)


def distractor(ids, rng):
    """A region that is no object: what an imperfect proposal generator also returns."""
    h, w = ids.shape
    objects = [i for i in range(1, ids.max() + 1) if (ids == i).any()]
    kind = rng.integers(5)
    if kind == 0:  # a blob of background
        cy, cx, ry, rx = rng.uniform(0, h), rng.uniform(0, w), rng.uniform(0.04, 0.26) * h, rng.uniform(0.04, 0.23) * w
        y, x = np.ogrid[:h, :w]
        return (((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1) & (ids == 0)
    mask = ids == rng.choice(objects)
    x0, y0, x1, y1 = tight_box(mask)
    if kind == 1:  # a part
        y, x = np.mgrid[:h, :w]
        a = rng.uniform(0, 2 * np.pi)
        along = (x - (x0 + x1) / 2) * np.cos(a) + (y - (y0 + y1) / 2) * np.sin(a)
        return mask & (along > rng.uniform(-0.1, 0.25) * max(x1 - x0, y1 - y0))
    if kind == 2 and len(objects) > 1:  # two objects
        return mask | (ids == rng.choice([i for i in objects if not mask[ids == i].any()]))
    if kind == 3:  # an object with much background
        gx, gy = int(0.3 * (x1 - x0)) + 3, int(0.3 * (y1 - y0)) + 3
        out = np.zeros_like(mask)
        out[max(0, y0 - gy) : y1 + gy, max(0, x0 - gx) : x1 + gx] = True
        return out
    return ids == 0  # all of the background


def proposed(scenes, index, object_id, rng, truth):
    """The object's true mask, or now and then a proposal that found it well enough."""
    if index >= len(scenes.proposals) or rng.random() < 0.6:
        return truth
    good = [k for k, (best, iou) in enumerate(scenes.proposals[index]) if best == object_id and iou > 0.6]
    return scenes.region(index, rng.choice(good)) if good else truth


def negatives(scenes, index, ids, rng, count=3):
    """Regions that are no object: proposals that failed, or made up."""
    bad = []
    if index < len(scenes.proposals):
        bad = [k for k, (_, iou) in enumerate(scenes.proposals[index]) if iou < 0.4]
    chosen = rng.permutation(bad)[: count - 1]
    return [scenes.region(index, k) for k in chosen] + [distractor(ids, rng)]


def nothing(mask, ids):
    """Which of `NOTHING` a region that is no object is; -100 where that is hard to say."""
    counts = np.bincount(ids[mask], minlength=2)
    whole = np.bincount(ids.ravel(), minlength=len(counts))[: len(counts)]
    inside, cover = counts[1:] / mask.sum(), counts[1:] / np.maximum(whole[1:], 1)
    if inside.sum() < 0.2:
        return NAMES.index("background")
    if inside.max() > 0.75 and cover[inside.argmax()] < 0.55:
        return NAMES.index("part")
    if (cover > 0.4).sum() > 1:
        return NAMES.index("group")
    return -100


def looks(scenes, index, rng):
    """The picture, jittered as another camera would: brightness, contrast, tint, saturation, compression."""
    rgb = np.asarray(scenes.rgb[index])
    if rng is None:
        return rgb
    if rng.random() < 0.2:
        amount = rng.uniform(0.7, 1.25)
        grey = rgb.astype(np.float32).mean(2, keepdims=True)
        rgb = (grey + amount * (rgb - grey)).clip(0, 255).astype(np.uint8)
    table = np.arange(256, dtype=np.float32)[:, None] * rng.uniform(0.96, 1.04, 3) * rng.uniform(0.82, 1.18)
    table = (table - 128) * rng.uniform(0.85, 1.15) + 128
    table = table.clip(0, 255).astype(np.uint8)
    rgb = np.stack([table[:, c][rgb[..., c]] for c in range(3)], -1)
    if rng.random() < 0.25:
        packed = io.BytesIO()
        Image.fromarray(rgb).save(packed, "JPEG", quality=int(rng.integers(35, 95)))
        rgb = np.asarray(Image.open(packed))
    return rgb


def caption(symbol, rng):
    """Attribute words for one object and what they demand: (text, category, colour)."""
    category, colour = symbol["category"], symbol["colour"]
    shown = ["gray", "grey"][rng.integers(2)] if colour == "gray" else colour
    draw = rng.random()
    the = "the " if rng.random() < 0.5 else ""
    if draw < 0.65:
        return f"{the}{shown} {category}", category, colour
    if draw < 0.88:
        return the + category, category, None
    return f"{the}{shown} {['object', 'thing', 'item', 'one'][rng.integers(4)]}", None, colour


def look_of(rgb, mask, rng, whole):
    """One masked crop as a proposal generator and the encoder's preprocessing might make it."""
    change = rng.random()
    if whole and change < 0.3:
        mask = grow(mask) if change < 0.15 else (shrink(mask) if shrink(mask).sum() > 20 else mask)
    x0, y0, x1, y1 = tight_box(mask)
    h, w = mask.shape
    jitter = rng.integers(-4, 5, 4) if rng.random() < 0.4 else np.zeros(4, int)
    box = (max(0, x0 + jitter[0]), max(0, y0 + jitter[1]), min(w, x1 + jitter[2]), min(h, y1 + jitter[3]))
    if box[2] - box[0] < 3 or box[3] - box[1] < 3:
        box = (x0, y0, x1, y1)
    fill = MEAN * 255 if rng.random() < 0.85 else rng.uniform(0, 255, 3)
    seen = crop(rgb, mask, box, fill)
    return seen[:, ::-1] if rng.random() < 0.5 else seen


def batch(folders, chosen, rng, whole, sentences=6):
    """Training batch of scenes, given as (folder, index) pairs. With `whole`, also whole pictures and sentences; only
    then does the place in the picture matter."""
    pictures, crops, masks, owner, meta, texts, phrases, targets, captions = [], [], [], [], [], [], [], [], []
    where, names = [], []
    for n, (folder, index) in enumerate(chosen):
        scenes = folders[folder]
        record, ids = scenes.records[index], np.asarray(scenes.ids[index])
        rgb = looks(scenes, index, rng)
        if whole:
            pictures.append(pixels(np.asarray(Image.fromarray(rgb).resize((S, S), Image.BICUBIC))))
        slot = {}
        regions = [(s["id"], s, proposed(scenes, index, s["id"], rng, ids == s["id"])) for s in record["objects"]]
        regions += [(0, None, mask) for mask in negatives(scenes, index, ids, rng)]
        for key, symbol, mask in regions:
            if mask.sum() < 40:
                continue
            crops.append(pixels(look_of(rgb, mask, rng, symbol is not None)))
            if whole:
                masks.append(patch_mask(mask))
            slot[key] = len(owner)
            owner.append(n)
            meta.append(symbol)
            names.append(CATEGORIES.index(symbol["category"]) if symbol else nothing(mask, ids))
            if symbol:
                captions.append(caption(symbol, rng))
        if not whole:
            continue
        usable = [e for e in record["expressions"] if e["target"] in slot]
        usable = [usable[k] for k in rng.permutation(len(usable))[:sentences]]
        usable += [e for e in expressions.draw(record["objects"], rng, 3) if e["target"] in slot]
        for e in usable:
            hide = lambda w: rng.random() < (0.12 if IDS.get(w, 0) in FILLERS else 0.01)
            texts.append(encode(e["text"], hide))
            phrases.append(encode(e["noun_phrase"], hide))
            targets.append(slot[e["target"]])
            where.append(n)
    ids = texts + phrases + [encode(c[0]) for c in captions]
    width = max(map(len, ids))
    fill = IDS["<|endoftext|>"]
    ids = torch.tensor([row + [fill] * (width - len(row)) for row in ids])
    tensor = lambda rows: torch.from_numpy(np.stack(rows)) if rows else None
    symbol_ids = torch.tensor([[CATEGORIES.index(s["category"]), COLOURS.index(s["colour"]),
                                ["small", "medium", "large"].index(s["size"])] if s else [-100] * 3 for s in meta])
    centres = torch.tensor([s["centroid"] if s else [float("nan")] * 2 for s in meta])
    wanted = torch.tensor([[CATEGORIES.index(c[1]) if c[1] else -1, COLOURS.index(c[2]) if c[2] else -1] for c in captions])
    return dict(pictures=tensor(pictures), crops=tensor(crops), masks=tensor(masks), owner=torch.tensor(owner), ids=ids,
                sentences=len(texts), targets=torch.tensor(targets), scene_of_text=torch.tensor(where), names=torch.tensor(names),
                symbols=symbol_ids, centres=centres, wanted=wanted)
