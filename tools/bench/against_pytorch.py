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
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = {
    "clip_features": "CLIP ViT-B/32, one 640x480 picture, 50 masks, global and local features",
    "clip_texts": "two texts",
    "sam_encoder": "SAM ViT-B image encoder",
    "sam_points": "SAM ViT-B, 64 points through the decoder",
    "mobile_encoder": "MobileSAM image encoder",
    "mobile_points": "MobileSAM, 64 points through the decoder",
}


def make(folder):
    """Random weights, a picture with 50 ellipses, and their label image."""
    import numpy as np
    import torch
    from mobile_sam import sam_model_registry
    from PIL import Image
    from transformers import CLIPConfig, CLIPModel, SamConfig, SamModel

    torch.manual_seed(0)
    text = dict(eos_token_id=49407, bos_token_id=49406, pad_token_id=49407)
    CLIPModel(CLIPConfig(text_config=text, vision_config=dict(patch_size=32))).eval().save_pretrained(folder / "clip")
    (folder / "clip/tokenizer.json").write_bytes((ROOT / "models/clip_bpe/tokenizer.json").read_bytes())
    SamModel(SamConfig()).eval().save_pretrained(folder / "sam")
    torch.save(sam_model_registry["vit_t"](checkpoint=None).eval().state_dict(), folder / "mobile.pth")
    random = np.random.default_rng(1)
    y, x = np.mgrid[0:480, 0:640]
    picture, labels, number = random.normal(128, 8, (480, 640, 3)), np.zeros((480, 640), np.uint8), 0
    while number < 50:
        cx, cy, a, b = random.integers([20, 20, 12, 12], [620, 460, 60, 60])
        inside = ((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 < 1
        if (labels[inside] == 0).mean() > 0.6:
            number += 1
            labels[inside & (labels == 0)] = number
            picture[labels == number] += random.uniform(-90, 90, 3)
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / "picture.png")
    Image.fromarray(labels).save(folder / "labels.png")


def timed(work):
    import torch

    with torch.inference_mode():
        work()
        began = time.perf_counter()
        work()
    return 1e3 * (time.perf_counter() - began)


def pytorch(part, folder):
    """Milliseconds of one part, in a process of its own."""
    import numpy as np
    import torch
    import torch.nn.functional as F
    from PIL import Image

    torch.set_num_threads(1)
    if part == "clip":
        from transformers import CLIPModel

        model = CLIPModel.from_pretrained(folder / "clip").eval()
        vision = model.vision_model
        mean, std = torch.tensor([0.481, 0.458, 0.408])[:, None, None], torch.tensor([0.269, 0.261, 0.276])[:, None, None]
        picture = (torch.from_numpy(np.array(Image.open(folder / "picture.png"))).permute(2, 0, 1) / 255 - mean) / std
        labels = torch.from_numpy(np.array(Image.open(folder / "labels.png")))
        masks = torch.stack([labels == number for number in range(1, 51) if (labels == number).any()]).float()

        def features():
            whole = F.interpolate(picture[None], (224, 224), mode="bilinear", antialias=True)
            x = vision.pre_layrnorm(vision.embeddings(whole))

            def layer(block, x):
                out = block(x, attention_mask=None)
                return out[0] if isinstance(out, tuple) else out

            for block in vision.encoder.layers[:-3]:
                x = layer(block, x)
            kept = F.interpolate(masks[:, None], (7, 7), mode="bilinear").flatten(1)[..., None]
            x = x.expand(len(masks), -1, -1)
            for block in vision.encoder.layers[-3:]:
                x = layer(block, torch.cat([x[:, :1], x[:, 1:] * kept], 1))
            model.visual_projection(vision.post_layernorm(x[:, 0]))
            crops = []
            for mask in masks:
                rows, columns = torch.where(mask > 0)
                crop = (picture * mask)[:, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
                crops.append(F.interpolate(crop[None], (224, 224), mode="bilinear", antialias=True))
            model.get_image_features(torch.cat(crops))

        ids = torch.full((2, 77), 49407)
        ids[:, 0] = 49406
        ids[0, 1:7], ids[1, 1:4] = torch.tensor([518, 736, 7, 9, 518, 11]), torch.tensor([518, 736, 7])
        return {"clip_features": timed(features), "clip_texts": timed(lambda: model.get_text_features(input_ids=ids))}
    places, x = torch.rand(64, 1, 2) * 1000, torch.randn(1, 3, 1024, 1024)
    if part == "sam":
        from transformers import SamModel

        model = SamModel.from_pretrained(folder / "sam").eval()
        encode = lambda: model.get_image_embeddings(x)
        decode = lambda e: model(image_embeddings=e, input_points=places[None], multimask_output=True)
    else:
        from mobile_sam import sam_model_registry

        model = sam_model_registry["vit_t"](checkpoint=None).eval()
        model.load_state_dict(torch.load(folder / "mobile.pth"))
        encode = lambda: model.image_encoder(x)

        def decode(e):
            sparse, dense = model.prompt_encoder(points=(places, torch.ones(64, 1)), boxes=None, masks=None)
            model.mask_decoder(image_embeddings=e, image_pe=model.prompt_encoder.get_dense_pe(),
                               sparse_prompt_embeddings=sparse, dense_prompt_embeddings=dense, multimask_output=True)

    with torch.inference_mode():
        embedding = encode()
    return {f"{part}_encoder": timed(encode), f"{part}_points": timed(lambda: decode(embedding))}


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
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="keep the weights here")
    arguments = parser.parse_args()
    if arguments.part:
        print(json.dumps(pytorch(arguments.part, arguments.folder)))
        return
    folder = arguments.folder or Path(tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)
    if not (folder / "labels.png").exists():
        make(folder)
    stages, picture = ROOT / "target/release/examples/stages", folder / "picture.png"
    ours = {"clip": ["clip", folder / "clip", picture, folder / "labels.png", 2], "sam": ["sam", folder / "sam", picture, 2],
            "mobile": ["sam", folder / "mobile.pth", picture, 2]}
    times = {row: [] for row in ROWS}
    for _ in range(arguments.rounds):
        for part, command in ours.items():
            theirs = run([sys.executable, __file__, "--part", part, "--folder", folder], arguments.core)
            found = run([stages, *command], arguments.core)
            found = found if part == "clip" else {f"{part}_{name}": value for name, value in found.items()}
            for row in theirs:
                times[row].append((found[row], theirs[row]))
            print(part, found, theirs, flush=True)
    import torch

    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line), platform.machine())
    lines = ["| work | Referseg, ms | PyTorch, ms | ratio | smallest to largest ratio |", "|---|---|---|---|---|"]
    for row, pairs in times.items():
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
