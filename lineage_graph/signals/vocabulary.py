"""New words, positions or classes: rows that were added to a table whose other rows went on."""

from __future__ import annotations

import math

from lineage_graph.signals.base import PairContext, agrees
from lineage_graph.types import Fingerprint


def measure(pair: PairContext) -> dict[str, float]:
    """``rows_added``: ln of b's rows over a's, over the tables of which one side has more rows and the leading ones
    agree beyond chance; > 0 where b has more. Absent where there are none, or as many in sum.

    A head for another task has other rows from the first on. Rows that are taken out, as when a vocabulary is pruned,
    seldom are the last ones: the others then move up, and no longer agree.
    """
    going_on = [t for t in pair.grown if agrees(t)]
    of_a = sum(_rows(pair.a, t.name_a) for t in going_on)
    of_b = sum(_rows(pair.b, t.name_b) for t in going_on)
    return {"rows_added": math.log(of_b / of_a)} if of_a != of_b else {}


def _rows(fingerprint: Fingerprint, name: str) -> int:
    return next(t.spec.shape[0] for t in fingerprint.tensors if t.spec.name == name)
