"""A zoo in parts that have nothing to do with one another.

Whatever bears on the place of a model lies in its own part, save what :class:`~lineage_graph.judgement.Surroundings`
holds. So each part is judged by itself, and one in which nothing changed since the last build is not judged again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import networkx as nx

from lineage_graph import survey
from lineage_graph.cached import Workshop
from lineage_graph.clans import LEAST_AGREEMENT
from lineage_graph.leads import Leads
from lineage_graph.lineage import canonical
from lineage_graph.origins import agreement
from lineage_graph.types import Model

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Part:
    """``models`` in the order of the zoo, and the ``leads`` among them."""

    models: tuple[Model, ...]
    leads: Leads


def divide(models: Sequence[Model], leads: Leads, shop: Workshop) -> list[Part]:
    """The parts in order of their first models. Two models are in one part if a lead ties them, if one names the other
    as its parent, or if their weights are equal.

    Of blocks of models that nothing else ties, those alone tie that turn out to agree: sketches of single blocks agree
    by chance so often that they would join most of a large zoo.
    """
    first = _together(models, [*Leads(leads.pairs, leads.sums, ()).links(), *_told(models)])
    number = {model.id: place for place, part in enumerate(first) for model in part}
    apart = [ends for ends in leads.blocks if len({number[model] for model, _ in ends}) > 1]
    chance = {
        ends for ends, match in survey.compared(models, apart, shop).items() if agreement(match) < LEAST_AGREEMENT
    }
    leads = replace(leads, blocks=tuple(ends for ends in leads.blocks if ends not in chance))
    return _parts(_together(models, [*leads.links(), *_told(models)]), leads)


def together(parts: Iterable[Part]) -> Part:
    """Several parts as one."""
    parts = list(parts)
    models = sorted((model for part in parts for model in part.models), key=canonical)
    leads = [part.leads for part in parts]
    return Part(
        tuple(models),
        Leads(
            tuple(pair for one in leads for pair in one.pairs),
            tuple(blend for one in leads for blend in one.sums),
            tuple(ends for one in leads for ends in one.blocks),
        ),
    )


def _told(models: Sequence[Model]) -> Iterator[tuple[str, str]]:
    """Models that claims tie, and those of equal weights."""
    known = {model.id for model in models}
    same: dict[str, str] = {}
    for model in models:
        first = same.setdefault(model.fingerprint.digest, model.id)
        if first != model.id:
            yield model.id, first
        yield from ((model.id, claim) for claim in model.checkpoint.declared_parents if claim in known)


def _together(models: Sequence[Model], links: Iterable[tuple[str, str]]) -> list[list[Model]]:
    """The models that links join, in their order."""
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(model.id for model in models)
    graph.add_edges_from(links)
    number = {one: place for place, part in enumerate(nx.connected_components(graph)) for one in part}
    found: dict[int, list[Model]] = {}
    for model in models:
        found.setdefault(number[model.id], []).append(model)
    return list(found.values())


def _parts(together: Sequence[Sequence[Model]], leads: Leads) -> list[Part]:
    """Each lead goes to the part that it is about."""
    number = {model.id: place for place, part in enumerate(together) for model in part}
    pairs = _by_place(leads.pairs, lambda pair: number[pair.a])
    sums = _by_place(leads.sums, lambda one: number[one.child])
    blocks = _by_place(leads.blocks, lambda ends: number[ends[0][0]])
    return [
        Part(tuple(members), Leads(tuple(pairs[place]), tuple(sums[place]), tuple(blocks[place])))
        for place, members in enumerate(together)
    ]


def _by_place(items: Iterable[Item], place: Callable[[Item], int]) -> dict[int, list[Item]]:
    found: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        found[place(item)].append(item)
    return found
