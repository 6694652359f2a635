"""Scenes of several handwritten digits before a textured background, with what there is to find in them.

Composed from the real images of the recipe ``digits``: held-out scenes from held-out images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from lineage_graph.sources.grow import digits

TRAINING_SCENES, HELD_OUT_SCENES = 500, 150

SMALLEST = 0.6
"""Side of the smallest digit, as a share of its quadrant's."""

_FILLED = 0.6
_INK, _PAPER = 1.85, -0.82
"""Standardised values of full ink, and of none."""
_TEXTURE, _NOISE = 0.5, 0.2


@dataclass(frozen=True, slots=True)
class Scenes:
    """``images``: (n, 3, side, side). ``masks``: (n, side, side), 0 for background, else class + 1.

    Each quadrant of a scene holds one digit or none: ``classes``: (n, 4), -1 for none; ``boxes``: (n, 4, 4), left, top,
    right and bottom in pixels.
    """

    images: Tensor
    masks: Tensor
    classes: Tensor
    boxes: Tensor

    @property
    def side(self) -> int:
        """Pixels a side."""
        return self.images.shape[-1]


@cache
def composed(architecture: str, task: str, *, training: bool) -> Scenes:
    """Scenes of the digits that the task keeps, classed as it does; twice the side of the architecture's images."""
    images, labels = digits.task_data(architecture, task, training=training)
    dice = torch.Generator().manual_seed(1 if training else 2)
    count, quadrant = TRAINING_SCENES if training else HELD_OUT_SCENES, images.shape[-1]
    planes = _texture(count, 2 * quadrant, dice)
    masks = torch.zeros(planes.shape, dtype=torch.long)
    filled = torch.rand(count, 4, generator=dice) < _FILLED
    filled[~filled.any(dim=1), 0] = True
    picks = torch.randint(len(labels), (count, 4), generator=dice)
    boxes = _boxes(count, quadrant, dice)
    for scene, slot in filled.nonzero().tolist():
        left, top, right, bottom = boxes[scene, slot].tolist()
        pick = picks[scene, slot]
        ink = _ink(images[pick, 0], right - left)
        place = (scene, slice(top, bottom), slice(left, right))
        planes[place] = (1 - ink) * planes[place] + ink * _INK
        masks[place] = torch.where(ink > 0.5, labels[pick] + 1, 0)
    return Scenes(planes[:, None].repeat(1, 3, 1, 1), masks, torch.where(filled, labels[picks], -1), boxes.float())


def _ink(image: Tensor, side: int) -> Tensor:
    """How much ink covers each pixel, 0 to 1, shape (side, side)."""
    resized = interpolate(image[None, None], size=(side, side), mode="bilinear", align_corners=False)[0, 0]
    return ((resized - _PAPER) / (_INK - _PAPER)).clamp(0, 1)


def _texture(count: int, side: int, dice: torch.Generator) -> Tensor:
    """Smooth patches and noise around the value of paper, shape (count, side, side)."""
    coarse = torch.randn(count, 1, 4, 4, generator=dice)
    smooth = interpolate(coarse, size=(side, side), mode="bilinear", align_corners=False)[:, 0]
    return _PAPER + _TEXTURE * smooth + _NOISE * torch.randn(count, side, side, generator=dice)


def _boxes(count: int, quadrant: int, dice: torch.Generator) -> Tensor:
    """A random box in each quadrant, shape (count, 4, 4), whole pixels."""
    sides = torch.randint(round(SMALLEST * quadrant), quadrant + 1, (count, 4), generator=dice)
    free = (quadrant + 1 - sides)[..., None]
    corners = (torch.rand(count, 4, 2, generator=dice) * free).long()
    corners += quadrant * torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]])
    return torch.cat([corners, corners + sides[..., None]], dim=-1)
