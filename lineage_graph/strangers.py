"""How near do independent trainings of one architecture come? A null from the zoo itself.

Nets of one shape that share no weights can still agree by more than chance: filters that everyone learns, initial
values that no training moves, buffers that nobody recognised as constant. What models of different clusters have in
common is that level, and a relation has to stand out from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lineage_graph.types import FloatArray, Model

CLUSTER = 0.5
"""Cosine of sketches from which two models are surely of one cluster."""

LEAST_PAIRS = 15
"""Pairs of strangers (six models) from which their level can be told."""

MOST_MODELS = 512
"""Of one signature, that are looked at: evenly spaced in the order of their digests."""

SPREADS = 5.0
"""Standard deviations above the strangers' median from which a pair stands out: one normal pair in 3 million."""

_NORMAL = 1.4826
"""Standard deviations in a median absolute deviation of normal values."""


def levels(models: Sequence[Model]) -> Mapping[str, float]:
    """By shape signature: the cosine of sketches that strangers of this zoo stay below; absent where too few are there.

    Median + ``SPREADS`` robust standard deviations over the pairs of different clusters (single linkage at
    ``CLUSTER``), in which the sketches' own error (0.044) is included: heavy fine-tunes among them move it little.
    """
    groups: dict[str, list[Model]] = defaultdict(list)
    for model in sorted(models, key=lambda model: model.fingerprint.digest):
        if np.any(model.fingerprint.sketch):
            groups[model.fingerprint.signature].append(model)
    found = {}
    for signature, members in groups.items():
        level = level_of(np.stack([members[row].fingerprint.sketch for row in looked_at(len(members))]))
        if level is not None:
            found[signature] = level
    return found


def looked_at(count: int) -> range:
    """Which of so many models of one signature, in the order of their digests, tell the level."""
    return range(0, count, -(-count // MOST_MODELS))


def level_of(sketches: FloatArray) -> float | None:
    """The level of models with these unit sketches, shape (models, d); ``None`` where too few strangers are there."""
    cosines = _between_clusters(sketches)
    if len(cosines) < LEAST_PAIRS:
        return None
    median = float(np.median(cosines))
    return median + SPREADS * _NORMAL * float(np.median(np.abs(cosines - median)))


def _between_clusters(sketches: FloatArray) -> npt.NDArray[np.floating]:
    """Cosines of all pairs that lie in different clusters."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    cosines = sketches @ sketches.T
    # Of a dense matrix scipy takes far longer.
    near = coo_array(cosines >= CLUSTER)
    _, cluster = connected_components(near, directed=False)
    rows, columns = np.triu_indices(len(sketches), k=1)
    apart = cluster[rows] != cluster[columns]
    between: npt.NDArray[np.floating] = cosines[rows[apart], columns[apart]]
    return between
