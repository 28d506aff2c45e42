"""The demo CLIP: a small vision and text transformer whose parameters carry Hugging Face's CLIP names."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

IMAGE_SIZE, PATCH = 128, 16
# Convolutions before the patches: each stage halves the picture; then residual pairs. What is left of a patch is 2 by 2 places.
STEM = [(24, 0), (48, 1), (96, 2)]  # channels, residual pairs
VISION = dict(width=160, heads=5, layers=5)
TEXT = dict(width=128, heads=4, layers=3)
MASKED_BLOCKS = 3
POSITIONS = 32
PROJECTION = 128


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.k_proj, self.v_proj, self.q_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x, causal):
        b, t, d = x.shape
        q, k, v = (p(x).view(b, t, self.heads, -1).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        scores = q @ k.transpose(-1, -2) * (d // self.heads) ** -0.5  # faster than torch's own on sequences as short as these
        if causal:
            scores = scores + torch.full((t, t), -torch.inf).triu(1).to(scores.dtype)
        return self.out_proj((scores.softmax(-1).to(v.dtype) @ v).transpose(1, 2).reshape(b, t, d))


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.self_attn, self.mlp = Attention(width, heads), Mlp(width)
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x, causal=False):
        x = x + self.self_attn(self.layer_norm1(x), causal)
        return x + self.mlp(self.layer_norm2(x))


class Encoder(nn.Module):
    def __init__(self, width, heads, layers):
        super().__init__()
        self.layers = nn.ModuleList(Block(width, heads) for _ in range(layers))


def cosine_basis(n):
    """Orthonormal cosine basis of length n: [frequency, position]."""
    k, x = torch.arange(n)[:, None], torch.arange(n)[None] + 0.5
    basis = torch.cos(math.pi * k * x / n)
    return basis / basis.norm(dim=1, keepdim=True)


class Normed(nn.Sequential):
    """A 3x3 convolution and a batch normalisation, which the export folds into one."""

    def __init__(self, a, b, stride=1):
        super().__init__(nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b))

    def folded(self):
        """Weight and bias of the convolution that does both."""
        conv, norm = self
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        return conv.weight * gain[:, None, None, None], norm.bias - norm.running_mean * gain


class Pair(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1, self.conv2 = Normed(channels, channels), Normed(channels, channels)
        nn.init.zeros_(self.conv2[1].weight)

    def forward(self, x):
        return F.relu(x + self.conv2(F.relu(self.conv1(x))))


class Stem(nn.Module):
    """Pixels [b, 3, s, s] to a map [b, c, s / 8, s / 8]."""

    def __init__(self):
        super().__init__()
        a, self.stages = 3, nn.ModuleList()
        for channels, pairs in STEM:
            stage = nn.Module()
            stage.down = Normed(a, channels, 2)
            stage.pairs = nn.ModuleList(Pair(channels) for _ in range(pairs))
            self.stages.append(stage)
            a = channels

    def forward(self, x):
        for stage in self.stages:
            x = F.relu(stage.down(x))
            for pair in stage.pairs:
                x = pair(x)
        return x


class VisionEmbeddings(nn.Module):
    def __init__(self, width):
        super().__init__()
        grid = IMAGE_SIZE // PATCH
        self.class_embedding = nn.Parameter(torch.randn(width) * 0.5)
        self.stem = Stem()
        side = PATCH >> len(STEM)
        self.patch_embedding = nn.Conv2d(STEM[-1][0], width, side, side, bias=False)
        self.position_embedding = nn.Embedding(grid * grid + 1, width)
        with torch.no_grad():
            # Positions start strong and smooth: a weak start never learns where things are.
            g = cosine_basis(grid)
            smooth = torch.stack([torch.outer(g[i], g[j]).flatten() / (1 + math.hypot(i, j)) for i in range(grid) for j in range(grid)])
            table = smooth[1:].T @ torch.randn(grid * grid - 1, width)
            self.position_embedding.weight[0].zero_()
            self.position_embedding.weight[1:] = table / table.std() * 0.8

    def forward(self, pixels):
        x = self.patch_embedding(self.stem(pixels)).flatten(2).transpose(1, 2)
        positions, grid = self.position_embedding.weight, IMAGE_SIZE // PATCH
        if x.shape[1] != grid * grid:  # smaller pictures, for the first part of the training
            side = int(x.shape[1] ** 0.5)
            table = positions[1:].T.reshape(1, -1, grid, grid)
            positions = torch.cat([positions[:1], F.adaptive_avg_pool2d(table, side)[0].flatten(1).T])
        x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], 1)
        return x + positions


class VisionModel(nn.Module):
    def __init__(self):
        super().__init__()
        width = VISION["width"]
        self.embeddings = VisionEmbeddings(width)
        self.pre_layrnorm = nn.LayerNorm(width)  # the name is Hugging Face's
        self.encoder = Encoder(**VISION)
        self.post_layernorm = nn.LayerNorm(width)

    def early(self, pixels):
        """Pixels [b, 3, s, s] -> tokens [b, t, w] after all but the masked blocks."""
        x = self.pre_layrnorm(self.embeddings(pixels))
        for block in self.encoder.layers[:-MASKED_BLOCKS]:
            x = block(x)
        return x

    def late(self, x, mask):
        """Tokens [n, t, w] and patch masks [n, t - 1] -> class token [n, w]."""
        keep = torch.cat([torch.ones_like(mask[:, :1]), mask], 1)[..., None]
        for block in self.encoder.layers[-MASKED_BLOCKS:]:
            x = block(x * keep)
        return self.post_layernorm(x[:, 0])


class TextModel(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        width = TEXT["width"]
        self.embeddings = nn.Module()
        self.embeddings.token_embedding = nn.Embedding(vocabulary, width)
        self.embeddings.position_embedding = nn.Embedding(POSITIONS, width)
        nn.init.normal_(self.embeddings.token_embedding.weight, std=0.3)
        nn.init.normal_(self.embeddings.position_embedding.weight, std=0.1)
        self.encoder = Encoder(**TEXT)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, ids):
        x = self.embeddings.token_embedding(ids) + self.embeddings.position_embedding.weight[: ids.shape[1]]
        for block in self.encoder.layers:
            x = block(x, causal=True)
        return self.final_layer_norm(x[torch.arange(len(ids)), ids.argmax(1)])


class Clip(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.text_model, self.vision_model = TextModel(vocabulary), VisionModel()
        self.visual_projection = nn.Linear(VISION["width"], PROJECTION, bias=False)
        self.text_projection = nn.Linear(TEXT["width"], PROJECTION, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        for p in (self.visual_projection, self.text_projection):
            nn.init.normal_(p.weight, std=p.in_features**-0.5)

    def text(self, ids):
        """Token ids [n, t] -> features [n, d]."""
        return self.text_projection(self.text_model(ids))

    def local(self, crops):
        """Crops [n, 3, s, s] -> features [n, d]."""
        tokens = self.vision_model.early(crops)
        return self.visual_projection(self.vision_model.late(tokens, torch.ones(len(crops), tokens.shape[1] - 1)))

    def image(self, scenes, owner, masks, crops):
        """Scenes [b, 3, s, s], the scene of each proposal [n], patch masks [n, g * g] and crops [n, 3, s, s]
        -> global and local features, each [n, d]. One pass through each block for both."""
        tokens = self.vision_model.early(torch.cat([scenes, crops]))
        whole, local = tokens[: len(scenes)], tokens[len(scenes) :]
        x = self.vision_model.late(torch.cat([whole[owner], local]), torch.cat([masks, torch.ones_like(masks)]))
        return self.visual_projection(x).chunk(2)


def config(vocabulary, end):
    """Hugging Face config.json of this model."""
    shared = dict(hidden_act="quick_gelu", layer_norm_eps=1e-5, projection_dim=PROJECTION)
    text = dict(shared, model_type="clip_text_model", hidden_size=TEXT["width"], intermediate_size=4 * TEXT["width"],
                num_attention_heads=TEXT["heads"], num_hidden_layers=TEXT["layers"], max_position_embeddings=POSITIONS,
                vocab_size=vocabulary, bos_token_id=end - 1, eos_token_id=end, pad_token_id=end)
    vision = dict(shared, model_type="clip_vision_model", hidden_size=VISION["width"], intermediate_size=4 * VISION["width"],
                  num_attention_heads=VISION["heads"], num_hidden_layers=VISION["layers"], image_size=IMAGE_SIZE,
                  patch_size=PATCH, num_channels=3, stem=[dict(channels=c, pairs=p) for c, p in STEM])
    return dict(architectures=["CLIPModel"], model_type="clip", projection_dim=PROJECTION,
                logit_scale_init_value=2.6592, text_config=text, vision_config=vision)
