"""What was found of one part of a zoo, as the store keeps it: whoever builds the same part again has it already.

The key holds everything that the piece depends on, the code that made it too: a judgement is cheap to make again, and
one that a changed rule would not make any more must not come back.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import lineage_graph
from lineage_graph.cached import Artefact
from lineage_graph.judgement import Surroundings
from lineage_graph.lineage import Drawn
from lineage_graph.parts import Part
from lineage_graph.store import artefact_key
from lineage_graph.types import Model, Rejected

LIBRARIES = ("networkx", "numpy", "scipy", "timm", "torch")
"""Those that may decide: by the order of ties, the last digit, or the networks that there are."""


@dataclass(frozen=True, slots=True)
class Piece:
    """``drawn``: with all evidence that counts. ``alone``: by weights alone, where that may be something else.
    ``compared``: number of pairs that were looked at.
    """

    drawn: Drawn
    alone: Drawn | None
    compared: int

    @property
    def plain(self) -> Drawn:
        """What is drawn by weights alone."""
        return self.alone if self.alone is not None else self.drawn


def key(part: Part, around: Surroundings, settings: Mapping[str, Any]) -> str:
    """Where the store keeps the piece. ``settings``: of the build, whatever changes what it finds."""
    leads = part.leads
    suggested = [[asdict(pair) for pair in leads.pairs], [asdict(one) for one in leads.sums], leads.blocks]
    about = [_known(model, dated=settings["metadata"]) for model in part.models]
    return artefact_key(PIECES.kind, code(), about, suggested, asdict(around.of(part.models)), settings)


def _known(model: Model, *, dated: bool) -> list[object]:
    """What a judgement knows of a model. Of one that was sampled the digest is known, and not the weights."""
    told, printed = model.checkpoint, model.fingerprint
    created = told.created.isoformat() if told.created is not None and dated else ""
    group = model.features.group if model.features is not None else None
    return [
        *(told.id, told.digest, told.arch, told.declared_parents, created, group, model.sampled),
        *(printed.digest, printed.format, printed.architecture, printed.signature, sorted(printed.counters.items())),
    ]


@cache
def code() -> str:
    """Digest of this package (its modules, and the fitted files that it ships), and of what it judges with."""
    root = Path(lineage_graph.__file__).parent
    files = sorted(path for path in root.rglob("*") if path.suffix in (".py", ".json", ".safetensors"))
    contents = [(path.relative_to(root).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]
    return artefact_key(contents, sys.version_info[:2], [importlib.metadata.version(name) for name in LIBRARIES])


def to_bytes(piece: Piece) -> bytes:
    """Serialise as compressed JSON: a part that grows leaves a piece behind in each build."""
    alone = _written(piece.alone) if piece.alone is not None else None
    return zlib.compress(json.dumps([_written(piece.drawn), alone, piece.compared]).encode())


def from_bytes(data: bytes) -> Piece:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are none."""
    try:
        drawn, alone, compared = json.loads(zlib.decompress(data))
        return Piece(_read(drawn), _read(alone) if alone is not None else None, compared)
    except (TypeError, zlib.error) as error:
        raise ValueError(f"no piece: {error}") from error


def _written(drawn: Drawn) -> list[object]:
    return [drawn.edges, drawn.unseen, [asdict(one) for one in drawn.rejected], drawn.origins]


def _read(found: Sequence[Any]) -> Drawn:
    edges, unseen, rejected, origins = found
    return Drawn(tuple(map(tuple, edges)), tuple(unseen), tuple(Rejected(**one) for one in rejected), origins)


PIECES = Artefact("piece", to_bytes, from_bytes)
