"""What all reference methods are given: the backbones' weights, and their exact distances, taken once a zoo.

Heads are left out, as everywhere in lgraph: new tasks bring new ones. Layers answer to each other by name and shape,
and what is left by its order among layers of its shape.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.comparison import units
from lineage_graph.types import FloatArray, Model

Layers = Mapping[str, FloatArray]

LEAST_COVERAGE = 0.5
"""Share of the smaller backbone's weights that must answer to weights of the other one for the two to be compared."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """``tensors``: every trained weight by name, in its shape. ``matrices``: those that are weight matrices, as shape
    (output units, inputs). ``coarse``: on a lattice of few values, as a quantised model is.
    """

    tensors: Layers
    matrices: Layers
    coarse: bool

    @property
    def norm(self) -> float:
        """L2 norm of all weights."""
        return math.sqrt(sum(float(np.vdot(values, values)) for values in self.tensors.values()))


@dataclass(frozen=True, slots=True)
class WeightZoo:
    """``distance``: shape (n, n), ‖a - b‖ / √(‖a‖‖b‖) over the layers that answer to each other; infinite between
    models that cannot be compared. ``families``: how many there are in truth.
    """

    ids: tuple[str, ...]
    models: tuple[Backbone, ...]
    distance: npt.NDArray[np.float64]
    families: int

    def __len__(self) -> int:
        return len(self.ids)


def load(models: Sequence[Model], families: int) -> WeightZoo:
    """Read the weights of ``models``. Raises :class:`~lineage_graph.errors.ModelError`."""
    read = tuple(read_backbone(model) for model in models)
    distance = np.zeros((len(read), len(read)))
    for i, j in combinations(range(len(read)), 2):
        distance[i, j] = distance[j, i] = relative_distance(read[i], read[j])
    return WeightZoo(tuple(model.id for model in models), read, distance, families)


COARSE_LEVELS = 256
"""Distinct values of a matrix from which it is not coarse any more: what a byte holds."""


def read_backbone(model: Model) -> Backbone:
    """A model's backbone, loaded. Raises :class:`~lineage_graph.errors.ModelError`."""
    kept = model.fingerprint.backbone
    with open_checkpoint(Path(model.checkpoint.path)) as reader:
        tensors = {one.spec.name: np.asarray(reader.read(one.spec.name), dtype=np.float32) for one in kept}
    wide = [one for one in kept if one.is_matrix and one.spec.size > COARSE_LEVELS]
    return Backbone(
        tensors=tensors,
        matrices={
            one.spec.name: tensors[one.spec.name].reshape(units(one.spec.shape), -1) for one in kept if one.is_matrix
        },
        coarse=bool(wide) and all(0 < one.levels <= COARSE_LEVELS for one in wide),
    )


def relative_distance(a: Backbone, b: Backbone) -> float:
    """See :attr:`WeightZoo.distance`."""
    squares = np.zeros(3)
    for name_a, name_b in partners(a.tensors, b.tensors):
        x, y = a.tensors[name_a], b.tensors[name_b]
        difference = x - y
        squares += [np.vdot(difference, difference), np.vdot(x, x), np.vdot(y, y)]
    apart, of_a, of_b = squares
    scale = math.sqrt(of_a * of_b)
    return math.sqrt(apart / scale) if scale > 0 else math.inf


def partners(a: Layers, b: Layers) -> list[tuple[str, str]]:
    """The names of the layers that answer to each other; none where they cover less than :data:`LEAST_COVERAGE`."""
    pairs = list(_partners(a, b))
    smaller = min(sum(values.size for values in layers.values()) for layers in (a, b))
    covered = sum(a[name].size for name, _ in pairs)
    return pairs if covered >= LEAST_COVERAGE * smaller else []


def _partners(a: Layers, b: Layers) -> Iterator[tuple[str, str]]:
    same = [name for name in a if name in b and a[name].shape == b[name].shape]
    yield from zip(same, same, strict=True)
    left_a, left_b = _by_shape(a, same), _by_shape(b, same)
    for shape, names in left_a.items():
        if len(names) == len(left_b.get(shape, [])):
            yield from zip(names, left_b[shape], strict=True)


def _by_shape(tensors: Layers, done: Sequence[str]) -> dict[tuple[int, ...], list[str]]:
    groups: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for name in tensors.keys() - set(done):
        groups[tensors[name].shape].append(name)
    order = {name: index for index, name in enumerate(tensors)}
    return {shape: sorted(names, key=order.__getitem__) for shape, names in groups.items()}
