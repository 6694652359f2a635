"""Who is declared to be a model's parent: by the manifest, by the card beside the weights, by an adapter's config.

All of them are claims. A name becomes a model of the zoo where there is exactly one that it can mean, and stays a name
otherwise.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lineage_graph import cards
from lineage_graph.checkpoints.folder import adapter_base
from lineage_graph.declarations import Card, Claim
from lineage_graph.errors import ModelError
from lineage_graph.sources.base import LocatedModel
from lineage_graph.types import Model

_ENDING = re.compile(r"\.(safetensors|bin|pt|pth|ckpt|gguf|npz|h5|keras|onnx|zip)$")
"""Of a file that a name may go without."""

_USUAL = frozenset("model pytorch_model diffusion_pytorch_model open_clip_pytorch_model weights adapter_model".split())
"""Names of files that say no more than that the weights are in them: there the folder's name counts."""

_REPOSITORY = re.compile(r"(?:https?://[^/]+/)?([^/\s]+/[^/\s]+)/?")
"""A repository of the Hub, by its id or its address."""

MANIFEST = "manifest"

ABSENT = "not in the zoo"
SEVERAL = "several models of the zoo have this name"


@dataclass(frozen=True, slots=True)
class _Names:
    """The zoo's ``ids``; by ``repositories``, the models that come from there; and by the last part of its id, every
    model, and those among them that are no repository.
    """

    ids: frozenset[str]
    repositories: Mapping[str, list[str]]
    ends: Mapping[str, list[str]]
    local: Mapping[str, list[str]]


def with_claims(models: Sequence[LocatedModel]) -> list[LocatedModel]:
    """The models with their cards, the parents that are declared for each, and dates where the manifest gives none."""
    names = _names((model.id, model.source) for model in models)
    found = []
    for model in models:
        card = _card(model)
        claims = _resolved(model.id, _claims(model, card), names)
        created = model.created or (card.created if card else None)
        found.append(replace(model, card=card, created=created, claims=claims, declared_parents=_parents(claims)))
    return found


def resolve(models: Sequence[Model]) -> list[Model]:
    """The models with their claims read again, as of this zoo: one that has come since may be what a claim meant."""
    names = _names((model.id, model.checkpoint.source) for model in models)
    found = []
    for model in models:
        claims = _resolved(model.id, model.checkpoint.claims, names)
        read = replace(model.checkpoint, claims=claims, declared_parents=_parents(claims))
        found.append(replace(model, checkpoint=read) if claims != model.checkpoint.claims else model)
    return found


def _claims(model: LocatedModel, card: Card | None) -> Iterator[Claim]:
    """All of them, as they are written; what an earlier call found counts once."""
    given = [claim.parent or claim.name for claim in model.claims if claim.origin != MANIFEST]
    yield from (Claim(name, MANIFEST) for name in model.declared_parents if name not in given)
    yield from (Claim(name, "card") for name in (card.base_models if card else ()))
    if base := _base(model):
        yield Claim(base, "adapter config")


def _resolved(model: str, claims: Iterable[Claim], names: _Names) -> tuple[Claim, ...]:
    """Each claim with the model of the zoo that is meant, the first of several that mean the same."""
    found: dict[str, Claim] = {}
    for claim in claims:
        meant = _claim(claim, model, names)
        if meant.parent != model:
            found.setdefault(meant.parent or meant.name, meant)
    return tuple(found.values())


def _parents(claims: Iterable[Claim]) -> tuple[str, ...]:
    return tuple(claim.parent or claim.name for claim in claims)


def _claim(claim: Claim, model: str, names: _Names) -> Claim:
    """The model whose id it is; or the only other one from that repository; or the only other one whose id ends alike
    (``org/base``, ``zoo/base.safetensors``).

    The manifest names ids alone. Repositories of the Hub have a full name: ``org/base`` is none of another
    organisation.
    """
    repository = _REPOSITORY.fullmatch(claim.name)
    for exact in (claim.name, repository[1] if repository else ""):
        if exact in names.ids:
            return Claim(claim.name, claim.origin, exact)
    hosted = names.repositories.get(repository[1], ()) if repository else ()
    alike = hosted or (names.local if repository else names.ends).get(_end(claim.name), ())
    others = [one for one in alike if one != model] if claim.origin != MANIFEST else []
    if len(others) == 1:
        return Claim(claim.name, claim.origin, others[0])
    return Claim(claim.name, claim.origin, why=SEVERAL if others else ABSENT)


def _names(models: Iterable[tuple[str, str]]) -> _Names:
    """From (id, source)."""
    models = list(models)
    ends: dict[str, list[str]] = defaultdict(list)
    local: dict[str, list[str]] = defaultdict(list)
    repositories: dict[str, list[str]] = defaultdict(list)
    for model, source in models:
        ends[_end(model)].append(model)
        if _is_repository(source):
            repositories[source.partition(":")[2].rpartition("@")[0]].append(model)
        else:
            local[_end(model)].append(model)
    return _Names(frozenset(model for model, _ in models), repositories, ends, local)


def _is_repository(source: str) -> bool:
    return source.startswith("hub")


def _card(model: LocatedModel) -> Card | None:
    found = cards.place(model.path, _is_repository(model.source))
    return cards.read(found) if found is not None else None


def _base(model: LocatedModel) -> str:
    try:
        return adapter_base(model.path)
    except ModelError:
        return ""


def _end(name: str) -> str:
    parts = [part for part in name.split("/") if part] or [""]
    last = _ENDING.sub("", parts[-1])
    return parts[-2] if last in _USUAL and len(parts) > 1 else last
