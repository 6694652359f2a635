"""How much of the smaller model agrees with the larger one, part by part.

Parts that are equal to the bit, as a frozen backbone leaves them, give no direction: that two models share a tensor is
the same said of either. Nor do several models that share some: which values recur in whom makes a tree, since training
never comes back to the same bits, but one without a root; it says who lies between whom, and not who came first. A
state that is known to be the first one would root it. Only biases and scales have one, and ``init_drift`` of
``statistics`` measures how far they are from it.
"""

from __future__ import annotations

from lineage_graph.signals.base import PairContext, agrees


def measure(pair: PairContext) -> dict[str, float]:
    """``inherited``: share of the aligned matrices' elements, times coverage, that lies in matrices which agree beyond
    chance, 0 to 1. ``inherited_cosine``: mean centred cosine within these. ``identical``: share of the aligned
    elements whose values are equal to the bit, 0 to 1.
    """
    if not pair.tensors:
        return {}
    signals = {
        "identical": sum(t.size for t in pair.tensors if t.identical) / sum(t.size for t in pair.tensors),
    }
    matrices = pair.matrices
    if matrices:
        agreeing = [t for t in matrices if agrees(t)]
        size = sum(t.size for t in agreeing)
        signals["inherited"] = pair.coverage * size / sum(t.size for t in matrices)
        if agreeing:
            signals["inherited_cosine"] = sum(t.size * t.cosine for t in agreeing) / size
    return signals
