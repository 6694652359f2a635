"""What measured reliability makes of scores: numbers fitted once on grown zoos, kept in a small file of the package.

``lgraph calibrate`` makes the file, which says where it comes from. Three kinds of numbers: how much each direction cue
is worth, how an edge's features give the probability that it is right, and how far pooled directions can be believed
(Platt, "Probabilistic outputs for support vector machines", 1999; temperature: Guo et al., "On calibration of modern
neural networks", ICML 2017).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import resources
from typing import Any

FILE = "calibration.json"
SCHEMA = 1
"""Raise it when a feature or a cue changes its meaning: the fitted numbers no longer fit."""

LARGEST_LOG_ODDS = 8.0
"""Bound of every log-odds that is fed in: beyond, scores are surer than zoos of this number can show."""


@dataclass(frozen=True, slots=True)
class CueReliability:
    """``log_odds``: what the cue is worth at full strength. ``sign_prior``: probability that the quantity grows from
    parent to child in a family, 0.5 to 1. ``right``, ``wrong``: edges on which it pointed the right or the wrong way.
    """

    log_odds: float
    sign_prior: float = 1.0
    right: int = 0
    wrong: int = 0


@dataclass(frozen=True, slots=True)
class Logistic:
    """P = σ(``intercept`` + Σ ``weights`` · features); a feature that is not given counts as 0."""

    intercept: float
    weights: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, features: Mapping[str, float]) -> float:
        """Probability, 0 to 1."""
        return logistic(self.intercept + sum(weight * features.get(name, 0.0) for name, weight in self.weights.items()))


@dataclass(frozen=True, slots=True)
class Calibration:
    """``cues`` by name. ``edges`` by group of kinds: see :func:`group`. ``direction``: factor of the pooled log-odds
    of a direction. ``provenance``: command, zoos, counts, versions. Without numbers, scores stay what they are.
    """

    cues: Mapping[str, CueReliability] = field(default_factory=dict)
    edges: Mapping[str, Logistic] = field(default_factory=dict)
    direction: float = 1.0
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def confidence(self, kind: str, raw: float, features: Mapping[str, float]) -> float:
        """Probability that an edge of this ``kind`` is right, from its ``raw`` score (0 to 1) and its features."""
        fitted = self.edges.get(group(kind))
        return raw if fitted is None else fitted({"score": log_odds(raw), **features})

    def directed(self, probability: float) -> float:
        """A pooled direction's ``probability`` (0.5 to 1) as far as it can be believed."""
        return logistic(self.direction * log_odds(probability))


def group(kind: str) -> str:
    """Kinds whose edges are found in one way share their numbers: trees, blends of several parents, copies."""
    return {"merge": "several", "splice": "several", "duplicate": "copy"}.get(kind, "tree")


def log_odds(probability: float) -> float:
    """ln(p/(1 - p)), bounded by :data:`LARGEST_LOG_ODDS`."""
    bounded = min(max(probability, logistic(-LARGEST_LOG_ODDS)), logistic(LARGEST_LOG_ODDS))
    return math.log(bounded / (1 - bounded))


def logistic(x: float) -> float:
    """1/(1 + e⁻ˣ)."""
    return 1 / (1 + math.exp(-x)) if x > -500 else 0.0


def to_bytes(calibration: Calibration) -> bytes:
    """The file's content, numbers to four decimals; the same bytes for the same numbers."""
    record = json.loads(json.dumps(asdict(calibration)), parse_float=lambda digits: round(float(digits), 4))
    return (json.dumps({"schema": SCHEMA, **record}, indent=1, sort_keys=True) + "\n").encode()


def from_bytes(data: bytes) -> Calibration:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are no calibration of this version."""
    try:
        record = json.loads(data)
        if record.pop("schema") != SCHEMA:
            raise ValueError("another schema")
        record["cues"] = {name: CueReliability(**values) for name, values in record["cues"].items()}
        record["edges"] = {name: Logistic(**values) for name, values in record["edges"].items()}
        return Calibration(**record)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"no calibration: {error}") from error


@cache
def shipped() -> Calibration:
    """The calibration that comes with the package; without numbers where the package has none."""
    file = resources.files("lineage_graph") / FILE
    return from_bytes(file.read_bytes()) if file.is_file() else Calibration()
