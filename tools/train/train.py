"""Trains the demo CLIP on rendered scenes. Resumes from its own checkpoint; seeds are fixed.

    scenes --out DATA/wide --count 8000 --seed 101 --variety wide --wording mixed --expressions 24 --width 512 --height 384 --format raw
    scenes --out DATA/narrow --count 7000 --seed 102 --wording mixed --expressions 24 --width 512 --height 384 --format raw
    scenes --out DATA/val --count 80 --seed 103 --wording each --width 640 --height 480 --rays 2 --format raw
    python train.py --data DATA/wide DATA/narrow --held DATA/val --out RUN
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
from safetensors.torch import load_file
from torch import nn

import data
import model
from words import CATEGORIES, COLOURS, IDS, WORDS, encode

# Every so many steps are on whole pictures and sentences; the others on crops and attribute words, which are cheaper.
WHOLE_EVERY = 4
ONE_NOUN = [{"cup", "mug"}, {"box", "cube"}]  # people use one word for the other


class Heads(nn.Module):
    """Reads places off features, for words and pictures alike, which ties the two. Not exported."""

    def __init__(self):
        super().__init__()
        self.centre = nn.Linear(model.PROJECTION, 2)


def texts(net, rows):
    width = max(map(len, rows))
    return net.text(torch.tensor([row + [IDS["<|endoftext|>"]] * (width - len(row)) for row in rows]))


def named(net, step):
    """Features of the names of things (and of what is none) and of the colours, in this step's wording."""
    the = "the " if step % 2 else ""
    thing = ["object", "thing", "one", ""][step % 4]
    nouns = [encode(f"{the}{noun}") for noun in data.NAMES]
    colours = [encode(f"{the}{colour} {thing}") for colour in COLOURS]
    both = texts(net, nouns + colours)
    return both[: len(nouns)], both[len(nouns) :]


def cosine(a, b):
    with torch.autocast("cpu", enabled=False):
        return F.normalize(a.float(), dim=-1) @ F.normalize(b.float(), dim=-1).T


def contrast(visual, text, fits, scale):
    """Symmetric InfoNCE where each row may have several right answers; `fits` is [n, m] bool."""
    logits = scale * cosine(visual, text)
    right = logits.masked_fill(~fits, -1e4)
    by_text = logits.logsumexp(0) - right.logsumexp(0)
    by_image = (logits.logsumexp(1) - right.logsumexp(1))[fits.any(1)]
    return (by_text.mean() + by_image.mean()) / 2


def within(visual, text, batch, scale):
    """Cross entropy of each sentence over the proposals of its own scene."""
    logits = scale * cosine(text, visual)
    logits = logits.masked_fill(batch["scene_of_text"][:, None] != batch["owner"][None], -1e4)
    return F.cross_entropy(logits, batch["targets"])


def losses(net, heads, batch, step):
    n = batch["sentences"]
    text = net.text(batch["ids"])
    sentence, phrase, caption = text[:n], text[n : 2 * n], text[2 * n :]
    nouns, colours = named(net, step)
    scale = net.logit_scale.exp().clamp(max=100)
    wanted, symbols, names = batch["wanted"], batch["symbols"], batch["names"]
    fits = ((symbols[:, None, :2] == wanted[None]) | (wanted[None] < 0)).all(-1) & (symbols[:, :1] >= 0)
    out = {}

    def named_losses(feature, weight, key):
        out[f"noun_{key}"] = weight * F.cross_entropy(scale * cosine(feature, nouns), names, label_smoothing=0.02)
        out[f"colour_{key}"] = 0.7 * weight * F.cross_entropy(scale * cosine(feature, colours), symbols[:, 1])
        out[f"caption_{key}"] = 0.4 * weight * contrast(feature, caption, fits, scale)

    if batch["pictures"] is None:
        named_losses(net.local(batch["crops"]), 1.0, "l")
        return out
    g, l = net.image(batch["pictures"], batch["owner"], batch["masks"], batch["crops"])
    a = torch.rand(()) * 0.7 + 0.1
    named_losses(a * g + (1 - a) * l, 1.0, "m")
    mixed_text = 0.5 * sentence + 0.5 * phrase
    out["scene_global"] = 0.5 * within(g, sentence, batch, scale)
    out["scene_mixed"] = 0.5 * within(a * g + (1 - a) * l, mixed_text, batch, scale)
    real = symbols[:, 0] >= 0
    centre = lambda f: heads.centre(F.normalize(f, dim=-1) * 6)
    out["centre"] = 2 * F.mse_loss(centre(g[real]), batch["centres"][real])
    # words of place point, on average, at where such objects are
    out["place"] = F.mse_loss(centre(sentence), batch["centres"][batch["targets"]])
    return out


@torch.no_grad()
def judge(net, scenes, alphas=(0.0, 0.3, 0.6)):
    """On true masks, by weight of the global feature: part of the objects whose noun and colour are the best of all,
    and part of the expressions whose object scores best, by kind."""
    tally, wrong = {}, {}
    nouns, colours = (F.normalize(f, dim=-1) for f in named(net, 1))
    same = lambda a, b: a == b or {a, b} in ONE_NOUN
    for index, record in enumerate(scenes.records):
        rgb, ids = scenes.rgb[index], scenes.ids[index]
        masks = [ids == s["id"] for s in record["objects"]]
        small = np.asarray(data.Image.fromarray(rgb).resize((data.S, data.S), data.Image.BICUBIC))
        crops = np.stack([data.pixels(data.crop(rgb, m, data.tight_box(m), data.MEAN * 255)) for m in masks])
        g, l = net.image(torch.from_numpy(data.pixels(small))[None], torch.zeros(len(masks), dtype=torch.long),
                         torch.from_numpy(np.stack([data.patch_mask(m) for m in masks])), torch.from_numpy(crops))
        texts_of = [[net.text(torch.tensor([encode(e[k])])) for k in ("text", "noun_phrase")] for e in record["expressions"]]
        for a in alphas:
            seen = F.normalize(a * g + (1 - a) * l, dim=-1)
            for symbol, noun, colour in zip(record["objects"], (seen @ nouns[: len(CATEGORIES)].T).argmax(1), (seen @ colours.T).argmax(1)):
                said = CATEGORIES[noun]
                tally.setdefault((a, "noun"), []).append(same(said, symbol["category"]))
                tally.setdefault((a, "exact"), []).append(said == symbol["category"])
                tally.setdefault((a, "colour"), []).append(COLOURS[colour] == symbol["colour"])
                if a == alphas[0] and not same(said, symbol["category"]):
                    pair = f"{symbol['category']}>{said}"
                    wrong[pair] = wrong.get(pair, 0) + 1
            for e, (s, p) in zip(record["expressions"], texts_of):
                best = int((seen @ F.normalize((s + p) / 2, dim=-1)[0]).argmax())
                tally.setdefault((a, e["kind"]), []).append(record["objects"][best]["id"] == e["target"])
    worst = sorted(wrong.items(), key=lambda w: -w[1])[:12]
    return {f"{a}/{k}": round(100 * float(np.mean(v)), 1) for (a, k), v in sorted(tally.items())}, dict(worst)


def start_from(net, folder):
    """Takes the weights of an exported model; words that it did not know keep their random start."""
    tensors = load_file(f"{folder}/model.safetensors")
    known = json.load(open(f"{folder}/tokenizer.json"))["model"]["vocab"]
    key = "text_model.embeddings.token_embedding.weight"
    table = net.state_dict()[key].clone()
    for word, row in known.items():
        if word in IDS:
            table[IDS[word]] = tensors[key][row].float()
    tensors[key] = table
    net.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, nargs="+")
    p.add_argument("--held", nargs="+", default=[])
    p.add_argument("--out", required=True)
    p.add_argument("--start", help="exported model to start from")
    p.add_argument("--steps", type=int, default=6000)
    p.add_argument("--scenes", type=int, default=10, help="scenes per step")
    p.add_argument("--rate", type=float, default=7e-4)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--judge-every", type=int, default=500)
    p.add_argument("--seed", type=int, default=7)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    os.makedirs(args.out, exist_ok=True)
    net, heads = model.Clip(len(WORDS)), Heads()
    if args.start:
        start_from(net, args.start)
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
    folders = [data.Scenes(folder) for folder in args.data]
    held = {folder: data.Scenes(folder) for folder in args.held}
    began, sums = time.time(), {}
    first = step
    while step < args.steps:
        # the step's number seeds its draws, so that a resumed run sees what an unbroken one would
        rng = np.random.default_rng([args.seed, step])
        torch.manual_seed(args.seed * 1_000_003 + step)
        whole = step % WHOLE_EVERY == 0
        chosen = [(f, rng.integers(len(folders[f].records))) for f in rng.integers(len(folders), size=args.scenes)]
        batch = data.batch(folders, chosen, rng, whole)
        warm = min(1, (step + 1) / 150)
        for group in optimizer.param_groups:
            group["lr"] = args.rate * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * step / args.steps)) / 2)
        with torch.autocast("cpu", torch.bfloat16):
            parts = losses(net, heads, batch, step)
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
            total, count = sums.get(k, (0, 0))
            sums[k] = (total + v.item(), count + 1)
        if step % 50 == 0:
            shown = " ".join(f"{k} {total / count:.3f}" for k, (total, count) in sums.items())
            print(f"step {step} {(time.time() - began) / (step - first):.3f}s {shown} scale {net.logit_scale.exp():.1f}", flush=True)
            sums = {}
        if step % 250 == 0 or step == args.steps:
            state = dict(net=net.state_dict(), heads=heads.state_dict(), smooth=smooth.state_dict(),
                         optimizer=optimizer.state_dict(), step=step)
            torch.save(state, path + ".new")
            os.replace(path + ".new", path)
        if step % args.judge_every == 0 or step == args.steps:
            smooth.eval()
            for folder, scenes in held.items():
                right, wrong = judge(smooth, scenes)
                print(f"judged {step} {folder} {json.dumps(right)} most often wrong {json.dumps(wrong)}", flush=True)


if __name__ == "__main__":
    main()
