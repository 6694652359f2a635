"""Making one model of a zoo of :class:`~lineage_graph.sources.grow.derivation.Derivation`, in any process."""

from __future__ import annotations

from dataclasses import dataclass

from lineage_graph.sources.grow.derivation import Derivation


@dataclass(frozen=True, slots=True)
class Work:
    """One model to be made. ``inputs``: its inputs' weights files, in the plan's order."""

    plan: Derivation
    inputs: tuple[str, ...]


def derive(work: Work) -> bytes:
    """The content of the model's weights file."""
    from lineage_graph.sources.grow.making.run import made

    return made(work.plan, work.inputs)
