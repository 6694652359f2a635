"""The reference of the detector's bench, with nothing learned: the candidate whose weights lie nearest to the child's.

It sees of the weights what the detector sees of them, the portraits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lineage_graph.detector import dataset
from lineage_graph.detector.dataset import Question
from lineage_graph.detector.evaluation import FALSE_PARENTS, Figures
from lineage_graph.detector.images import WEIGHTS, gather
from lineage_graph.detector.portrait import Portrait
from lineage_graph.detector.zoos import FamilyZoo

NAME = "nearest by weights"

Distances = npt.NDArray[np.float64]


def distances(child: Portrait, candidates: Sequence[Portrait]) -> Distances:
    """Shape (candidates,): rms(p - c) / rms(c), the mean over the layers of weights that child and candidate share.

    Infinite for a candidate that shares none.
    """
    layers = [layer for layer in gather(child, candidates) if layer.kind == WEIGHTS]
    total, shared = np.zeros(len(candidates)), np.zeros(len(candidates))
    for layer in layers:
        gaps = np.sqrt(np.mean((layer.parents - layer.child) ** 2, axis=(1, 2)))
        total += np.where(layer.present, gaps / np.sqrt(np.mean(layer.child**2)), 0)
        shared += layer.present
    return np.where(shared > 0, total / np.maximum(shared, 1), np.inf)


def measure(zoos: Sequence[FamilyZoo]) -> Figures:
    """The figures that ``evaluation.measure`` has for a detector, of naming the nearest candidate.

    A candidate is the surer, the nearer it lies. To say *no parent* there is no rule, so there is no figure of orphans;
    accuracies by generation are left out.
    """
    closed = [_reply(question)[0] for zoo in zoos for _, _, question in dataset.closed(zoo)]
    opened = [_reply(question) for zoo in zoos for question in dataset.opened(zoo)]
    alone = [_reply(question)[1] for zoo in zoos for question in dataset.strangers(zoo)]
    bound = float(np.quantile(alone, FALSE_PARENTS)) if alone else 0.0
    return Figures(
        questions=len(closed) + len(opened) + len(alone),
        closed=float(np.mean(closed)) if closed else None,
        cells={},
        opened=float(np.mean([right for right, _ in opened])) if opened else None,
        found=float(np.mean([right and distance < bound for right, distance in opened])) if opened and alone else None,
        strangers=len(alone),
        orphans=None,
        abstained=None,
    )


def _reply(question: Question) -> tuple[bool, float]:
    """Whether the nearest candidate is the ancestor, and how far it is."""
    found = distances(question.child, question.candidates)
    best = int(np.argmin(found))
    return best == question.target, float(found[best])
