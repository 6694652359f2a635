"""Portraits that are made up: a parent, its child and strangers."""

import numpy as np

from lineage_graph.detector.portrait import Portrait, Thumbnail
from lineage_graph.detector.zoos import FamilyZoo


def make_family(generator, strangers=4, shapes=((32, 27), (32, 32), (8, 16))):
    """(child, candidates); the parent is the first candidate."""
    parents = [[generator.standard_normal(shape) for shape in (*shapes, (16, 32))] for _ in range(strangers + 1)]
    child = [values + 0.1 * generator.standard_normal(values.shape) for values in parents[0]]
    return portrait(child), [portrait(values) for values in parents]


def portrait(values):
    """The last one of ``values`` are features."""
    made = [
        Thumbnail(f"layer.{n}", one.shape, n / 4, float(np.sqrt(np.mean(one**2))), 3.0, one.astype(np.float32))
        for n, one in enumerate(values)
    ]
    return Portrait(tuple(made[:-1]), tuple(made[-1:]))


def noise_zoo(seed, parents, generations, architecture="noise", drift=0.1):
    """Families by ``parents`` (``None`` for a root); every update is noise of size ``drift``."""
    dice = np.random.default_rng(seed)
    weights = []
    for parent in parents:
        shapes = ((16, 16), (16, 8), (4, 16))
        start = [dice.standard_normal(shape) for shape in shapes] if parent is None else weights[parent]
        size = 0 if parent is None else drift
        weights.append([values + size * dice.standard_normal(values.shape) for values in start])
    return FamilyZoo(architecture, tuple(map(portrait, weights)), parents, generations, f"noise {seed}")
