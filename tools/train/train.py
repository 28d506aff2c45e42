"""Trains the demo CLIP on rendered scenes. Resumes from its own checkpoint; seeds are fixed.

    scenes --out DATA/train --count 30000 --seed 1 --format raw --wording mixed
    scenes --out DATA/val --count 100 --seed 2 --format raw --wording each
    python train.py --data DATA --out RUN
"""

import argparse
import copy
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import data
import model
from words import CATEGORIES, COLOURS, WORDS, encode


class Heads(nn.Module):
    """Read symbols off features, the same reader for words and pictures, which ties the two. Not exported."""

    def __init__(self):
        super().__init__()
        d = model.PROJECTION
        self.category, self.colour, self.size = nn.Linear(d, len(CATEGORIES)), nn.Linear(d, len(COLOURS)), nn.Linear(d, 3)
        self.centre = nn.Linear(d, 2)


def contrast(visual, text, fits, scale):
    """Symmetric InfoNCE where each row may have several right answers; `fits` is [n, m] bool."""
    logits = scale * F.normalize(visual, dim=-1) @ F.normalize(text, dim=-1).T
    right = logits.masked_fill(~fits, -1e4)
    by_text = logits.logsumexp(0) - right.logsumexp(0)
    by_image = (logits.logsumexp(1) - right.logsumexp(1))[fits.any(1)]
    return (by_text.mean() + by_image.mean()) / 2


def within(visual, text, batch, scale):
    """Cross entropy of each sentence over the proposals of its own scene."""
    logits = scale * F.normalize(text, dim=-1) @ F.normalize(visual, dim=-1).T
    logits = logits.masked_fill(batch["scene_of_text"][:, None] != batch["owner"][None], -1e4)
    return F.cross_entropy(logits, batch["targets"])


def losses(net, heads, batch):
    n = batch["sentences"]
    g, l = net.image(batch["pictures"], batch["owner"], batch["masks"], batch["crops"])
    text = net.text(batch["ids"])
    sentence, phrase, caption = text[:n], text[n : 2 * n], text[2 * n :]
    scale = net.logit_scale.exp().clamp(max=100)
    wanted, symbols = batch["wanted"], batch["symbols"]
    fits = ((symbols[:, None, :2] == wanted[None]) | (wanted[None] < 0)).all(-1) & (symbols[:, :1] >= 0)
    a = torch.rand(()) * 0.6 + 0.3
    mixed_text = 0.5 * sentence + 0.5 * phrase
    out = dict(local=contrast(l, caption, fits, scale), whole=0.5 * contrast(g, caption, fits, scale),
               scene_global=0.7 * within(g, sentence, batch, scale),
               scene_mixed=0.7 * within(a * g + (1 - a) * l, mixed_text, batch, scale))
    real = symbols[:, 0] >= 0
    unit = lambda f: F.normalize(f, dim=-1) * 6
    for feature, weight in ((l, 0.3), (g, 0.2)):
        read = unit(feature[real])
        for k, head in enumerate((heads.category, heads.colour, heads.size)):
            out[f"symbol{k}"] = out.get(f"symbol{k}", 0) + weight * F.cross_entropy(head(read), symbols[real, k])
    read = unit(caption)
    for k, head in enumerate((heads.category, heads.colour)):
        known = wanted[:, k] >= 0
        out[f"word{k}"] = 0.1 * F.cross_entropy(head(read[known]), wanted[known, k])
    centre = lambda f: heads.centre(unit(f))
    out["centre"] = 3 * F.mse_loss(centre(g[real]), batch["centres"][real])
    # words of place point, on average, at where such objects are
    out["place"] = 1.5 * F.mse_loss(centre(sentence), batch["centres"][batch["targets"]])
    return out


@torch.no_grad()
def picks(net, scenes, alphas=(0.0, 0.5, 0.7, 1.0)):
    """Part of the expressions whose object scores best among the true masks, by kind and weight of the global feature."""
    tally = {}
    for index, record in enumerate(scenes.records):
        rgb, ids = scenes.rgb[index], scenes.ids[index]
        masks = [ids == s["id"] for s in record["objects"]]
        small = np.asarray(data.Image.fromarray(rgb).resize((data.S, data.S), data.Image.BILINEAR))
        crops = np.stack([data.pixels(data.crop(rgb, m, data.tight_box(m), data.MEAN * 255)) for m in masks])
        g, l = net.image(torch.from_numpy(data.pixels(small))[None], torch.zeros(len(masks), dtype=torch.long),
                         torch.from_numpy(np.stack([data.patch_mask(m) for m in masks])), torch.from_numpy(crops))
        for e in record["expressions"]:
            s, p = (net.text(torch.tensor([encode(e[k])])) for k in ("text", "noun_phrase"))
            t = F.normalize((s + p) / 2, dim=-1)[0]
            for a in alphas:
                best = int((F.normalize(a * g + (1 - a) * l, dim=-1) @ t).argmax())
                right = record["objects"][best]["id"] == e["target"]
                for kind in ("all", e["kind"]):
                    tally.setdefault((a, kind), []).append(right)
    return {f"{a}/{k}": round(100 * float(np.mean(v)), 1) for (a, k), v in sorted(tally.items())}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--steps", type=int, default=6000)
    p.add_argument("--scenes", type=int, default=8, help="scenes per step")
    p.add_argument("--rate", type=float, default=1e-3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seed", type=int, default=7)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    os.makedirs(args.out, exist_ok=True)
    net, heads = model.Clip(len(WORDS)), Heads()
    parameters = [*net.parameters(), *heads.parameters()]
    groups = [dict(params=[p for p in parameters if p.ndim > 1], weight_decay=0.05),
              dict(params=[p for p in parameters if p.ndim <= 1], weight_decay=0.0)]
    optimizer = torch.optim.AdamW(groups, lr=args.rate, betas=(0.9, 0.99))
    smooth, step = copy.deepcopy(net), 0
    path = f"{args.out}/checkpoint.pt"
    if os.path.exists(path):
        saved = torch.load(path, weights_only=True)
        for part, key in ((net, "net"), (heads, "heads"), (smooth, "smooth"), (optimizer, "optimizer")):
            part.load_state_dict(saved[key])
        step = saved["step"]
        print(f"resumed at step {step}", flush=True)
    scenes, held = data.Scenes(f"{args.data}/train"), data.Scenes(f"{args.data}/val")
    began, sums = time.time(), {}
    first = step
    while step < args.steps:
        # the step's number seeds its draws, so that a resumed run sees what an unbroken one would
        rng = np.random.default_rng([args.seed, step])
        torch.manual_seed(args.seed * 1_000_003 + step)
        batch = data.batch(scenes, rng.integers(len(scenes), size=args.scenes), rng)
        warm = min(1, (step + 1) / 150)
        for group in optimizer.param_groups:
            group["lr"] = args.rate * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * step / args.steps)) / 2)
        parts = losses(net, heads, batch)
        optimizer.zero_grad(set_to_none=True)
        sum(parts.values()).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        decay = min(0.998, step / (step + 10))
        with torch.no_grad():
            for a, b in zip(smooth.parameters(), net.parameters()):
                a.lerp_(b, 1 - decay)
        for k, v in parts.items():
            sums[k] = sums.get(k, 0) + v.item()
        if step % 50 == 0:
            shown = " ".join(f"{k} {v / 50:.3f}" for k, v in sums.items())
            print(f"step {step} {(time.time() - began) / (step - first):.3f}s {shown} scale {net.logit_scale.exp():.1f}", flush=True)
            sums = {}
        if step % 250 == 0 or step == args.steps:
            state = dict(net=net.state_dict(), heads=heads.state_dict(), smooth=smooth.state_dict(),
                         optimizer=optimizer.state_dict(), step=step)
            torch.save(state, path + ".new")
            os.replace(path + ".new", path)
        if step % 500 == 0 or step == args.steps:
            smooth.eval()
            print(f"picks {step} {json.dumps(picks(smooth, held))}", flush=True)


if __name__ == "__main__":
    main()
