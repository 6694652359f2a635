"""What a merge tells of its own parents: who starts from a base and adds fine-tunes of it says that these descend from
the base (Ilharco et al., "Editing models with task arithmetic", ICLR 2023; Yadav et al., "TIES-Merging", NeurIPS 2023).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lineage_graph.kinship import Blend, Splice
from lineage_graph.types import PairEvidence


def with_bases(measured: Sequence[PairEvidence], several: Iterable[Blend | Splice]) -> list[PairEvidence]:
    """The pairs, those of a merge's base and another of its parents with one more signal.

    ``merge_base``: confidence of the surest merge that starts from a and adds b, > 0, or from b and adds a, < 0.
    """
    said: dict[tuple[str, str], float] = defaultdict(float)
    for one in several:
        if isinstance(one, Blend) and one.base:
            for parent in one.parents:
                said[one.base, parent] = max(said[one.base, parent], one.confidence)
    told = []
    for pair in measured:
        towards = said.get((pair.a, pair.b), 0.0) - said.get((pair.b, pair.a), 0.0)
        told.append(replace(pair, signals={**pair.signals, "merge_base": towards}) if towards else pair)
    return told
