"""From a finished graph to its audit: the same graph by weights alone, and the declared pairs that it leaves open.

Measures what nobody proposed, since a card may name any model; judges it by the weights; changes nothing of the graph.
"""

from __future__ import annotations

from collections.abc import Sequence

from lineage_graph import adapters, audit, examination, judgement, scoring
from lineage_graph.audit import Judged, Key
from lineage_graph.cached import Workshop
from lineage_graph.calibration import Calibration
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.judgement import Surroundings
from lineage_graph.lineage import canonical
from lineage_graph.types import CandidatePair, LineageGraph, Model, PairEvidence, ScoredPair

ADAPTER_FITS = "an adapter alone holds nothing of its base; its layers have the shapes that this one asks for"


def audited(
    graph: LineageGraph,
    plain: LineageGraph,
    models: Sequence[Model],
    around: Surroundings,
    shop: Workshop,
    probes: ProbeSettings | None,
    calibration: Calibration,
) -> LineageGraph:
    """``graph`` with its audit. ``plain``: the same by weights alone, so that no card confirms itself."""
    judged = judge(audit.undecided(plain, models), models, around, shop, probes, calibration)
    return audit.attach(graph, audit.audit(plain, models, judged))


def judge(
    pairs: Sequence[tuple[str, str]],
    models: Sequence[Model],
    around: Surroundings,
    shop: Workshop,
    probes: ProbeSettings | None,
    calibration: Calibration,
) -> dict[Key, Judged]:
    """What the weights say of pairs (declared parent, model). ``around``: the whole zoo.

    A pair whose weights cannot be read is absent.
    """
    if not pairs:
        return {}
    by_id = {model.id: model for model in models}
    wanted = {frozenset(pair): sorted((by_id[one] for one in pair), key=canonical) for pair in pairs}
    asked = {_digests(a, b): CandidatePair(a.id, b.id, 0.0) for a, b in wanted.values()}
    measured, _ = examination.measure(models, list(asked.values()), shop, probes, {})
    scored = {
        _digests(by_id[pair.a], by_id[pair.b]): _compared(pair)
        for pair in judgement.judge(models, measured, False, calibration, around)
    }
    alone = {frozenset((pair.a, pair.b)): pair for pair in adapters.declared(models)}
    return {key: scored[_digests(*ends)] for key, ends in wanted.items() if _digests(*ends) in scored} | {
        key: _alone(alone[key]) for key in wanted if key in alone
    }


def _compared(pair: ScoredPair) -> Judged:
    comparable = "cosine" in pair.evidence and pair.evidence["coverage"] >= scoring.RelatedSettings().least_coverage
    return Judged(pair.confidence, pair.confidence >= scoring.DECISION, comparable, pair.reason)


def _alone(evidence: PairEvidence) -> Judged:
    """An adapter in a file of its own, and the base that it declares: its shapes can contradict it, never confirm."""
    pair = scoring.declared_adapter(evidence)
    fits = pair.confidence >= scoring.DECISION
    return Judged(pair.confidence, fits, not fits, ADAPTER_FITS if fits else pair.reason)


def _digests(a: Model, b: Model) -> Key:
    return frozenset((a.fingerprint.digest, b.fingerprint.digest))
