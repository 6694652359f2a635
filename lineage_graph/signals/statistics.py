"""Weight statistics that move with training."""

from __future__ import annotations

from lineage_graph.signals.base import PairContext
from lineage_graph.types import TensorFingerprint


def measure(pair: PairContext) -> dict[str, float]:
    """``norm_growth``: (‖b‖² - ‖a‖²)/‖a - b‖² over the aligned matrices: 1 for an update orthogonal to a (what a
    scale-invariant layer gets from gradient descent), -1 for one orthogonal to b, between or beyond under weight decay.

    ``init_drift``: the same for biases and scales, measured from where training starts them: 0 and 1. Random walks lead
    away from their start. ("Neural Phylogeny", ICLR 2025, takes the model nearest to a *fake* initialisation for the
    parent; of these tensors the true one is known.)

    ``kurtosis_growth``: mean kurtosis of b's aligned matrices minus that of a's, relative to their mean ("Unsupervised
    Model Tree Heritage Recovery", ICLR 2025: it rises in pre-training and falls in specialisation).
    """
    signals: dict[str, float] = {}
    pair = pair.without_replaced
    squared = sum(t.squared_distance for t in pair.matrices)
    if squared > 0:
        growth = sum(t.squared_norm_b - t.squared_norm_a for t in pair.matrices)
        signals["norm_growth"] = growth / squared
    vectors = [(x, y, t) for (x, y), t in zip(pair.aligned, pair.tensors, strict=True) if len(x.spec.shape) == 1]
    squared = sum(t.squared_distance for _, _, t in vectors)
    if squared > 0:
        signals["init_drift"] = sum(_drift(a, b) for a, b, _ in vectors) / squared
    matrices = [(a, b) for a, b in pair.aligned if a.is_matrix and b.is_matrix and a.hash != b.hash]
    if matrices:
        of_a = sum(a.kurtosis for a, _ in matrices)
        of_b = sum(b.kurtosis for _, b in matrices)
        signals["kurtosis_growth"] = 2 * (of_b - of_a) / (of_a + of_b)
    return signals


def _drift(a: TensorFingerprint, b: TensorFingerprint) -> float:
    """Squared distance of b from the start of training minus that of a; both start at 1 if they are nearer to 1."""
    start = 1.0 if a.mean + b.mean > 1 else 0.0
    return _from(b, start) - _from(a, start)


def _from(tensor: TensorFingerprint, start: float) -> float:
    size = tensor.spec.size
    return tensor.norm**2 - 2 * start * size * tensor.mean + size * start**2
