"""The one list of signals. A new kind of evidence is a new file beside this one and a line here."""

from __future__ import annotations

from lineage_graph.signals import (
    counters,
    distance,
    head,
    inherited,
    lattice,
    low_rank,
    matched,
    parts,
    precision,
    profiles,
    sparsity,
    spectrum,
    statistics,
    vocabulary,
)
from lineage_graph.signals.base import PairContext, Signal

SCHEMA = 1
"""Raise it when a signal comes, goes or changes its meaning: values are kept between builds."""

SIGNALS: tuple[Signal, ...] = (
    distance.measure,
    inherited.measure,
    matched.measure,
    counters.measure,
    statistics.measure,
    spectrum.measure,
    precision.measure,
    lattice.measure,
    sparsity.measure,
    low_rank.measure,
    profiles.measure,
    head.measure,
    vocabulary.measure,
    parts.measure,
)


def measure_all(pair: PairContext) -> dict[str, float]:
    """Every signal's values by name."""
    values: dict[str, float] = {}
    for signal in SIGNALS:
        values.update(signal(pair))
    return values


SIGNED = frozenset(
    [
        *("scale", "norm_growth", "init_drift", "kurtosis_growth", "rank_loss", "precision_loss", "lattice_loss"),
        *("spread_gain", "sparsity_gain", "masked", "units_lost", "adapter_gain", "rows_added", "parts_added"),
        *("created", "declared", "linearized.asymmetry", "detector.direction", "order_lost"),
        *("format_lost", "merge_base"),
    ]
)
"""Signals that point from one side to the other."""


def is_signed(name: str) -> bool:
    """Does the signal change its sign when the pair is turned round?"""
    return name in SIGNED or name.startswith("counter.")
