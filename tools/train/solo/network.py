"""SOLOv2 without classes, narrow enough for a robot's CPU; tensor names are those of FreeSOLO's checkpoint, which Referseg reads."""

import torch
import torch.nn.functional as F
from torch import nn

GRIDS = [32, 24, 16, 12, 8]
STRIDES = [4, 4, 8, 16, 16]
# sqrt of an object's area, in pixels of the network's input, for which each level is responsible
SCALES = [(1, 38), (19, 77), (38, 154), (77, 307), (154, 4096)]
SHORT_SIDE = 320
STEM, BLOCKS = 24, [2, 3, 4, 2]
STAGES = [(24, 64), (40, 128), (64, 224), (96, 320)]
PYRAMID, INSTANCE, DEPTH, MASK, MASKS = 64, 96, 3, 64, 64
GROUPS = 32


class Normed(nn.Conv2d):
    """A convolution and a batch normalisation, named as detectron2 names them."""

    def __init__(self, a, b, kernel, stride=1):
        super().__init__(a, b, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(b)
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        return self.norm(super().forward(x))


class Bottleneck(nn.Module):
    def __init__(self, a, inner, outer, stride):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = Normed(a, inner, 1), Normed(inner, inner, 3, stride), Normed(inner, outer, 1)
        nn.init.zeros_(self.conv3.norm.weight)
        if a != outer or stride > 1:
            self.shortcut = Normed(a, outer, 1, stride)

    def forward(self, x):
        y = self.conv3(F.relu(self.conv2(F.relu(self.conv1(x)))))
        return F.relu(y + (self.shortcut(x) if hasattr(self, "shortcut") else x))


def unit(a, b, kernel=3):
    conv = nn.Conv2d(a, b, kernel, padding=kernel // 2, bias=False)
    nn.init.normal_(conv.weight, std=0.01 if kernel == 1 else 0.03)
    return [conv, nn.GroupNorm(GROUPS, b), nn.ReLU()]


def coordinates(x):
    b, _, h, w = x.shape
    across = torch.linspace(-1, 1, w, device=x.device).expand(b, 1, h, w)
    down = torch.linspace(-1, 1, h, device=x.device).view(h, 1).expand(b, 1, h, w)
    return torch.cat([x, across, down], 1)


def resized(x, size):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        bottom = nn.Module()
        bottom.stem = nn.Module()
        bottom.stem.conv1 = Normed(3, STEM, 7, 2)
        a = STEM
        for at, ((inner, outer), count) in enumerate(zip(STAGES, BLOCKS)):
            blocks = [Bottleneck(a if k == 0 else outer, inner, outer, 2 if k == 0 and at else 1) for k in range(count)]
            setattr(bottom, f"res{at + 2}", nn.Sequential(*blocks))
            a = outer
        self.bottom_up = bottom
        for at, (_, outer) in enumerate(STAGES):
            setattr(self, f"fpn_lateral{at + 2}", nn.Conv2d(outer, PYRAMID, 1))
            setattr(self, f"fpn_output{at + 2}", nn.Conv2d(PYRAMID, PYRAMID, 3, padding=1))

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bottom_up.stem.conv1(x)), 3, 2, 1)
        stages = []
        for at in range(2, 6):
            x = getattr(self.bottom_up, f"res{at}")(x)
            stages.append(x)
        above, levels = None, []
        for at in reversed(range(4)):
            side = getattr(self, f"fpn_lateral{at + 2}")(stages[at])
            above = side if above is None else side + F.interpolate(above, size=side.shape[-2:], mode="nearest")
            levels.insert(0, getattr(self, f"fpn_output{at + 2}")(above))
        return levels + [levels[-1][:, :, ::2, ::2]]


class Solo(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone()
        head = nn.Module()
        head.cate_tower = nn.Sequential(*sum([unit(PYRAMID if k == 0 else INSTANCE, INSTANCE) for k in range(DEPTH)], []))
        head.kernel_tower = nn.Sequential(*sum([unit(PYRAMID + 2 if k == 0 else INSTANCE, INSTANCE) for k in range(DEPTH)], []))
        head.cate_pred = nn.Conv2d(INSTANCE, 1, 3, padding=1)
        head.kernel_pred = nn.Conv2d(INSTANCE, MASKS, 3, padding=1)
        nn.init.normal_(head.cate_pred.weight, std=0.01)
        nn.init.constant_(head.cate_pred.bias, -4.6)
        nn.init.normal_(head.kernel_pred.weight, std=0.03)
        nn.init.zeros_(head.kernel_pred.bias)
        self.ins_head = head
        mask = nn.Module()
        levels = []
        for level in range(4):
            seq = nn.Module()
            for k in range(max(level, 1)):
                a = PYRAMID + (2 if level == 3 else 0) if k == 0 else MASK
                setattr(seq, f"conv{k}", nn.Sequential(*unit(a, MASK)))
            levels.append(seq)
        mask.convs_all_levels = nn.ModuleList(levels)
        mask.conv_pred = nn.Sequential(*unit(MASK, MASKS, 1))
        self.mask_head = mask

    def forward(self, x):
        """Category logits [b, cells, 1] and kernels [b, cells, masks] of each level, and mask features [b, masks, h / 4, w / 4]."""
        pyramid = self.backbone(x)
        total = None
        for level in range(4):
            y = coordinates(pyramid[level]) if level == 3 else pyramid[level]
            for k in range(max(level, 1)):
                y = getattr(self.mask_head.convs_all_levels[level], f"conv{k}")(y)
                if level:
                    y = resized(y, (2 * y.shape[-2], 2 * y.shape[-1]))
            total = y if total is None else total + y
        features = self.mask_head.conv_pred(total)
        h, w = pyramid[0].shape[-2:]
        levels = [resized(pyramid[0], (h // 2, w // 2)), *pyramid[1:4], resized(pyramid[4], pyramid[3].shape[-2:])]
        categories, kernels = [], []
        for level, side in zip(levels, GRIDS):
            grid = resized(coordinates(level), (side, side))
            kernels.append(self.ins_head.kernel_pred(self.ins_head.kernel_tower(grid)).flatten(2).transpose(1, 2))
            categories.append(self.ins_head.cate_pred(self.ins_head.cate_tower(grid[:, :-2])).flatten(2).transpose(1, 2))
        return categories, kernels, features


def backbone_parameters(net):
    return sum(p.numel() for p in net.backbone.bottom_up.parameters())


CONFIG = {
    "grids": GRIDS, "strides": STRIDES, "short_side": SHORT_SIDE, "long_side": None, "divisor": 32,
    "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
    "score_thr": 0.1, "mask_thr": 0.5, "update_thr": 0.05, "nms_pre": 300, "max_per_img": 100, "nms_sigma": 2.0,
}
