"""The network: an encoder a kind, a transformer over the layers of a candidate, and one over the candidates.

After "Neural Lineage" (Yu & Wang, CVPR 2024, section 4 and Fig. 4), but for one block: the candidates' outputs attend
to one another and to a learned token that stands for *no parent* before each is given its number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lineage_graph.detector.images import FEATURES, SCALARS, WEIGHTS, Plane

MODES = {"weights": (WEIGHTS,), "representation": (FEATURES,), "both": (WEIGHTS, FEATURES)}
"""Which kinds of layers are looked at."""

_WAVES = 4
"""Cosines of the relative depth that a layer's embedding is made of."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Of the network. ``width``: of a token; ``filters``: of the 1×1 and of the 3×3 convolution; ``blocks``: over the
    layers of a candidate.
    """

    mode: str = "both"
    width: int = 64
    filters: tuple[int, int] = (8, 24)
    blocks: int = 2
    heads: int = 4
    dropout: float = 0.1


@dataclass(frozen=True, slots=True)
class Batch:
    """Questions side by side: B questions, N candidates, T layers, each as many as the largest has.

    ``images``: (kind, (m, 2, h, w), (m,) places in a flat (B, N, T)). ``scalars`` (B, N, T, ``len(SCALARS)``);
    ``kinds`` and ``depths`` (B, T); ``present`` (B, N, T).
    """

    images: tuple[tuple[int, Tensor, Tensor], ...]
    scalars: Tensor
    kinds: Tensor
    depths: Tensor
    present: Tensor


def collate(questions: Sequence[Sequence[Plane]]) -> Batch:
    """Questions, each of at least one plane, as one batch."""
    count, layers = len(questions), max(map(len, questions))
    candidates = max(len(planes[0].present) for planes in questions)
    scalars = torch.zeros(count, candidates, layers, len(SCALARS))
    kinds, depths = torch.zeros(count, layers, dtype=torch.long), torch.zeros(count, layers)
    present = torch.zeros(count, candidates, layers, dtype=torch.bool)
    groups: dict[tuple[int, tuple[int, ...]], list[tuple[Tensor, Tensor]]] = defaultdict(list)
    for row, planes in enumerate(questions):
        for layer, plane in enumerate(planes):
            there = np.flatnonzero(plane.present)
            scalars[row, : len(plane.present), layer] = torch.from_numpy(plane.scalars)
            present[row, there, layer] = True
            kinds[row, layer], depths[row, layer] = plane.kind, plane.depth
            places = torch.from_numpy((row * candidates + there) * layers + layer)
            groups[plane.kind, plane.images.shape[2:]].append((torch.from_numpy(plane.images[there]), places))
    images = tuple(
        (kind, torch.cat([one for one, _ in group]), torch.cat([where for _, where in group]))
        for (kind, _), group in groups.items()
    )
    return Batch(images, scalars, kinds, depths, present)


class Detector(nn.Module):
    """``forward``: (B, N + 1) logits, the last one of *no parent*; -inf for candidates without a layer to compare.

    A question's logits do not depend on the others in its batch, nor on the order of the candidates.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.shape = shape
        self.kinds = MODES[shape.mode]
        self.encoders = nn.ModuleDict({str(kind): _encoder(shape) for kind in self.kinds})
        self.numbers = nn.Sequential(nn.Linear(len(SCALARS), width), nn.ReLU(), nn.Linear(width, width))
        self.kind = nn.Embedding(len(MODES["both"]), width)
        self.depth = nn.Linear(_WAVES, width)
        self.start = nn.Parameter(torch.randn(width) * 0.02)
        self.nobody = nn.Parameter(torch.randn(width) * 0.02)
        self.layers = _transformer(shape, shape.blocks)
        self.candidates = _transformer(shape, 1)
        self.score = nn.Linear(width, 1)
        self.none = nn.Linear(width, 1)

    def forward(self, batch: Batch) -> Tensor:
        """See the class."""
        present = batch.present & torch.isin(batch.kinds, torch.tensor(self.kinds))[:, None]
        candidates = self._candidates(batch, present)  # (B, N, width)
        rows = candidates.shape[0]
        tokens = torch.cat([self.nobody.expand(rows, 1, -1), candidates], dim=1)
        absent = ~present.any(dim=2)
        nobody = torch.zeros(rows, 1, dtype=torch.bool)
        mixed = self.candidates(tokens, src_key_padding_mask=torch.cat([nobody, absent], dim=1))
        scores = self.score(mixed[:, 1:]).squeeze(2).masked_fill(absent, -torch.inf)
        return torch.cat([scores, self.none(mixed[:, 0])], dim=1)

    def _candidates(self, batch: Batch, present: Tensor) -> Tensor:
        """One vector a candidate, (B, N, width): what the start token has gathered from its layers."""
        rows, candidates, layers, _ = batch.scalars.shape
        width = self.shape.width
        seen = torch.zeros(rows * candidates * layers, width)
        for kind, images, places in batch.images:
            if kind in self.kinds:
                seen = seen.index_copy(0, places, self.encoders[str(kind)](images))
        waves = torch.cos(torch.pi * batch.depths[..., None] * torch.arange(_WAVES))
        about = (self.kind(batch.kinds) + self.depth(waves))[:, None]  # (B, 1, T, width)
        tokens = seen.view(rows, candidates, layers, width) + self.numbers(batch.scalars) + about
        flat = torch.cat([self.start.expand(rows * candidates, 1, -1), tokens.flatten(0, 1)], dim=1)
        first = torch.zeros(rows * candidates, 1, dtype=torch.bool)
        gathered = self.layers(flat, src_key_padding_mask=torch.cat([first, ~present.flatten(0, 1)], dim=1))
        return torch.reshape(gathered[:, 0], (rows, candidates, width))


def _encoder(shape: Shape) -> nn.Module:
    """(m, 2, h, w) → (m, width), for any h and w. One average over all positions: where something is says nothing."""
    first, second = shape.filters
    return nn.Sequential(
        nn.Conv2d(2, first, 1),
        nn.ReLU(),
        nn.Conv2d(first, second, 3, stride=2, padding=1),
        nn.GroupNorm(4, second),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(second, shape.width),
    )


def _transformer(shape: Shape, blocks: int) -> nn.TransformerEncoder:
    block = nn.TransformerEncoderLayer(
        shape.width, shape.heads, 2 * shape.width, shape.dropout, "gelu", batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(block, blocks, nn.LayerNorm(shape.width), enable_nested_tensor=False)
