"""Trains the shipped CLIP on rendered scenes and tables. Resumes from its own checkpoint; seeds are fixed.

    scenes --out OWN/wide --count 2400 --seed 101 --variety wide --wording mixed --expressions 24 --width 512 --height 384 --format raw
    scenes --out OWN/narrow --count 1600 --seed 102 --wording mixed --expressions 24 --width 512 --height 384 --format raw
    tabletop --meshes ../shared/meshes --out TABLES --count 3000 --seed 7 --width 400 --height 304
    python train.py --tables TABLES --own OWN/wide OWN/narrow --out RUN --minutes 100
"""

import argparse
import copy
import json
import math
import os
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import data
import model
import tables
from words import CATEGORIES, COLOURS, IDS, WORDS, encode

# One of so many steps is on whole pictures and sentences, one on crops of the same; the others on crops of tables.
WHOLE_EVERY = 10
THINGS, NOTHINGS = 84, 14  # crops of a step at the model's size; of smaller ones as many more as they cost less
ONE_NOUN = [{"cup", "mug"}, {"box", "cube"}]  # people use one word for the other


class Heads(nn.Module):
    """Reads places, names and colours off features, for words and pictures alike, which ties the two and teaches both sooner. Not
    exported."""

    def __init__(self):
        super().__init__()
        self.centre = nn.Linear(model.PROJECTION, 2)
        self.noun = nn.Linear(model.PROJECTION, len(data.NAMES))
        self.colour = nn.Linear(model.PROJECTION, len(COLOURS))

    def read(self, feature, nouns, colours):
        """Cross entropies of names [n] and colours [n]; negative ones do not count."""
        feature = F.normalize(feature.float(), dim=-1) * 8
        of = lambda head, truth: F.cross_entropy(head(feature), truth, ignore_index=-100) if (truth >= 0).any() else 0.0
        return of(self.noun, nouns) + 0.7 * of(self.colour, colours)

    def words(self, nouns, colours):
        """The same of the names themselves."""
        unknown = lambda n: torch.full((n,), -100)
        return self.read(nouns, torch.arange(len(nouns)), unknown(len(nouns))) + self.read(colours, unknown(len(colours)), torch.arange(len(colours)))


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
        feature = net.local(batch["crops"])
        named_losses(feature, 1.0, "l")
        out["head_l"] = heads.read(feature, names, symbols[:, 1]) + heads.words(nouns, colours)
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


def table_losses(net, heads, batch, step):
    """Of a step on crops of tables."""
    feature = net.local(batch["crops"])
    nouns, colours = named(net, step)
    scale = net.logit_scale.exp().clamp(max=100)
    out = {"noun_t": F.cross_entropy(scale * cosine(feature, nouns), batch["names"], label_smoothing=0.05)}
    if (batch["colours"] >= 0).any():
        out["colour_t"] = 0.7 * F.cross_entropy(scale * cosine(feature, colours), batch["colours"])
    out["head_t"] = heads.read(feature, batch["names"], batch["colours"]) + heads.words(nouns, colours)
    wanted = batch["wanted"]
    symbols = torch.stack([batch["names"], batch["colours"]], 1)
    fits = ((symbols[:, None] == wanted[None]) | (wanted[None] < 0)).all(-1)
    out["caption_t"] = 0.3 * contrast(feature, texts(net, batch["ids"]), fits, scale)
    return out


_drawn = {}


def drawn(given, step):
    """The batch of a step, which its number seeds."""
    torch.set_num_threads(1)
    rng = np.random.default_rng([given.seed, step])
    if "own" not in _drawn or step % 400 == 0:  # more may have been rendered since
        _drawn.update(own=[data.Scenes(folder) for folder in given.own], views=tables.Views(given.tables))
    if step % WHOLE_EVERY < 2:
        own = _drawn["own"]
        chosen = [(f, rng.integers(len(own[f].records))) for f in rng.integers(len(own), size=given.scenes)]
        return data.batch(own, chosen, rng, step % WHOLE_EVERY == 0)
    more = min(3, (data.S // given.size) ** 2)
    crops, names, colours = _drawn["views"].draw(rng, more * THINGS, more * NOTHINGS, given.size)
    words = tables.captions(names, colours, rng)
    wanted = torch.tensor([[name, colour] for _, name, colour in words])
    return dict(crops=torch.from_numpy(crops), names=torch.from_numpy(names), colours=torch.from_numpy(colours),
                ids=[encode(text) for text, _, _ in words], wanted=wanted)


def planes(crops):
    """Bytes [n, s, s, 3] -> normalised [n, 3, s, s]."""
    mean, std = torch.from_numpy(data.MEAN * 255), torch.from_numpy(data.STD * 255)
    return ((crops.float() - mean) / std).permute(0, 3, 1, 2)


@torch.no_grad()
def judge_tables(net, folders):
    """On crops with true masks of models that training left out: the part whose noun, and colour, is the best of all."""
    views, wrong, right, of_colour, sure = tables.Views(folders), {}, [], [], []
    nouns, colours = (F.normalize(f, dim=-1) for f in named(net, 1))
    for number in views.numbers:
        for f, n, thing in views.of_name[number][:12]:
            source = views.folders[f]
            mask = np.asarray(source.ids[n]) == thing["id"]
            crop = data.crop(np.asarray(source.rgb[n]), mask, data.tight_box(mask), data.MEAN * 255)
            seen = F.normalize(net.local(planes(torch.from_numpy(crop)[None])), dim=-1)
            scores = (net.logit_scale.exp() * (seen @ nouns.T)[0]).softmax(0)
            said = int(scores.argmax())
            right.append(said == number), sure.append(float(scores[number]))
            if said != number:
                pair = f"{CATEGORIES[number]}>{data.NAMES[said]}"
                wrong[pair] = wrong.get(pair, 0) + 1
            if thing["colour"] in COLOURS:
                of_colour.append(COLOURS[int((seen @ colours.T)[0].argmax())] == thing["colour"])
    worst = sorted(wrong.items(), key=lambda w: -w[1])[:16]
    return dict(noun=round(100 * float(np.mean(right)), 1), colour=round(100 * float(np.mean(of_colour)), 1), n=len(right), sure=round(float(np.mean(sure)), 3)), dict(worst)


@torch.no_grad()
def judge(net, scenes, alphas=(0.0, 0.3, 0.6)):
    """On true masks, by weight of the global feature: part of the objects whose noun and colour are the best of all,
    and part of the expressions whose object scores best, by kind."""
    tally, wrong = {}, {}
    nouns, colours = (F.normalize(f, dim=-1) for f in named(net, 1))
    same = lambda a, b: a == b or {a, b} in ONE_NOUN
    for index, record in enumerate(scenes.records[:30]):
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


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tables", required=True, nargs="+", help="folders of tools/tabletop")
    p.add_argument("--own", required=True, nargs="+", help="folders of tools/scenes")
    p.add_argument("--held", nargs="*", default=[], help="folders of tools/scenes to judge on")
    p.add_argument("--held-tables", nargs="*", default=[], help="folders of tools/tabletop to judge on")
    p.add_argument("--out", required=True)
    p.add_argument("--start", help="checkpoint whose weights to start from")
    p.add_argument("--minutes", type=float, default=100, help="of training, over all calls")
    p.add_argument("--scenes", type=int, default=10, help="scenes of a step on tools/scenes")
    p.add_argument("--size", type=int, default=data.S, help="side of the crops of tables; half of the model's teaches sooner at first")
    p.add_argument("--rate", type=float, default=1e-3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--judge-every", type=int, default=1000)
    p.add_argument("--seed", type=int, default=7)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    os.makedirs(args.out, exist_ok=True)
    net, heads = model.Clip(len(WORDS)), Heads()
    net.vision_model.embeddings.stem.to(memory_format=torch.channels_last)
    if args.start:
        net.load_state_dict(torch.load(args.start, weights_only=True)["net"])
    parameters = [*net.parameters(), *heads.parameters()]
    groups = [dict(params=[p for p in parameters if p.ndim > 1], weight_decay=0.05),
              dict(params=[p for p in parameters if p.ndim <= 1], weight_decay=0.0)]
    optimizer = torch.optim.AdamW(groups, lr=args.rate, betas=(0.9, 0.99))
    smooth, step, spent = copy.deepcopy(net), 0, 0.0
    path = f"{args.out}/checkpoint.pt"
    if os.path.exists(path):
        saved = torch.load(path, weights_only=True)
        for part, key in ((net, "net"), (heads, "heads"), (smooth, "smooth"), (optimizer, "optimizer")):
            part.load_state_dict(saved[key])
        step, spent = saved["step"], saved["spent"]
        print(f"resumed at step {step}", flush=True)
    print(f"{sum(p.numel() for p in net.parameters()) / 1e6:.2f} M parameters", flush=True)
    began, first, sums, last = time.time(), step, {}, time.time()
    worker = ProcessPoolExecutor(1)
    ahead = [worker.submit(drawn, args, step + k) for k in range(3)]

    def save():
        state = dict(net=net.state_dict(), heads=heads.state_dict(), smooth=smooth.state_dict(),
                     optimizer=optimizer.state_dict(), step=step, spent=spent + time.time() - began)
        torch.save(state, path + ".new")
        os.replace(path + ".new", path)

    while spent + time.time() - began < args.minutes * 60:
        batch = ahead.pop(0).result()
        ahead.append(worker.submit(drawn, args, step + 3))
        torch.manual_seed(args.seed * 1_000_003 + step)
        part = (spent + time.time() - began) / (args.minutes * 60)
        warm = min(1, (step + 1) / 200)
        for group in optimizer.param_groups:
            group["lr"] = args.rate * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * min(part, 1))) / 2)
        net.train()
        with torch.autocast("cpu", torch.bfloat16):
            if step % WHOLE_EVERY < 2:
                parts = losses(net, heads, batch, step)
            else:
                parts = table_losses(net, heads, dict(batch, crops=planes(batch["crops"])), step)
        optimizer.zero_grad(set_to_none=True)
        sum(parts.values()).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        decay = min(0.998, step / (step + 10))
        with torch.no_grad():
            for a, b in zip(smooth.parameters(), net.parameters()):
                a.lerp_(b, 1 - decay)
            for a, b in zip(smooth.buffers(), net.buffers()):
                a.copy_(b)
        for k, v in parts.items():
            total, count = sums.get(k, (0, 0))
            sums[k] = (total + v.item(), count + 1)
        if step % 60 == 0:
            shown = " ".join(f"{k} {total / count:.3f}" for k, (total, count) in sums.items())
            print(f"step {step} {(time.time() - began) / (step - first):.3f}s {100 * part:.0f}% {shown} scale {net.logit_scale.exp():.1f}", flush=True)
            sums = {}
        if time.time() - last > 150:
            save()
            last = time.time()
        if step % args.judge_every == 0:
            tell(step, smooth, args)
    save()
    tell(step, smooth, args)


def tell(step, smooth, args):
    """Prints how well the model does on what it was not trained on."""
    smooth.eval()
    if args.held_tables:
        right, wrong = judge_tables(smooth, args.held_tables)
        print(f"judged {step} tables {json.dumps(right)} most often wrong {json.dumps(wrong)}", flush=True)
    for folder in args.held:
        right, wrong = judge(smooth, data.Scenes(folder))
        print(f"judged {step} {folder} {json.dumps(right)} most often wrong {json.dumps(wrong)}", flush=True)


if __name__ == "__main__":
    main()
