"""What PyTorch does in `against_pytorch.py` and `on_gpu.py`: random weights, and the work on them.

    python tools/bench/pytorch_work.py clip|sam|sam2|mobile|generator FOLDER cpu|cuda f32|f16|bf16

prints the milliseconds of each row as one line of JSON. Weights, picture and masks are made from fixed seeds.
"""
import importlib.util
import json
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def make(folder, patch=32):
    """Random weights, a picture with 50 ellipses, and their label image."""
    import numpy as np
    import torch
    from PIL import Image
    from transformers import CLIPConfig, CLIPModel, Sam2Config, Sam2Model, SamConfig, SamModel

    torch.manual_seed(0)
    text = dict(eos_token_id=49407, bos_token_id=49406, pad_token_id=49407)
    CLIPModel(CLIPConfig(text_config=text, vision_config=dict(patch_size=patch))).eval().save_pretrained(folder / "clip")
    (folder / "clip/tokenizer.json").write_bytes((ROOT / "models/clip_bpe/tokenizer.json").read_bytes())
    sam = SamModel(SamConfig()).eval()
    for weight in sam.parameters():  # transformers starts SAM at 1e-10, which half precision can't hold
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
    sam.save_pretrained(folder / "sam")
    Sam2Model(Sam2Config()).eval().save_pretrained(folder / "sam2")
    if importlib.util.find_spec("mobile_sam"):
        from mobile_sam import sam_model_registry

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


def timed(work, device):
    """Milliseconds of the second run on a CPU; the median of ten behind three on a GPU."""
    import torch

    cpu = device == "cpu"
    times = []
    with torch.inference_mode():
        for _ in range(2 if cpu else 13):
            began = time.perf_counter()
            work()
            if not cpu:
                torch.cuda.synchronize()
            times.append(1e3 * (time.perf_counter() - began))
    return times[-1] if cpu else statistics.median(times[3:])


def work(part, folder, device, dtype):
    """Milliseconds of each of a part's rows."""
    import numpy as np
    import torch
    import torch.nn.functional as F
    from PIL import Image

    if device == "cpu":
        torch.set_num_threads(1)
    dtype = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[dtype]
    on = dict(device=device, dtype=dtype)
    if part == "generator":
        from mobile_sam import SamAutomaticMaskGenerator, sam_model_registry

        model = sam_model_registry["vit_t"](checkpoint=None).eval()
        model.load_state_dict(torch.load(folder / "mobile.pth"))
        generator = SamAutomaticMaskGenerator(model.to(**on), points_per_side=8, points_per_batch=64, pred_iou_thresh=-1,
                                              stability_score_thresh=0, stability_score_offset=1, box_nms_thresh=0.7)
        picture = np.array(Image.open(folder / "picture.png"))
        return {"generator": timed(lambda: generator.generate(picture), device)}
    if part == "clip":
        from transformers import CLIPModel

        model = CLIPModel.from_pretrained(folder / "clip").eval().to(**on)
        vision = model.vision_model
        mean, std = torch.tensor([0.481, 0.458, 0.408])[:, None, None], torch.tensor([0.269, 0.261, 0.276])[:, None, None]
        pixels = torch.from_numpy(np.array(Image.open(folder / "picture.png")))
        labels = torch.from_numpy(np.array(Image.open(folder / "labels.png")))
        of_all = torch.stack([labels == number for number in range(1, 51) if (labels == number).any()])

        grid = 224 // model.config.vision_config.patch_size

        def features():
            picture = ((pixels.to(device).permute(2, 0, 1) / 255 - mean.to(device)) / std.to(device)).to(dtype)
            masks = of_all.to(**on)
            whole = F.interpolate(picture[None], (224, 224), mode="bilinear", antialias=True)
            x = vision.pre_layrnorm(vision.embeddings(whole))

            def layer(block, x):
                out = block(x, attention_mask=None)
                return out[0] if isinstance(out, tuple) else out

            for block in vision.encoder.layers[:-3]:
                x = layer(block, x)
            kept = F.interpolate(masks[:, None], (grid, grid), mode="bilinear").flatten(1)[..., None]
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

        ids = torch.full((2, 77), 49407, device=device)
        ids[:, 0] = 49406
        ids[0, 1:7], ids[1, 1:4] = torch.tensor([518, 736, 7, 9, 518, 11]).to(device), torch.tensor([518, 736, 7]).to(device)
        return {"clip_features": timed(features, device), "clip_texts": timed(lambda: model.get_text_features(input_ids=ids), device)}
    places, x = (torch.rand(64, 1, 2) * 1000).to(device), torch.randn(1, 3, 1024, 1024).to(**on)
    if part in ("sam", "sam2"):
        from transformers import Sam2Model, SamModel

        model = {"sam": SamModel, "sam2": Sam2Model}[part].from_pretrained(folder / part).eval().to(**on)
        encode = lambda: model.get_image_embeddings(x)
        decode = lambda e: model(image_embeddings=e, input_points=places[None].to(dtype), multimask_output=True)
    else:
        from mobile_sam import sam_model_registry

        model = sam_model_registry["vit_t"](checkpoint=None).eval()
        model.load_state_dict(torch.load(folder / "mobile.pth"))
        model.to(**on)
        encode = lambda: model.image_encoder(x)

        def decode(e):
            sparse, dense = model.prompt_encoder(points=(places, torch.ones(64, 1, device=device)), boxes=None, masks=None)
            model.mask_decoder(image_embeddings=e, image_pe=model.prompt_encoder.get_dense_pe(),
                               sparse_prompt_embeddings=sparse, dense_prompt_embeddings=dense, multimask_output=True)

    with torch.inference_mode():
        embedding = encode()
    return {f"{part}_encoder": timed(encode, device), f"{part}_points": timed(lambda: decode(embedding), device)}


if __name__ == "__main__":
    part, folder, device, dtype = sys.argv[1:]
    print(json.dumps(work(part, Path(folder), device, dtype)))
