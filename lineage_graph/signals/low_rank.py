"""Low-rank adapters: merged into the weights, or beside them in the file."""

from __future__ import annotations

import math

from lineage_graph import names
from lineage_graph.signals.base import PairContext
from lineage_graph.types import Fingerprint, TensorComparison, TensorFingerprint

LARGEST_TAIL = 1e-8
"""Share of a difference beyond low rank that still counts as none, besides rounding; computing it leaves 1e-14."""

LARGEST_NOISE = 0.1
"""Share of a difference that storing the weights may account for; beyond it, the rank cannot be seen."""

LEAST_KNOWN = 0.25
"""Share of the changed elements for which a rank can be told; a quarter that is of low rank to 1e-8 leaves no doubt."""

ADAPTER_PARTS = frozenset("lora_a lora_b lora_down lora_up lora_embedding_a lora_embedding_b".split())
"""Components of a tensor's name that mark the two factors of an adapter."""


def measure(pair: PairContext) -> dict[str, float]:
    """``low_rank``: share of the changed matrices' squared distance that lies in matrices whose difference is of low
    rank, 0 to 1; of those only where a rank can be told, and absent where that is less than ``LEAST_KNOWN`` of what
    changed.

    ``kept_vectors``: share of the elements of biases and scales that are equal to the bit, 0 to 1; an adapter leaves
    them alone, while training on a few examples, which is of low rank too, does not.

    ``adapter_gain``: share of b's weights in the factors of adapters, minus that of a's, where one has any.
    """
    signals: dict[str, float] = {}
    changed = [(a, b, t) for (a, b), t in zip(pair.aligned, pair.tensors, strict=True) if t.rows and not t.identical]
    # Where units were matched, scales may have been fitted to the difference, which changes its rank.
    as_is = [(a, b, t) for a, b, t in changed if not t.layout and not math.isnan(t.tail)]
    known = [(a, b, t) for a, b, t in as_is if _noise(a, b, t) < LARGEST_NOISE]
    if known and sum(t.size for _, _, t in known) >= LEAST_KNOWN * sum(t.size for _, _, t in changed):
        low = sum(t.squared_distance for a, b, t in known if t.tail < LARGEST_TAIL + _noise(a, b, t))
        signals["low_rank"] = low / sum(t.squared_distance for _, _, t in known)
    vectors = [t for t in pair.tensors if not t.rows]
    if vectors:
        signals["kept_vectors"] = sum(t.size for t in vectors if t.identical) / sum(t.size for t in vectors)
    gain = _factors(pair.b) - _factors(pair.a)
    if gain:
        signals["adapter_gain"] = gain
    return signals


def _noise(a: TensorFingerprint, b: TensorFingerprint, both: TensorComparison) -> float:
    """Share of ‖a - b‖² that rounding to the coarser side's digits adds at most: 2^-digits of each value."""
    return 4.0 ** -min(a.bits, b.bits) * max(both.squared_norm_a, both.squared_norm_b) / both.squared_distance


def _factors(fingerprint: Fingerprint) -> float:
    """Share of the weights that are factors of adapters, 0 to 1."""
    factors = [t for t in fingerprint.tensors if t.is_matrix and not ADAPTER_PARTS.isdisjoint(names.parts(t.spec.name))]
    return sum(t.spec.size for t in factors) / max(fingerprint.parameters, 1)
