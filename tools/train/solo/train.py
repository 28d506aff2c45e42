"""Trains the small SOLO on rendered tables (tools/tabletop). Goes on from its own checkpoint; seeds are fixed.

    pip install torch numpy pillow safetensors
    tabletop --meshes ../shared/meshes --out DATA --count 12000 --width 400 --height 304
    python tools/train/solo/train.py --data DATA --out RUN --minutes 100
"""

import argparse
import io
import json
import math
import os
import time
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageFilter
from safetensors.torch import save_file

import network
from network import CONFIG, GRIDS, SCALES, Solo

MEAN, STD = np.array(CONFIG["mean"], np.float32), np.array(CONFIG["std"], np.float32)
CENTRE = 0.2  # part of an object's box, around its middle, whose cells are trained to find it (SOLOv2's sigma)
SMALLEST = 30  # pixels of the network's input: what is smaller is not asked for
SEEN = 0.3  # part of an object that must be visible


class Tables:
    """The pictures of one folder."""

    def __init__(self, folder):
        lines = [line for line in open(f"{folder}/scenes.jsonl") if line.endswith("}\n")]
        self.records = [json.loads(line) for line in lines]
        h, w = self.records[0]["height"], self.records[0]["width"]
        self.count = min(len(self.records), os.path.getsize(f"{folder}/ids.bin") // (h * w), os.path.getsize(f"{folder}/rgb.bin") // (3 * h * w))
        self.rgb = np.memmap(f"{folder}/rgb.bin", np.uint8, "r")[: self.count * h * w * 3].reshape(self.count, h, w, 3)
        self.ids = np.memmap(f"{folder}/ids.bin", np.uint8, "r")[: self.count * h * w].reshape(self.count, h, w)


def camera(rgb, rng):
    """The picture as some camera would give it."""
    if rng.random() < 0.7:  # few paths are noisier than most cameras
        rgb = cv2.medianBlur(np.ascontiguousarray(rgb), 3)
    x = rgb.astype(np.float32)
    if rng.random() < 0.6:
        x = x * rng.uniform(0.82, 1.2, 3)  # white balance
    if rng.random() < 0.6:
        x = 255 * (x.clip(0, 255) / 255) ** rng.uniform(0.65, 1.5)
    if rng.random() < 0.4:
        grey = x.mean(2, keepdims=True)
        x = grey + rng.uniform(0.3, 1.4) * (x - grey)
    if rng.random() < 0.5:
        x = (x - 128) * rng.uniform(0.7, 1.25) + 128 + rng.uniform(-25, 25)
    if rng.random() < 0.5:
        x = x + rng.normal(0, rng.uniform(1, 12), x.shape)
    picture = Image.fromarray(x.clip(0, 255).astype(np.uint8))
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.4)))
    if rng.random() < 0.4:
        packed = io.BytesIO()
        picture.save(packed, "JPEG", quality=int(rng.integers(25, 92)))
        picture = Image.open(packed)
    return np.asarray(picture)


def sample(tables, index, rng, size):
    """Pixels [3, h, w] and instance numbers [h, w] of a random part of a picture, as the network sees it; h, w are `size`."""
    record, rgb, ids = tables.records[index], np.asarray(tables.rgb[index]), np.asarray(tables.ids[index]).copy()
    for shown in record["objects"]:
        if shown["visible"] < SEEN:
            ids[ids == shown["id"]] = 255  # neither object nor ground
    h, w = ids.shape
    scale = math.exp(rng.uniform(math.log(0.55), math.log(1.0)))  # of the picture that is cut out
    ch, cw = int(h * scale), int(w * scale)
    y, x = rng.integers(0, h - ch + 1), rng.integers(0, w - cw + 1)
    rgb, part = rgb[y : y + ch, x : x + cw], ids[y : y + ch, x : x + cw]
    rgb = np.asarray(Image.fromarray(camera(rgb, rng)).resize((size[1], size[0]), Image.BILINEAR))
    part = np.asarray(Image.fromarray(part).resize((size[1], size[0]), Image.NEAREST))
    if rng.random() < 0.5:
        rgb, part = rgb[:, ::-1], part[:, ::-1]
    pixels = ((rgb.astype(np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(pixels)), np.ascontiguousarray(part)


def targets(part):
    """Of each level: the cells of objects, with the number of the object; and the masks [n, h / 4, w / 4] of all objects."""
    h, w = part.shape
    masks, cells, ignored = [], [[] for _ in GRIDS], [set() for _ in GRIDS]
    for number in np.unique(part):
        if number == 0:
            continue
        inside = part == number
        area = inside.sum()
        ys, xs = np.nonzero(inside)
        cy, cx = ys.mean(), xs.mean()
        hh, ww = 0.5 * CENTRE * (np.ptp(ys) + 1), 0.5 * CENTRE * (np.ptp(xs) + 1)
        is_asked = number != 255 and area >= SMALLEST
        if is_asked:
            masks.append(F.interpolate(torch.from_numpy(inside)[None, None].float(), size=(h // 4, w // 4), mode="area")[0, 0])
        for level, (side, (low, high)) in enumerate(zip(GRIDS, SCALES)):
            if not low <= math.sqrt(area) <= high:
                continue
            row, column = int(cy / h * side), int(cx / w * side)
            span = lambda middle, half, full, centre: range(max(middle - 1, int((centre - half) / full * side), 0),
                                                            min(middle + 1, int((centre + half) / full * side), side - 1) + 1)
            for r in span(row, hh, h, cy):
                for c in span(column, ww, w, cx):
                    if is_asked:
                        cells[level].append((r * side + c, len(masks) - 1))
                    else:
                        ignored[level].add(r * side + c)
    return cells, ignored, (torch.stack(masks) if masks else torch.zeros(0, h // 4, w // 4))


def focal(logits, wanted, counted):
    p = torch.sigmoid(logits)
    ce = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    near = p * wanted + (1 - p) * (1 - wanted)
    weight = 0.25 * wanted + 0.75 * (1 - wanted)
    return (weight * ce * (1 - near) ** 2 * counted).sum()


def loss_of(net, pixels, wanted):
    categories, kernels, features = net(pixels)
    category_loss, mask_loss, positives = 0.0, [], 0
    for level, side in enumerate(GRIDS):
        logits = categories[level][..., 0].float()
        truth, counted = torch.zeros_like(logits), torch.ones_like(logits)
        for b, (cells, ignored, masks) in enumerate(wanted):
            for cell in ignored[level]:
                counted[b, cell] = 0
            for cell, _ in cells[level]:
                truth[b, cell], counted[b, cell] = 1, 1
            if cells[level]:
                at = torch.tensor([cell for cell, _ in cells[level]])
                of = torch.tensor([number for _, number in cells[level]])
                positives += len(cells[level])
                p = torch.sigmoid((kernels[level][b, at] @ features[b].flatten(1)).float())
                q = masks[of].flatten(1)
                dice = 1 - (2 * (p * q).sum(1) + 1e-3) / ((p * p).sum(1) + (q * q).sum(1) + 1e-3)
                mask_loss.append(dice)
        category_loss = category_loss + focal(logits, truth, counted)
    category_loss = category_loss / (positives + 1)
    dice = torch.cat(mask_loss).mean() if mask_loss else torch.zeros(())
    return category_loss + 3 * dice, float(category_loss.detach()), float(dice.detach())


SIZES = [(256, 352), (288, 384), (320, 416), (320, 448)]


def drawn(folders, step, count):
    """The batch of a step, which its number seeds: pixels [count, 3, h, w] and the targets of each picture."""
    torch.set_num_threads(1)
    folders = [Tables(folder) for folder in folders]  # more may have been rendered since
    rng = np.random.default_rng(1000 + step)
    size = SIZES[rng.integers(len(SIZES))]
    pictures, wanted = [], []
    for _ in range(count):
        tables = folders[rng.integers(len(folders))]
        pixels, ids = sample(tables, int(rng.integers(tables.count)), rng, size)
        pictures.append(pixels), wanted.append(targets(ids))
    return torch.stack(pictures), wanted, sum(tables.count for tables in folders)


def export(net, folder):
    """Weights as f16, with the settings beside them."""
    os.makedirs(folder, exist_ok=True)
    kept = {name: value.half().contiguous() for name, value in net.state_dict().items() if "num_batches" not in name}
    save_file(kept, f"{folder}/model.safetensors")
    json.dump(CONFIG, open(f"{folder}/config.json", "w"), indent=1)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", nargs="+", required=True)
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--minutes", type=float, default=100, help="of training, over all calls")
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--rate", type=float, default=1.5e-3)
    arguments.add_argument("--threads", type=int, default=2)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(5)
    os.makedirs(given.out, exist_ok=True)
    net = Solo().to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998), use_buffers=True)
    decayed = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}], lr=given.rate)
    step, spent, seen = 0, 0.0, 0
    checkpoint = f"{given.out}/checkpoint.pt"
    if os.path.exists(checkpoint):
        kept = torch.load(checkpoint)
        net.load_state_dict(kept["net"]), average.load_state_dict(kept["average"]), optimiser.load_state_dict(kept["optimiser"])
        step, spent, seen = kept["step"], kept["spent"], kept["seen"]
    print(f"{sum(p.numel() for p in net.parameters())} parameters, {network.backbone_parameters(net)} in the backbone; from step {step}", flush=True)
    began, saved, log = time.time(), time.time(), open(f"{given.out}/log.jsonl", "a")
    sums = np.zeros(3)
    worker = ProcessPoolExecutor(1)
    ahead = [worker.submit(drawn, given.data, step + k, given.batch) for k in range(2)]
    while spent + (time.time() - began) < given.minutes * 60:
        pixels, wanted, pictures = ahead.pop(0).result()
        ahead.append(worker.submit(drawn, given.data, step + 2, given.batch))
        part = (spent + time.time() - began) / (given.minutes * 60)
        rate = given.rate * min(1, (step + 1) / 300) * (0.5 + 0.5 * math.cos(math.pi * min(part, 1)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        net.train()
        with torch.autocast("cpu", torch.bfloat16):
            loss, *parts = loss_of(net, pixels.to(memory_format=torch.channels_last), wanted)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        average.update_parameters(net)
        step, seen = step + 1, seen + given.batch
        sums += [float(loss.detach()), *parts]
        if step % 50 == 0:
            line = dict(step=step, seen=seen, minutes=round((spent + time.time() - began) / 60, 2), pictures=pictures,
                        rate=rate, loss=sums[0] / 50, category=sums[1] / 50, dice=sums[2] / 50)
            print(json.dumps(line), flush=True)
            log.write(json.dumps(line) + "\n"), log.flush()
            sums[:] = 0
        if time.time() - saved > 120:
            state = dict(net=net.state_dict(), average=average.state_dict(), optimiser=optimiser.state_dict(), step=step,
                         spent=spent + time.time() - began, seen=seen)
            torch.save(state, checkpoint + ".new"), os.replace(checkpoint + ".new", checkpoint)
            export(average.module, f"{given.out}/export")
            saved = time.time()
    export(average.module, f"{given.out}/export")


if __name__ == "__main__":
    main()
