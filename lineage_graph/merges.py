"""Which models are weighted sums of others: linear merges, SLERP, task arithmetic, averages of clients or snapshots.

No weights are read: the sketches that fingerprints keep of every weight matrix are linear, so a sum of models has the
sum of their sketches, and least squares on some thousand sketched coordinates finds the coefficients that least squares
on the weights would find. Every coordinate is scaled so that each matrix has an equal say. What speaks for a merge is
weighed model by model (see ``sums``); which claims hold beside one another is settled here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from lineage_graph.alignment import align
from lineage_graph.candidates import CandidateSettings, nearest
from lineage_graph.claims import Claim, Group, fewer, settled
from lineage_graph.kinship import Blend
from lineage_graph.sketch import NARROW, chance
from lineage_graph.sums import BlendSettings, claim_of
from lineage_graph.types import FloatArray, Model

MOST_PARENTS = 5
"""Parents up to which exact sums are taken out, the fewest first, before the others are looked at again."""

FEW = 32
"""Models of one shape up to which each is held against all others."""


def find(models: Sequence[Model], settings: BlendSettings | None = None) -> list[Blend]:
    """The models that are blends of others, in canonical order of the children; of equal weights one model stands for
    all. Biases and scales, heads and buffers take no part.
    """
    settings = settings or BlendSettings()
    blends: list[Blend] = []
    for group, sketches in _groups(models):
        shortlists = _shortlists(group, sketches, settings)
        claims = _claims(group, shortlists, settings)
        claims |= _with_strangers(group, claims, settings)
        known: frozenset[int] = frozenset()
        for most in range(2, MOST_PARENTS + 1):
            sums = _sums(group, claims, most)
            if sums != known:
                claims |= _without(group, shortlists, claims, sums, settings)
            known = sums
        blends += [claim.blend for claim in settled(group, list(claims.values()))]
    return blends


def _claims(group: Group, shortlists: Mapping[int, list[int]], settings: BlendSettings) -> dict[int, Claim]:
    """By child."""
    found = ((child, claim_of(group, child, relatives, settings)) for child, relatives in shortlists.items())
    return {child: claim for child, claim in found if claim is not None}


def _with_strangers(group: Group, claims: Mapping[int, Claim], settings: BlendSettings) -> dict[int, Claim]:
    """The claims that are exact with models that are like strangers, as far apart as clients that are averaged may be,
    or of a small share; looked for where all models of one shape are few enough to be held against each.
    """
    everyone = range(len(group.ids))
    if len(everyone) > min(FEW, group.freedom // settings.freedom):
        return {}
    left = {child: [one for one in everyone if one != child] for child in everyone if child not in claims}
    return {child: claim for child, claim in _claims(group, left, settings).items() if claim.exact}


def _sums(group: Group, claims: Mapping[int, Claim], most: int) -> frozenset[int]:
    """The models that are exact sums of so many others at most."""
    held = settled(group, list(claims.values()))
    return frozenset(claim.child for claim in held if claim.exact and len(claim.parents) <= most)


def _without(
    group: Group,
    shortlists: Mapping[int, list[int]],
    claims: Mapping[int, Claim],
    sums: frozenset[int],
    settings: BlendSettings,
) -> dict[int, Claim]:
    """The claims that are exact without ``sums`` and take no more parents: what is an exact sum itself can stand for
    its own parents in any other, which has then many equal explanations.
    """
    left = {
        child: others
        for child, relatives in shortlists.items()
        if len(others := [one for one in relatives if one not in sums]) < len(relatives)
        and not (child in claims and sums.isdisjoint(claims[child].parents))
    }
    return {
        child: claim
        for child, claim in _claims(group, left, settings).items()
        if claim.exact and not (child in claims and claims[child].exact and fewer(claims[child], claim))
    }


def _groups(models: Sequence[Model]) -> Iterable[tuple[Group, FloatArray]]:
    """Models of one signature, each content once, with their matrices brought into the order of the first; and their
    sketches as whole models.
    """
    members: dict[str, dict[tuple[str, ...], Model]] = defaultdict(dict)
    for model in sorted(models, key=lambda one: (one.fingerprint.digest, one.id)):
        content = tuple(tensor.hash for tensor in model.fingerprint.tensors if tensor.is_matrix)
        if content and np.isfinite(model.fingerprint.sketch).all():
            members[model.fingerprint.signature].setdefault(content, model)
    for distinct in members.values():
        chosen = tuple(distinct.values())
        found = [
            {
                a.spec.name: b
                for a, b in align(chosen[0].fingerprint, one.fingerprint).pairs
                if b.is_matrix and a.spec.shape == b.spec.shape
            }
            for one in chosen
        ]
        shared = [name for name in found[0] if all(name in tensors for tensors in found)]
        if len(chosen) > 2 and shared:
            rows = np.stack([np.stack([tensors[name].sketch for name in shared]) for tensors in found])
            freedom = sum(min(found[0][name].spec.size, NARROW) for name in shared)
            group = Group(tuple(model.id for model in chosen), rows, freedom)
            yield group, np.stack([model.fingerprint.sketch for model in chosen])


def _shortlists(group: Group, sketches: FloatArray, settings: BlendSettings) -> dict[int, list[int]]:
    """By model, its nearest relatives."""
    shortlists: dict[int, list[int]] = {index: [] for index in range(len(group.ids))}
    most = min(settings.shortlist, group.freedom // settings.freedom)
    least = max(settings.least_similarity, chance(len(group.ids), sketches.shape[1]))
    for row, column, similarity in nearest(sketches, CandidateSettings(neighbours=most)):
        if similarity >= least and len(shortlists[row]) < most:
            shortlists[row].append(column)
    return shortlists
