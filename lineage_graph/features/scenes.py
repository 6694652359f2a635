"""Synthetic images with the structure of photographs: waves, gratings, blobs, overlapping shapes.

Every image is a function of the position in the unit square, drawn from a seed of its own: the same scene at any size,
and the same images whether ten or a hundred are asked for.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float64]
"""One value a pixel, shape (height, width)."""

Image = npt.NDArray[np.float64]
"""Shape (channels, height, width)."""

Shape = tuple[int, int, int]
"""(channels, height, width)."""

_CHROMA = 0.5
"""Weight of a colour's hue beside its brightness: channels of photographs are correlated."""


def scene(number: int, shape: Shape, seed: int) -> Image:
    """Image ``number`` (from 0) of the set that ``seed`` names, with mean 0 and variance 1 over all its values.

    Only :meth:`random.Random.random` is drawn from: Python promises that its stream stays the same.
    """
    dice = random.Random(f"scene {seed} {number}")  # noqa: S311 - nothing secret
    image = _SCENES[number % len(_SCENES)](dice, shape)
    image -= image.mean()
    return image / max(float(image.std()), 1e-6)


def _waves(dice: random.Random, shape: Shape) -> Image:
    """Plane waves, as many in each octave: power falls as 1/f², as in natural scenes (Field, 1987)."""
    return _sum(shape, [(_wave(dice, shape), _colour(dice, shape)) for _ in range(48)])


def _gratings(dice: random.Random, shape: Shape) -> Image:
    """Gratings seen through soft windows, on a slope of brightness."""
    slope = math.tau * dice.random()
    x, y = _grid(shape)
    parts = [(x * math.cos(slope) + y * math.sin(slope), _colour(dice, shape))]
    parts += [(_wave(dice, shape) * _blob(dice, shape, 0.15, 0.5), _colour(dice, shape)) for _ in range(8)]
    return _sum(shape, parts)


def _blobs(dice: random.Random, shape: Shape) -> Image:
    """Soft spots of many sizes."""
    return _sum(shape, [(_blob(dice, shape, 0.03, 0.4), _colour(dice, shape)) for _ in range(24)])


def _leaves(dice: random.Random, shape: Shape) -> Image:
    """Opaque shapes that hide one another, sizes by a power law: the dead leaves model of occlusion (Lee, Mumford &
    Huang, 2001), each with some texture.
    """
    image = np.zeros(shape)
    for _ in range(60):
        mask = _shape(dice, shape)
        surface = _sum(
            shape, [(np.ones(shape[1:]), _colour(dice, shape)), (_wave(dice, shape), _colour(dice, shape) / 5)]
        )
        image = image * (1 - mask) + surface * mask
    return image


_SCENES: tuple[Callable[[random.Random, Shape], Image], ...] = (_leaves, _waves, _gratings, _blobs)


def _grid(shape: Shape) -> tuple[Plane, Plane]:
    """Coordinates of the pixels' centres, 0 to 1: x to the right, y downwards."""
    _, height, width = shape
    y, x = np.meshgrid((np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width, indexing="ij")
    return x, y


def _between(dice: random.Random, low: float, high: float) -> float:
    """Log-uniform."""
    return float(low * (high / low) ** dice.random())


def _colour(dice: random.Random, shape: Shape) -> Plane:
    """One weight a channel, shape (channels, 1, 1): a brightness with some hue, of either sign."""
    brightness = 2 * dice.random() - 1
    hue = [2 * dice.random() - 1 for _ in range(shape[0])]
    return np.array([brightness + _CHROMA * part for part in hue])[:, None, None]


def _wave(dice: random.Random, shape: Shape) -> Plane:
    """A plane wave of 0.5 to 16 periods an image, as often in one octave as in another."""
    x, y = _grid(shape)
    angle, phase = math.tau * dice.random(), math.tau * dice.random()
    frequency = math.tau * _between(dice, 0.5, 16)
    plane: Plane = np.cos(frequency * (x * math.cos(angle) + y * math.sin(angle)) + phase)
    return plane


def _blob(dice: random.Random, shape: Shape, smallest: float, largest: float) -> Plane:
    """A Gaussian spot; its widths are shares of the image."""
    u, v = _place(dice, shape)
    plane: Plane = np.exp(
        -((u / _between(dice, smallest, largest)) ** 2) - (v / _between(dice, smallest, largest)) ** 2
    )
    return plane


def _shape(dice: random.Random, shape: Shape) -> Plane:
    """The mask of an ellipse or a rectangle, 0 to 1, one pixel soft at the edge."""
    u, v = _place(dice, shape)
    width = 0.04 / math.sqrt(1 - 0.98 * dice.random())
    height = width * _between(dice, 0.4, 1)
    inside = np.hypot(u / width, v / height) if dice.random() < 0.5 else np.maximum(abs(u) / width, abs(v) / height)
    pixel = 1 / min(shape[1:])
    mask: Plane = np.clip((1 - inside) * height / pixel + 0.5, 0, 1)
    return mask


def _place(dice: random.Random, shape: Shape) -> tuple[Plane, Plane]:
    """Coordinates seen from a random point, turned by a random angle."""
    x, y = _grid(shape)
    x, y = x - dice.random(), y - dice.random()
    angle = math.tau * dice.random()
    return x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)


def _sum(shape: Shape, parts: list[tuple[Plane, Plane]]) -> Image:
    """Planes, each in its colour, laid over one another."""
    image = np.zeros(shape)
    for plane, colour in parts:
        image += colour * plane
    return image
