"""Changes to a question under which its answer stays: what the detector must not depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lineage_graph.detector.images import FEATURES, WEIGHTS, Layer

SIDES = (8, 16, 32)
"""Rows and columns that are kept."""
ALONE = 0.15
"""How often only weights are left, and as often only features."""
SLOWED = 0.25
"""How often the child is moved along the line from its ancestor."""
PACES = (0.1, 1.5)
"""Of the whole way, how much of it."""
FROZEN = 0.3
"""How often, of these, some layers stay the ancestor's."""


def augmented(layers: Sequence[Layer], target: int, dice: np.random.Generator) -> list[Layer]:
    """Layers left out, units permuted, signs flipped, cut to another size, and the child nearer to its ancestor or
    further away. ``target``: the ancestor's number, or any number beyond the candidates.
    """
    if target < len(layers[0].present) and dice.random() < SLOWED:
        pace = float(np.exp(dice.uniform(*np.log(PACES))))
        frozen = dice.random() if dice.random() < FROZEN else 0.0
        weights = [one for one in layers if one.kind == WEIGHTS and one.present[target]]
        layers = [_moved(one, target, 0.0 if dice.random() < frozen else pace) for one in weights] or layers
    side = int(dice.choice(SIDES))
    return [_shuffled(one, side, dice) for one in _some(layers, dice)]


def _some(layers: Sequence[Layer], dice: np.random.Generator) -> list[Layer]:
    """At least one of the layers, sometimes of one kind only."""
    left_out = {0: WEIGHTS, 1: FEATURES}.get(int(dice.random() / ALONE))
    kept = [one for one in layers if one.kind != left_out] or list(layers)
    share = dice.uniform(0.3, 1.2)
    return [one for one in kept if dice.random() < share] or [kept[int(dice.integers(len(kept)))]]


def _moved(layer: Layer, target: int, pace: float) -> Layer:
    """The child at ``pace`` times its way from the ancestor; what was measured of it on the whole follows the way."""
    start = layer.parents[target]
    to_go = 1 - pace
    return replace(
        layer,
        child=start + np.float32(pace) * (layer.child - start),
        growth=layer.growth - np.float32(to_go) * layer.growth[target],
        tailing=layer.tailing - np.float32(to_go) * layer.tailing[target],
    )


def _shuffled(layer: Layer, side: int, dice: np.random.Generator) -> Layer:
    rows, columns = (dice.permutation(size)[:side] for size in layer.child.shape)
    sign = np.float32(dice.choice([-1, 1]))
    child, parents = layer.child[np.ix_(rows, columns)], layer.parents[:, rows[:, None], columns]
    if dice.random() < 0.5:
        child, parents = child.T, parents.transpose(0, 2, 1)
    return replace(layer, child=sign * child, parents=sign * parents)
