"""A timm backbone with a head that answers for every place of the image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lineage_graph.timm_compat import import_timm

STRIDE = 2
"""Pixels of the image to a place of the output."""

_WIDTH = 32


class DenseNet(nn.Module):
    """``backbone`` has the names of timm's network, but for its own head; ``head`` is trained from scratch."""

    def __init__(self, architecture: str, outputs: int) -> None:
        super().__init__()
        self.backbone = import_timm().create_model(architecture, num_classes=0)
        stages = self.backbone.feature_info
        widths = [stage["num_chs"] for stage in getattr(stages, "info", stages)]
        self.head = Head(widths, stages[0]["reduction"], outputs)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, side, side) → (n, outputs, side / STRIDE, side / STRIDE)."""
        output: Tensor = self.head(self.backbone.forward_intermediates(images, intermediates_only=True))
        return output


class Head(nn.Module):
    """All stages, brought to the first one's size and summed (Lin et al., CVPR 2017), then one mixing layer.

    ``stride``: of the first stage; where it is larger than :data:`STRIDE`, channels are unfolded into places.
    """

    def __init__(self, widths: Sequence[int], stride: int, outputs: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList([nn.Conv2d(width, _WIDTH, 1) for width in widths])
        self.mix = nn.Sequential(nn.ReLU(), nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1), nn.GroupNorm(4, _WIDTH), nn.ReLU())
        factor = stride // STRIDE
        self.out = nn.Conv2d(_WIDTH, outputs * factor**2, 1)
        self.unfold = nn.PixelShuffle(factor)

    def forward(self, stages: Sequence[Tensor]) -> Tensor:
        """Features of the stages, the first one the largest → (n, outputs, height, width)."""
        size = stages[0].shape[-2:]
        parts = [lateral(stage) for lateral, stage in zip(self.laterals, stages, strict=True)]
        merged = torch.stack([nn.functional.interpolate(part, size=size) for part in parts]).sum(dim=0)
        output: Tensor = self.unfold(self.out(self.mix(merged)))
        return output
