"""Detection without anchors: a map of centres for each class, and the size of the box (Zhou et al., 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, softplus

from lineage_graph.sources.grow.dense.network import STRIDE
from lineage_graph.sources.grow.dense.scenes import Scenes

MOST = 8
"""Boxes that are found in one image at most."""

_SPREAD = 1.0
"""Standard deviation of a centre's bump, in places."""
_RARITY = 2.0
"""Taken from every logit of the maps of centres: most places are none, from the first step on."""


@dataclass(frozen=True, slots=True)
class Targets:
    """``centres``: (n, classes, places, places), 1 at a centre, less around it. ``sizes``: (n, places, places), the
    box's side as a share of a quadrant's, where ``there``: (n, places, places) says that a centre is.
    """

    centres: Tensor
    sizes: Tensor
    there: Tensor


def targets(scenes: Scenes, classes: int) -> Targets:
    """What the head should put out for each scene."""
    count, places = len(scenes.images), scenes.side // STRIDE
    middle = (scenes.boxes[..., :2] + scenes.boxes[..., 2:]) / 2
    cells = (middle / STRIDE).long().clamp(max=places - 1)
    sides = (scenes.boxes[..., 2] - scenes.boxes[..., 0]) / (scenes.side / 2)
    line = torch.arange(places)
    bumps = torch.exp(-(line - cells[..., None]).square() / (2 * _SPREAD**2))
    centres = torch.zeros(count, classes, places, places)
    sizes, there = torch.zeros(count, places, places), torch.zeros(count, places, places, dtype=torch.bool)
    for slot in range(scenes.classes.shape[1]):
        (rows,) = (scenes.classes[:, slot] >= 0).nonzero(as_tuple=True)
        labels, (x, y) = scenes.classes[rows, slot], cells[rows, slot].T
        bump = bumps[rows, slot, 1, :, None] * bumps[rows, slot, 0, None, :]
        centres[rows, labels] = torch.maximum(centres[rows, labels], bump)
        sizes[rows, y, x], there[rows, y, x] = sides[rows, slot], True
    return Targets(centres, sizes, there)


def loss(output: Tensor, wanted: Targets, batch: Tensor) -> Tensor:
    """The centres' focal loss (eq. 1 there, α = 2, β = 4) and the mean error of the sizes.

    ``output``: (images, classes + 1, places, places), the last channel the size; ``batch``: which scenes they are.
    """
    logits, truth, there = output[:, :-1] - _RARITY, wanted.centres[batch], wanted.there[batch]
    share = logits.sigmoid()
    found = torch.where(truth == 1, (1 - share).square() * softplus(-logits), 0.0)
    spurious = torch.where(truth < 1, (1 - truth).pow(4) * share.square() * softplus(logits), 0.0)
    sizes = (output[:, -1].sigmoid() - wanted.sizes[batch]).abs()[there].mean()
    return (found.sum() + spurious.sum()) / there.sum() + sizes


@dataclass(frozen=True, slots=True)
class Found:
    """Of n images each :data:`MOST` boxes: ``boxes``: (n, MOST, 4), in pixels, with ``classes`` and ``scores``."""

    boxes: Tensor
    classes: Tensor
    scores: Tensor


def decode(output: Tensor) -> Found:
    """The best peaks of the centres' maps, with a box around each."""
    share, (places, _) = (output[:, :-1] - _RARITY).sigmoid(), output.shape[-2:]
    peaks = torch.where(share == max_pool2d(share, 3, stride=1, padding=1), share, 0.0)
    scores, where = peaks.flatten(1).topk(MOST)
    labels, cell = where // places**2, where % places**2
    middle = (torch.stack([cell % places, cell // places], dim=-1) + 0.5) * STRIDE
    sides = output[:, -1].sigmoid().flatten(1).gather(1, cell)[..., None] * (places * STRIDE / 2)
    return Found(torch.cat([middle - sides / 2, middle + sides / 2], dim=-1), labels, scores)
