"""Does a probability mean what it says? Reliability bins, expected calibration error and Brier score.

The expected calibration error is the mean gap between confidence and the share of right answers, weighted by the
number of answers: Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017), equation 3, over bins of equal
width there. Bins of equal mass (Nguyen & O'Connor, EMNLP 2015) are the second look where nearly all confidences lie
close to 1. The Brier score is the mean squared error of the probability (Brier, 1950).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Equal = Literal["width", "mass"]

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of similar confidence. ``low``, ``high``: the edges of a bin of equal width, and the least and greatest
    confidence in one of equal mass. ``confidence``: mean, 0 to 1. ``right``: share of right answers, 0 to 1.
    """

    low: float
    high: float
    count: int
    confidence: float
    right: float


def reliability(
    confidences: Sequence[float], right: Sequence[bool], count: int = BINS, equal: Equal = "width"
) -> tuple[Bin, ...]:
    """At most ``count`` bins from low to high; empty ones are left out.

    ``confidences``: probabilities, 0 to 1; ``right``: for each, whether it came true. A confidence on the edge between
    two bins of equal width belongs to the lower one, and 0 to the first. Bins of equal mass keep equal confidences
    together. Raises ``ValueError`` where the lengths differ, or a confidence is no probability.
    """
    values, outcomes = _checked(confidences, right)
    edges = np.linspace(0, 1, count + 1)
    if equal == "width":
        index = np.clip(np.ceil(values * count).astype(int) - 1, 0, count - 1)
    else:
        rank = np.searchsorted(np.sort(values), values)
        index = rank * count // max(len(values), 1)
    found = []
    for number in sorted(set(index.tolist())):
        inside = values[index == number]
        low, high = (edges[number], edges[number + 1]) if equal == "width" else (inside.min(), inside.max())
        share = float(outcomes[index == number].mean())
        found.append(Bin(float(low), float(high), len(inside), float(inside.mean()), share))
    return tuple(found)


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """Expected calibration error, 0 to 1; ``None`` without answers."""
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.confidence - one.right) for one in bins) / total if total else None


def brier(confidences: Sequence[float], right: Sequence[bool]) -> float | None:
    """Brier score, 0 (sure and right) to 1 (sure and wrong); ``None`` without answers.

    Raises ``ValueError`` as :func:`reliability` does.
    """
    values, outcomes = _checked(confidences, right)
    return float(np.mean((values - outcomes) ** 2)) if len(values) else None


def _checked(confidences: Sequence[float], right: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    values, outcomes = np.asarray(confidences, dtype=float), np.asarray(right, dtype=float)
    if len(values) != len(outcomes):
        raise ValueError(f"{len(values)} confidences, but {len(outcomes)} outcomes")
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError("a confidence should lie between 0 and 1")
    return values, outcomes
