"""Which of timm's architectures a state dict belongs to, by the names and shapes of its tensors alone.

timm's registry has about 1,400 architectures. Their configurations, which cost nothing to read, name the first layer;
that leaves a few dozen (a few hundred for a vision transformer). These are outlined on the meta device, about 20 ms
each and once a process, shortest name first: of architectures that differ in nothing but their defaults, the plain one.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import torch

from lineage_graph.errors import FeaturesUnavailableError
from lineage_graph.features.skeleton import Outline, Plan, Shapes, Skeleton, build_for, empty_module, outline
from lineage_graph.names import is_state
from lineage_graph.timm_compat import import_timm

_ADAPTED = "pos_embed"
"""The tensor, beside the stems, whose shape follows the inputs and not the architecture."""


@dataclass(frozen=True)
class Match:
    """An architecture whose body a state dict holds. ``prefix``: what stands before each of its names there.

    ``unplaced``: tensors under the prefix that the architecture has no place for; none of them lies in its body.
    """

    skeleton: Skeleton
    prefix: str
    unplaced: tuple[str, ...]


def fit(architecture: str, shapes: Shapes) -> Match:
    """The named timm architecture over a state dict of these ``shapes``.

    Raises :class:`FeaturesUnavailableError` that says what is missing, of another shape, or too much.
    """
    return _fit(architecture, shapes, _prefixes(shapes))


def _fit(architecture: str, shapes: Shapes, prefixes: Mapping[str, str]) -> Match:
    known = _outline(architecture)
    prefix = _prefix(known, prefixes)
    own = {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}
    _refuse_strangers(architecture, known, own)
    found = build_for(architecture, own)
    needed = [*found.outline.body, *found.outline.statistics]
    bad = [name for name in needed if own.get(name) != found.outline.shapes[name]]
    if bad:
        raise FeaturesUnavailableError(
            f"{len(bad)} of the {len(needed)} tensors of {architecture} without its head are missing or have another "
            f"shape, the first of them {bad[0]}"
        )
    return Match(found, prefix, tuple(_extras(known, own)))


def search(shapes: Shapes) -> Match | None:
    """The architecture that leaves the fewest tensors over; ``None`` where none fits."""
    prefixes = _prefixes(shapes)
    best: Match | None = None
    for architecture in _by_first_layer(prefixes):
        known = _outline(architecture)
        if not _plausible(known, shapes, _prefix(known, prefixes)):
            continue
        try:
            match = _fit(architecture, shapes, prefixes)
        except FeaturesUnavailableError:
            continue
        if best is None or len(match.unplaced) < len(best.unplaced):
            best = match
        if not best.unplaced:
            break
    return best


def registered(name: str) -> str | None:
    """Timm's name of an architecture, without the origin and the tag that a model card adds; ``None`` if unknown."""
    bare = name.rpartition("/")[2].partition(".")[0]
    return bare if bare and import_timm().is_model(bare) else None


@cache
def _outline(architecture: str) -> Outline:
    return outline(empty_module(Plan(architecture), torch.device("meta")))


@cache
def _first_layers() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Every architecture with the names of its first layers' weights, shortest name first."""
    timm = import_timm()
    found = []
    for name in sorted(timm.list_models(), key=lambda name: (len(name), name)):
        config = timm.models.get_pretrained_cfg(name)
        stems = getattr(config, "first_conv", None) or ()
        stems = (stems,) if isinstance(stems, str) else tuple(stems)
        found.append((name, tuple(f"{stem}.weight" for stem in stems)))
    return tuple(found)


def _by_first_layer(endings: Container[str]) -> Iterator[str]:
    yield from (name for name, stems in _first_layers() if stems and all(stem in endings for stem in stems))


def _prefixes(shapes: Shapes) -> dict[str, str]:
    """For every ending of a tensor's name (``a.b.weight``: itself, ``b.weight``, ``weight``) the shortest prefix that
    stands before it.
    """
    found: dict[str, str] = {}
    for name in sorted(shapes, key=lambda name: (len(name), name)):
        ending = name
        while ending:
            found.setdefault(ending, name.removesuffix(ending))
            ending = ending.partition(".")[2]
    return found


def _prefix(known: Outline, prefixes: Mapping[str, str]) -> str:
    """What stands before the names of a body, told by its last parameter."""
    return prefixes.get(known.body[-1], "")


def _plausible(known: Outline, shapes: Shapes, prefix: str) -> bool:
    """Quick: has every parameter of the body its shape, those aside that follow the inputs?"""
    free = {_ADAPTED, *(f"{stem}.weight" for stem in known.stems)}
    return all(
        f"{prefix}{name}" in shapes and (name in free or shapes[f"{prefix}{name}"] == known.shapes[name])
        for name in known.body
    )


def _extras(known: Outline, own: Shapes) -> list[str]:
    return [name for name in own if name not in known.shapes and not is_state(name)]


def _refuse_strangers(architecture: str, known: Outline, own: Shapes) -> None:
    """A tensor too much inside the body (more blocks, an adapter) makes another network of it."""
    inside = {name.partition(".")[0] for name in known.body if "." in name}
    strangers = [name for name in _extras(known, own) if name.partition(".")[0] in inside]
    if strangers:
        raise FeaturesUnavailableError(
            f"{len(strangers)} tensors lie inside the body of {architecture}, which has no place for them, the first "
            f"of them {strangers[0]}"
        )
