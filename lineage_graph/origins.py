"""Where each block of a model comes from, with a probability (Neural Lineage, Fig. 6).

The child of a block x is x + u, with an update u that is nearly orthogonal to whatever else sets x apart from other
candidates. Between two of them, j and k, at a squared distance V from one another, the difference of the child's
squared distances, D_k - D_j, is V where j is the origin and -V where k is, and spreads by 2|u|√V times ρ, the usual
cosine between an update and a difference that has nothing to do with it. In the ratio of the likelihoods of these two
normal densities V cancels, and what is left is a softmax over squared distances, exp((D_k - D_j) / (2ρ²|u|²)), where
|u|² is the smallest D.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lineage_graph.kinship import BlockOrigin
from lineage_graph.survey import Match, Surveyed

SPREAD, SPREAD_OF_SMALL = 0.015, 3.0
"""ρ² = SPREAD + SPREAD_OF_SMALL / √elements."""
ROUNDS = 4
"""Of expectation and maximisation. More let the model that holds most take what others hold as well.

The three are the likeliest ones, on a coarse grid, for the true origins of 1,147 blocks of grown zoos (recipe families,
seeds 102 to 104 and 109, with 24 hybrids of their blocks that were tuned at the paces of that recipe; hybrids, 100 to
103; vits, 100 and 101). There 97 % of the likeliest origins are right, and probabilities to 0.01 on average."""

ROUNDING = 1e-6
"""Share of ‖x‖² below which a squared distance is rounding, not an update."""

LEAST_COSINE, COSINE_SLOPE = 0.25, 14.0
LEAST_Z, Z_SLOPE = 5.0, 2.0
"""Blocks are relatives beyond both, as whole models are (see ``scoring.RelatedSettings``): the odds are even there."""

RUNNERS = 3
LEAST_RUNNER = 0.001
"""How many of the next likely origins are named, and from which probability."""

Floats = npt.NDArray[np.float64]


def origins(
    surveyed: Mapping[str, Sequence[Surveyed]], leave_out: Mapping[str, Collection[str]] | None = None
) -> dict[str, tuple[BlockOrigin, ...]]:
    """By model, of each of its blocks in network order. ``leave_out``: by model, ids that are no candidates: its
    descendants, whose blocks are as near to it as its own origin.
    """
    left_out = leave_out or {}
    return {model: _of_model(layers, left_out.get(model, ())) for model, layers in surveyed.items()}


def _of_model(layers: Sequence[Surveyed], left_out: Collection[str]) -> tuple[BlockOrigin, ...]:
    matches = [tuple(match for match in layer.matches if match.model not in left_out) for layer in layers]
    shares = _shares(layers, matches)
    return tuple(_of_block(layer, near, share) for layer, near, share in zip(layers, matches, shares, strict=True))


def _of_block(layer: Surveyed, matches: Sequence[Match], shares: Floats) -> BlockOrigin:
    related = agreement(matches[0]) if matches else 0.0
    order = np.argsort(-shares, kind="stable")
    likely = [(matches[i].model, matches[i].block, related * float(shares[i])) for i in order]
    if not likely or likely[0][2] < 1 - related:
        runners = [entry for entry in likely[:RUNNERS] if entry[2] >= LEAST_RUNNER]
        return BlockOrigin(layer.block, "", "", 1 - related, 0.0, tuple(runners))
    model, there, probability = likely[0]
    others = [*likely[1:], ("", "", 1 - related)]
    others.sort(key=lambda entry: -entry[2])
    runners = [entry for entry in others[:RUNNERS] if entry[2] >= LEAST_RUNNER]
    return BlockOrigin(layer.block, model, there, probability, matches[int(order[0])].cosine, tuple(runners))


def agreement(match: Match) -> float:
    """Probability, 0 to 1, that two blocks agree by more than strangers do, and by more than chance."""
    near = _logistic(COSINE_SLOPE * (match.cosine - LEAST_COSINE))
    return near * _logistic(Z_SLOPE * (match.z - LEAST_Z))


def log_ratio(layer: Surveyed, distance: float, least: float) -> float:
    """Log of the likelihood of a candidate at the squared ``distance`` over that of one at ``least``."""
    spread = SPREAD + SPREAD_OF_SMALL / math.sqrt(layer.size)
    return (least - distance) / (2 * spread * max(least, ROUNDING * layer.squared_norm))


def _shares(layers: Sequence[Surveyed], matches: Sequence[Sequence[Match]]) -> list[Floats]:
    """Probabilities of each block's matches, provided that one of them is its origin.

    Blocks mostly come from few models, so how much of the model comes from where is the prior of each block, found
    together with them (empirical Bayes, by expectation and maximisation): a block that fits several alike, a frozen
    one say, comes from where the others do.
    """
    numbers: dict[str, int] = {}
    owners = [np.array([numbers.setdefault(one.model, len(numbers)) for one in near], dtype=int) for near in matches]
    likelihoods = [
        np.exp([log_ratio(layer, one.squared_distance, near[0].squared_distance) for one in near])
        for layer, near in zip(layers, matches, strict=True)
    ]
    weights = [agreement(near[0]) if near else 0.0 for near in matches]
    prior = np.full(len(numbers), 1 / max(len(numbers), 1))
    shares = likelihoods
    for _ in range(ROUNDS):
        shares = [_normal(one * prior[own]) for one, own in zip(likelihoods, owners, strict=True)]
        counts = np.full(len(numbers), 1 / max(len(numbers), 1))
        for share, own, weight in zip(shares, owners, weights, strict=True):
            np.add.at(counts, own, weight * share)
        prior = _normal(counts)
    return shares


def _normal(values: Floats) -> Floats:
    total = values.sum()
    return values / total if total > 0 else values


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -500 else 0.0
