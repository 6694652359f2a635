"""One candidate parent against its possible children: every similarity, with and without approximation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from lineage_graph.errors import FeaturesUnavailableError
from lineage_graph.features.linearize import (
    FeatureFunction,
    Parameters,
    difference,
    inner,
    jvps,
    value_and_slope,
    vjp,
)
from lineage_graph.features.similarity import SIMILARITIES, Similarity

TOGETHER = 4
"""Children that share one primal pass: more save little time, and each costs memory."""


@dataclass(frozen=True, slots=True)
class Child:
    """A possible child: its ``parameters``, and its own ``features`` on the probes, shape (probes, features)."""

    parameters: Parameters
    features: Tensor


@dataclass(frozen=True, slots=True)
class Approximation:
    """Similarities by name. ``plain``: S(fp, fc). ``linearized``: with fine-tuning from the parent approximated.

    ``form``: ``exact``, S(fp + αJΔ, fc) by forward mode; or ``taylor``, S(fp, fc) + α⟨∇S, Δ⟩, where the network has no
    forward mode; ``note`` then says why.
    """

    plain: Mapping[str, float]
    linearized: Mapping[str, float]
    form: Literal["exact", "taylor"]
    note: str = ""


def approximate(
    features: FeatureFunction,
    parent: Parameters,
    children: Sequence[Child],
    similarities: Mapping[str, Similarity] = SIMILARITIES,
    alpha: float = 1.0,
) -> list[Approximation]:
    """The parent's approximation for each child, in order.

    ``alpha``: how far along the tangent, finite. Similarities are computed in float64: between near relatives some
    differ from 1 by less than float32 resolves. Raises :class:`ValueError` for an ``alpha`` that is not finite and
    :class:`FeaturesUnavailableError` where the network can be differentiated neither way.
    """
    if not math.isfinite(alpha):
        raise ValueError(f"alpha must be finite, not {alpha}")
    try:
        return _exact(features, parent, children, similarities, alpha)
    except FeaturesUnavailableError as error:
        note = str(error)
    try:
        return _taylor(features, parent, children, similarities, alpha, note)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:160]
        raise FeaturesUnavailableError(f"the network cannot be differentiated ({detail})") from error


def _exact(
    features: FeatureFunction,
    parent: Parameters,
    children: Sequence[Child],
    similarities: Mapping[str, Similarity],
    alpha: float,
) -> list[Approximation]:
    found = []
    for start in range(0, len(children), TOGETHER):
        batch = children[start : start + TOGETHER]
        primal, tangents = jvps(features, parent, [difference(child.parameters, parent) for child in batch])
        for child, tangent in zip(batch, tangents, strict=True):
            plain = _all(similarities, primal, child.features)
            moved = _all(similarities, primal.double() + alpha * tangent.double(), child.features)
            found.append(Approximation(plain, moved, "exact"))
    return found


def _all(similarities: Mapping[str, Similarity], parent: Tensor, child: Tensor) -> dict[str, float]:
    return {name: float(similarity(parent.double(), child.double())) for name, similarity in similarities.items()}


def _taylor(
    features: FeatureFunction,
    parent: Parameters,
    children: Sequence[Child],
    similarities: Mapping[str, Similarity],
    alpha: float,
    note: str,
) -> list[Approximation]:
    primal, pull = vjp(features, parent)
    found = []
    for child in children:
        delta = difference(child.parameters, parent)
        plain: dict[str, float] = {}
        moved: dict[str, float] = {}
        for name, similarity in similarities.items():
            value, slope = value_and_slope(similarity, primal.double(), child.features.double())
            plain[name] = float(value)
            moved[name] = float(value + alpha * inner(pull(slope.to(primal.dtype)), delta))
        found.append(Approximation(plain, moved, "taylor", note))
    return found
