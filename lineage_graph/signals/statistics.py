"""Weight statistics that move with training, in a direction that differs between families."""

from __future__ import annotations

from lineage_graph.signals.base import PairContext


def measure(pair: PairContext) -> dict[str, float]:
    """``norm_growth``: (‖b‖² - ‖a‖²)/‖a - b‖² over the aligned matrices: 1 for an update orthogonal to a (what a
    scale-invariant layer gets from gradient descent), -1 for one orthogonal to b, between or beyond under weight decay.

    ``kurtosis_growth``: mean kurtosis of b's aligned matrices minus that of a's, relative to their mean ("Unsupervised
    Model Tree Heritage Recovery", ICLR 2025: it rises in pre-training and falls in specialisation).
    """
    signals: dict[str, float] = {}
    squared = sum(t.squared_distance for t in pair.matrices)
    if squared > 0:
        growth = sum(t.squared_norm_b - t.squared_norm_a for t in pair.matrices)
        signals["norm_growth"] = growth / squared
    matrices = [(a, b) for a, b in pair.aligned if a.is_matrix and b.is_matrix and a.hash != b.hash]
    if matrices:
        of_a = sum(a.kurtosis for a, _ in matrices)
        of_b = sum(b.kurtosis for _, b in matrices)
        signals["kurtosis_growth"] = 2 * (of_b - of_a) / (of_a + of_b)
    return signals
