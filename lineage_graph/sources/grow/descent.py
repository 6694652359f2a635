"""The truth of a zoo of :class:`~lineage_graph.sources.grow.derivation.Derivation`: edges, strangers, open pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product, zip_longest
from typing import Any

from lineage_graph.sources.grow.derivation import Derivation
from lineage_graph.sources.grow.steps import Splice, Transplant

Arc = tuple[str, str]


def truth(plans: Sequence[Derivation], prefix: str) -> dict[str, Any]:
    """The zoo's truth in the form of a truth file; ids are ``<prefix>/<name>``.

    - An edge for each model and each of its parents, where both are in the zoo.
    - ``related``: what follows for the other side of a duplicate, of which the weights do not tell which is the copy;
      and a model and its nearest ancestors beyond a parent that is not in the zoo.
    - ``unrelated``: the models that descend from nobody, students and those from shared initial weights among them;
      and rows through the families: the first model of each, the second of each, and so on.
    """
    ordered = sorted(plans, key=lambda plan: plan.name)
    hidden = {plan.name for plan in plans if plan.hidden}
    edges = {
        (parent, plan.name): plan.kind
        for plan in ordered
        for parent in plan.parents
        if not hidden & {parent, plan.name}
    }
    certain = {_pair(arc) for arc in edges}
    related = sorted({*_twins(edges), *_over_gaps(ordered, hidden)} - certain)
    roots = [plan.name for plan in ordered if not plan.parents and not plan.hidden]
    groups = [group for group in (roots, *_rows(ordered)) if len(group) > 1]
    return {
        "edges": [
            {"parent": f"{prefix}/{parent}", "child": f"{prefix}/{child}", "kind": kind}
            for (parent, child), kind in edges.items()
        ],
        "unrelated": [[f"{prefix}/{name}" for name in group] for group in groups],
        "related": [[f"{prefix}/{name}" for name in pair] for pair in related],
    }


def block_origins(plans: Sequence[Derivation], prefix: str) -> dict[str, dict[str, tuple[str, str]]]:
    """Where the blocks of spliced and transplanted models come from: model → its block → (model, block there).

    Ids are ``<prefix>/<name>``. Blocks are the common parts of tensors' names (``blocks.3``); for a backbone inside
    another network, its prefix there and an empty name.
    """
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for plan in plans:
        for step in plan.steps:
            if isinstance(step, Splice):
                origins = [(here, plan.inputs[donor], there) for here, donor, there in step.blocks]
            elif isinstance(step, Transplant):
                origins = [(here, donor, "") for here, donor in zip(step.prefixes, plan.inputs, strict=True)]
            else:
                continue
            found[f"{prefix}/{plan.name}"] = {here: (f"{prefix}/{donor}", there) for here, donor, there in origins}
    return found


def _pair(names: Iterable[str]) -> Arc:
    first, second = sorted(names)
    return first, second


def _twins(edges: Mapping[Arc, str]) -> Iterator[Arc]:
    """Pairs that are related by what holds for a duplicate of one of them."""
    twins = _connected(
        {name for arc in edges for name in arc}, [arc for arc, kind in edges.items() if kind == "duplicate"]
    )
    for parent, child in edges:
        same = child in twins[parent]
        pairs = combinations(twins[parent], 2) if same else product(twins[parent], twins[child])
        yield from map(_pair, pairs)


def _over_gaps(plans: Sequence[Derivation], hidden: set[str]) -> Iterator[Arc]:
    """A model and its nearest ancestors in the zoo that lie beyond a hidden one."""
    parents = {plan.name: plan.parents for plan in plans}

    def nearest(name: str) -> Iterator[str]:
        for parent in parents[name]:
            if parent in hidden:
                yield from nearest(parent)
            else:
                yield parent

    for plan in plans:
        if not plan.hidden:
            for parent in plan.parents:
                if parent in hidden:
                    yield from (_pair((plan.name, ancestor)) for ancestor in nearest(parent))


def _rows(plans: Sequence[Derivation]) -> Iterator[list[str]]:
    """One model of each family a row, for as many rows as the second largest family has models."""
    shown = {plan.name for plan in plans if not plan.hidden}
    arcs = [(parent, plan.name) for plan in plans for parent in plan.parents]
    families = _connected({plan.name for plan in plans}, arcs)
    columns = {id(family): [name for name in family if name in shown] for family in families.values()}
    for row in zip_longest(*columns.values()):
        yield [name for name in row if name is not None]


def _connected(names: Iterable[str], arcs: Iterable[Arc]) -> dict[str, list[str]]:
    """Each name → all names that ``arcs`` connect it with, itself too, sorted; one list for all of them."""
    groups = {name: [name] for name in sorted(names)}
    for first, second in arcs:
        if groups[first] is not groups[second]:
            joined = sorted([*groups[first], *groups[second]])
            groups.update(dict.fromkeys(joined, joined))
    return groups
