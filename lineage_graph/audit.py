"""Do the cards tell the truth? What the weights say of each declared parent, of parents that nobody declared, and of
licences along the descent.

Reads a graph that was assembled from the weights alone: declarations must not confirm themselves. Takes no decision
about the graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import yaml

from lineage_graph import licences
from lineage_graph.declarations import VERDICTS, Card, Claim, Finding, worst
from lineage_graph.kin import Descent, Kin
from lineage_graph.render.text import percent
from lineage_graph.types import Checkpoint, LineageGraph, Model
from lineage_graph.visible import visible

Key = frozenset[str]

LIKELY = 0.5
"""Confidence from which the edges of a descent confirm a claim: right rather than wrong."""

SURE = 0.75
"""Confidence from which edges contradict a claim, or call for a line in a card."""

STRANGERS = 0.1
"""Probability that two are related up to which they count as strangers."""

RELATIONS: Mapping[str, frozenset[str]] = {
    "finetune": frozenset(["finetune"]),
    "snapshot": frozenset(["finetune"]),
    "merge": frozenset(["merge"]),
    "splice": frozenset(["merge"]),
    # The Hub calls so what has to be loaded beside its base; with the update added in, it is a fine-tune.
    "adapter": frozenset(["adapter", "finetune"]),
    "quantize": frozenset(["quantized"]),
    "prune": frozenset(["finetune", "quantized"]),
    # Another format without loss.
    "duplicate": frozenset(["quantized"]),
}
"""The words of the Hub that fit each kind of edge."""

HUB_WORDS: Mapping[str, str] = {
    "finetune": "finetune",
    "snapshot": "finetune",
    "merge": "merge",
    "splice": "merge",
    # With the update added in; what has to be loaded beside its base is an adapter.
    "adapter": "finetune",
    "quantize": "quantized",
}
"""The word of the Hub for each kind of edge; none for pruned models and copies."""

MEANINGS: Mapping[str, str] = {
    "finetune": "trained further",
    "snapshot": "a later state of one training",
    "merge": "a sum of several models",
    "splice": "put together from blocks of several models",
    "adapter": "an update of low rank",
    "quantize": "rounded, not trained",
    "prune": "with weights or units taken out",
    "duplicate": "equal weights",
}
"""The kinds of edges in words."""

KNOWN = frozenset(["finetune", "adapter", "merge", "quantized"])
"""The values of ``base_model_relation``."""

UNORDERED = "they are related, but nothing tells which of the two came first"
ABSENT = " (an ancestor that is not in the zoo)"

_STEPS = {2: "grandparent", 3: "great-grandparent"}


@dataclass(frozen=True, slots=True)
class Judged:
    """How a model and a declared parent compare by weights. ``confidence``: that they are related at all, 0 to 1.
    ``related``: whether that is enough. ``comparable``: False where the weights cannot tell; ``reason``: why not.
    """

    confidence: float
    related: bool
    comparable: bool
    reason: str


def undecided(lineage: LineageGraph, models: Iterable[Model]) -> list[tuple[str, str]]:
    """The pairs (declared parent, model) that no descent in the graph decides: they have to be compared."""
    kin = Kin(lineage.graph)
    return [
        (claim.parent, one.id)
        for one in (model.checkpoint for model in models)
        for claim in one.claims
        if claim.parent
        and kin.usable(one.id)
        and kin.usable(claim.parent)
        and not kin.same(one.id, claim.parent)
        and not (kin.descent(claim.parent, one.id) or kin.descent(one.id, claim.parent))
    ]


def audit(lineage: LineageGraph, models: Sequence[Model], judged: Mapping[Key, Judged]) -> tuple[Finding, ...]:
    """The findings, worst first. ``lineage``: by weights alone. ``judged``: the pairs of :func:`undecided`."""
    kin = Kin(lineage.graph)
    found: list[Finding] = []
    for one in (model.checkpoint for model in models):
        if one.card is not None and one.card.problem:
            words = f"the card cannot be read: {one.card.problem}"
            found.append(Finding(one.id, "card", "", "untestable", words))
        parents = [_parent(kin, one.id, claim, judged) for claim in one.claims]
        found += parents
        if one.card is not None and kin.usable(one.id):
            found += _relation(kin, one, one.card, parents)
            found += _undeclared(kin, one)
    links = {one.id: one.checkpoint.card.license_link for one in models if one.checkpoint.card}
    found += _licences(kin, links)
    return tuple(sorted(found, key=lambda one: (VERDICTS.index(one.verdict), one.model, one.kind, one.subject)))


def attach(lineage: LineageGraph, findings: tuple[Finding, ...]) -> LineageGraph:
    """The graph with its findings; each model's worst verdict becomes its attribute ``audit``."""
    by_model: dict[str, list[Finding]] = {}
    for finding in findings:
        by_model.setdefault(finding.model, []).append(finding)
    for model, own in by_model.items():
        lineage.graph.nodes[model]["audit"] = worst(own)
    return replace(lineage, audit=findings)


def _parent(kin: Kin, model: str, claim: Claim, judged: Mapping[Key, Judged]) -> Finding:
    verdict, why = _verdict(kin, model, claim, judged)
    meant = f" (here {claim.parent})" if claim.parent not in ("", claim.name) else ""
    words = f"the {claim.origin} names {claim.name}{meant}: {why}"
    mend = mending(kin, model) if verdict == "contradicted" and claim.origin == "card" else ""
    return Finding(model, "parent", claim.parent or claim.name, verdict, words, mend)


def _verdict(kin: Kin, model: str, claim: Claim, judged: Mapping[Key, Judged]) -> tuple[str, str]:
    """What the weights say of one claim, and why."""
    parent = claim.parent
    if not parent:
        return "untestable", claim.why
    for node in (parent, model):
        if not kin.usable(node):
            return "untestable", f"{node} could not be used ({kin.fact(node, 'status')})"
    if kin.same(parent, model):
        return "confirmed", "the weights of both are equal"
    if down := kin.descent(parent, model):
        return _descends(down)
    if up := kin.descent(model, parent):
        return _reversed(up)
    return _apart(kin, model, judged.get(frozenset((parent, model))))


def _descends(way: Descent) -> tuple[str, str]:
    if way.open:
        return "untestable", UNORDERED
    if way.confidence < LIKELY:
        return "untestable", f"such a descent is drawn, but too unsure ({percent(way.confidence)})"
    if way.steps == 1:
        return "confirmed", f"the weights show it as the parent ({way.kinds[-1]}, {percent(way.confidence)})"
    name = _STEPS.get(way.steps, f"an ancestor {way.steps} generations up")
    return "confirmed", f"the weights show it as {name} ({' → '.join(way.nodes)}, {percent(way.confidence)})"


def _reversed(way: Descent) -> tuple[str, str]:
    if way.open:
        return "untestable", UNORDERED
    if way.confidence < SURE:
        return "untestable", f"the opposite descent is drawn, but too unsure ({percent(way.confidence)})"
    return "contradicted", f"it is the other way round ({' → '.join(way.nodes)}, {percent(way.confidence)})"


def _apart(kin: Kin, model: str, pair: Judged | None) -> tuple[str, str]:
    """Neither descends from the other."""
    if pair is None:
        return "untestable", "their weights could not be compared"
    if not pair.comparable:
        return "untestable", pair.reason
    if not pair.related and pair.confidence > STRANGERS:
        return "untestable", f"the weights do not tell whether they are related ({percent(pair.confidence)})"
    if not pair.related:
        return "contradicted", pair.reason
    others = [way for way in kin.parents(model) if way.confidence >= SURE and not way.open]
    if not others:
        return "untestable", "they are related, but how is too unsure"
    shown = " and ".join(f"{way.nodes[0]}{ABSENT if kin.absent(way.nodes[0]) else ''}" for way in others)
    return "contradicted", f"they are related, but the weights show {shown} as the parent"


def _relation(kin: Kin, one: Checkpoint, card: Card, parents: Sequence[Finding]) -> Iterator[Finding]:
    """The word for the relation beside the kind of edge, where all that is declared is confirmed."""
    if not card.relation or any(found.verdict != "confirmed" for found in parents):
        return
    for claim in one.claims:
        way = kin.descent(claim.parent, one.id)
        kinds = way.kinds if way else ("duplicate",)
        if any(card.relation in RELATIONS[kind] for kind in kinds):
            continue
        shown = ", then ".join(MEANINGS[kind] for kind in kinds)
        words = f"the card calls it {card.relation} of {claim.name}; the weights show: {shown}"
        if card.relation not in KNOWN:
            words = f"the card calls it {card.relation} of {claim.name}, which is none of {', '.join(sorted(KNOWN))}"
        verdict = "contradicted" if card.relation in KNOWN else "untestable"
        yield Finding(one.id, "relation", claim.parent, verdict, words, mending(kin, one.id))


def _undeclared(kin: Kin, one: Checkpoint) -> Iterator[Finding]:
    """Parents that the weights show, where neither they, nor their copies, nor a copy of the model is declared."""
    named = [claim.parent for claim in one.claims if claim.parent]
    for way in _sure_parents(kin, one.id):
        parent = way.nodes[0]
        if not any(kin.same(claim, node) for claim in named for node in (parent, one.id)):
            words = f"the card does not name {parent}, which the weights show as {_as_parent(way)}"
            yield Finding(one.id, "undeclared", parent, "missing", words, mending(kin, one.id))


def _as_parent(way: Descent) -> str:
    return f"a parent ({way.kinds[-1]}, {percent(way.confidence)})"


def _sure_parents(kin: Kin, model: str) -> list[Descent]:
    """The edges that are worth a line in a card."""
    return [
        way for way in kin.parents(model) if way.confidence >= SURE and not way.open and not kin.absent(way.nodes[0])
    ]


def mending(kin: Kin, model: str) -> str:
    """The lines of a card that name the parents that the weights show; empty where none is sure."""
    ways = _sure_parents(kin, model)
    if not ways:
        return ""
    names = [visible(way.nodes[0]) for way in ways]
    lines: dict[str, str | list[str]] = {"base_model": names[0] if len(names) == 1 else names}
    word = "adapter" if ways[0].adapter else HUB_WORDS.get(ways[0].kinds[-1], "")
    if word:
        lines["base_model_relation"] = word
    return str(yaml.safe_dump(lines, sort_keys=False, allow_unicode=True, width=10_000)).strip()


def _licences(kin: Kin, links: Mapping[str, str]) -> Iterator[Finding]:
    """Each restriction that a copy or an ancestor imposes and the model's licence lacks, for the nearest of them."""
    for model in kin.models():
        own = kin.fact(model, "license")
        if licences.terms(own) is None:
            continue
        near = [(other, "a copy of the same weights") for other in kin.copies(model)]
        named: set[str] = set()
        for other, tie in [*near, *((node, "its ancestor") for node in kin.ancestors(model, SURE))]:
            lost = [one for one in licences.dropped(own, kin.fact(other, "license")) if one not in named]
            if lost:
                named.update(lost)
                asked = "; ".join(map(licences.words, lost))
                theirs = kin.fact(other, "license") + (f" ({links[other]})" if links.get(other) else "")
                words = f"its licence is {own}, and that of {other}, {tie}, is {theirs}, which asks: {asked}"
                yield Finding(model, "licence", other, "licence", words)
