"""What kind of edge there is between two relatives: rules on signals, first match counts.

Which of the two came first does not matter here: signed signals are taken by their size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

WHOLE = 0.999
"""Share of all weights from which a copy is whole; a constant buffer may be missing in one format."""

ROUNDED = 0.9
"""Share of what changed that rounding explains in a quantised model; a few layers may be left to themselves."""

REARRANGED = 0.99
"""Share of the weights, and of the matrices among them, that agree in a copy whose units were scaled or put in another
order; norms that were folded into other layers are missing."""

ROUNDING = 1e-5
"""Relative distance that is left between a copy and its original, once units are put back; float32 leaves 1e-7."""

ADAPTED = 0.9
"""Share of the squared change of low rank where an adapter was merged. In layers narrower than four times its rank, it
does not look low."""

KEPT = 0.9
"""Share of biases and scales that an adapter leaves as they were; normalisations may be trained beside it."""

PRUNED = 0.05
"""Share of zeros gained from which a model is pruned; rounding and dead units leave fewer."""

SAME_HEAD = 0.5
"""Cosine from which a head goes on. Sketches of unrelated heads have 0, with a standard deviation of 1/8."""

RUN_COUNTERS = 2
"""Counters of a run that have to grow together: one of a new run passes the old run's every other time."""

INHERITED = frozenset(["counter.num_batches_tracked"])
"""Counters that are weights' companions: they grow in a fine-tune, too."""


Signals = Mapping[str, float]


def kind(signals: Signals) -> str:
    """One of ``adapter``, ``duplicate``, ``quantize``, ``prune``, ``snapshot`` and ``finetune``, which takes what is
    left. ``signals``: of a related pair, by name, with ``coverage``; absent ones decide nothing.
    """
    return next((name for name, holds in RULES if holds(signals)), "finetune")


def _wrapped(signals: Signals) -> bool:
    """One file carries an adapter's factors."""
    return signals.get("adapter_gain", 0.0) != 0


def _duplicate(signals: Signals) -> bool:
    """Every value is equal, in whatever layout or type, the head's too; or all are, up to the order and scale of units,
    and with them the head's inputs.
    """
    if _identical(signals):
        return "units" in signals or signals.get("head_identical", 1.0) >= WHOLE
    put_back = signals.get("laid_out", 0.0) > 0 and signals.get("distance", 1.0) <= ROUNDING
    same = put_back or signals.get("same_profile", 0.0) >= REARRANGED
    return same and "units_lost" not in signals and signals.get("coverage", 0.0) >= REARRANGED


def _quantized(signals: Signals) -> bool:
    """What changed is rounding, and no units are missing."""
    return signals.get("rounding", 0.0) >= ROUNDED and "lattice_loss" in signals and "units_lost" not in signals


def _pruned(signals: Signals) -> bool:
    """One side has more zeros, or fewer units."""
    return abs(signals.get("sparsity_gain", 0.0)) >= PRUNED or signals.get("units_lost", 0.0) != 0


def _merged(signals: Signals) -> bool:
    """All that changed is of low rank, and biases and scales are as they were."""
    return signals.get("low_rank", 0.0) >= ADAPTED and signals.get("kept_vectors", 1.0) >= KEPT


def _snapshot(signals: Signals) -> bool:
    """One run: the head goes on, or, where no head can be told, the run's counters do; no counter contradicts, and
    biases and scales move as well as matrices.

    A new task brings a new head, and a new run starts some counters anew, which then fall while others grow. Training
    further on the same task cannot be told from a longer run by weights alone.
    """
    growths = {name: value for name, value in signals.items() if name.startswith("counter.")}
    if (
        signals.get("kept_vectors", 0.0) >= KEPT
        or min(growths.values(), default=0.0) * max(growths.values(), default=0.0) < 0
    ):
        return False
    if "head_cosine" in signals:
        return signals["head_cosine"] >= SAME_HEAD
    return len(growths.keys() - INHERITED) >= RUN_COUNTERS


def _identical(signals: Signals) -> bool:
    return "units_lost" not in signals and signals.get("identical") == 1.0 and signals.get("coverage", 0.0) >= WHOLE


RULES: tuple[tuple[str, Callable[[Signals], bool]], ...] = (
    ("adapter", _wrapped),
    ("duplicate", _duplicate),
    # Before pruning, since rounding to few levels makes zeros.
    ("quantize", _quantized),
    ("prune", _pruned),
    ("adapter", _merged),
    ("snapshot", _snapshot),
)
"""In this order; the first that holds gives the kind."""
