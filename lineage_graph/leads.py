"""What fingerprints alone make worth a look: pairs of models, models that may be sums of others, pairs of blocks.

The stage that goes over the whole zoo; what comes after it goes over parts (see ``parts``). Reads no weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lineage_graph import candidates, lineage, merges, survey
from lineage_graph.kinship import Blend, parents
from lineage_graph.survey import Ends
from lineage_graph.types import CandidatePair, Model


@dataclass(frozen=True, slots=True)
class Leads:
    """``pairs``: models to compare. ``sums``: models that are sums of others by their sketches. ``blocks``: pairs of
    blocks that may be relatives.
    """

    pairs: tuple[CandidatePair, ...]
    sums: tuple[Blend, ...]
    blocks: tuple[Ends, ...]

    def links(self) -> Iterator[tuple[str, str]]:
        """The pairs of models that a lead is about."""
        yield from ((pair.a, pair.b) for pair in self.pairs)
        yield from ((parent, one.child) for one in self.sums for parent in parents(one))
        yield from ((one[0], other[0]) for one, other in self.blocks)


def propose(models: Sequence[Model], metadata: bool) -> list[CandidatePair]:
    """Candidates among the distinct models; where metadata counts, declared parents are always looked at."""
    distinct: dict[str, Model] = {}
    for model in sorted(models, key=lineage.canonical):
        distinct.setdefault(model.fingerprint.digest, model)
    pairs = list(candidates.propose(list(distinct.values())))
    if not metadata:
        return pairs
    proposed = {frozenset((pair.a, pair.b)) for pair in pairs}
    by_id = {model.id: distinct[model.fingerprint.digest] for model in models}
    for model in models:
        for claim in model.checkpoint.declared_parents:
            if claim not in by_id:
                continue
            a, b = sorted((by_id[claim], by_id[model.id]), key=lambda side: side.fingerprint.digest)
            if a is not b and frozenset((a.id, b.id)) not in proposed:
                proposed.add(frozenset((a.id, b.id)))
                pairs.append(CandidatePair(a.id, b.id, 0.0))
    return pairs


def follow(models: Sequence[Model], pairs: Sequence[CandidatePair]) -> Leads:
    """The ``pairs`` that are worth comparing, with the other leads among the ``models``."""
    return Leads(tuple(pairs), tuple(merges.find(models)), tuple(survey.near(models)))
