"""Writes a trained checkpoint as a Hugging Face CLIP folder: config.json, model.safetensors (f16), tokenizer.json.

    python export.py --run RUN --out models/demo
"""

import argparse
import json
import os

import torch
from safetensors.torch import save_file

import model
from words import END, IDS, WORDS, tokenizer_json


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--run", required=True)
    p.add_argument("--out", required=True)
    args = p.parse_args()
    saved = torch.load(f"{args.run}/checkpoint.pt", weights_only=True)
    net = model.Clip(len(WORDS))
    net.load_state_dict(saved["smooth"])
    kept = net.state_dict()
    for name, part in net.named_modules():
        if isinstance(part, model.Normed):  # one convolution with a bias
            kept = {k: v for k, v in kept.items() if not k.startswith(name + ".")}
            kept[f"{name}.weight"], kept[f"{name}.bias"] = (t.detach() for t in part.folded())
    tensors = {k: (v.float() if k == "logit_scale" else v.half()).contiguous() for k, v in kept.items()}
    os.makedirs(args.out, exist_ok=True)
    save_file(tensors, f"{args.out}/model.safetensors", {"format": "pt", "steps": str(saved["step"])})
    for name, value in (("config.json", model.config(len(WORDS), IDS[END])), ("tokenizer.json", tokenizer_json())):
        with open(f"{args.out}/{name}", "w") as f:
            json.dump(value, f, indent=1)
            f.write("\n")
    print(f"step {saved['step']}: {sum(t.numel() for t in tensors.values()) / 1e6:.2f} M parameters in {args.out}")


if __name__ == "__main__":
    main()
