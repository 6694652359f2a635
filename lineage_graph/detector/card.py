"""A trained detector as one safetensors file: its weights, and a card that says what it is and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage_graph.errors import CorruptFileError, of_os_error

if TYPE_CHECKING:
    from lineage_graph.detector.neural.network import Detector

SCHEMA = 1
"""Raise it when portraits, images or the network change so that older detectors no longer fit."""

Ranges = Mapping[str, Sequence[float]]
"""By scalar of ``images.SCALARS``: the smallest and the largest value that the nearest candidate had in training."""


@dataclass(frozen=True, slots=True)
class Card:
    """``shape``: of the network. ``command``: what makes this file. ``data``: the zoos and the questions. ``training``:
    the settings. ``metrics``: figures on held-out zoos. ``ranges``: by kind of layer (weights, features).
    """

    shape: Mapping[str, Any]
    command: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    ranges: Mapping[str, Ranges] = field(default_factory=dict)


def to_bytes(detector: Detector, card: Card) -> bytes:
    """The file's content; the same bytes for the same detector and card."""
    from safetensors.torch import save

    record = {"schema": SCHEMA, **asdict(card)}
    return save(detector.state_dict(), metadata={"card": json.dumps(record, sort_keys=True)})


def read(path: Path) -> tuple[Detector, Card]:
    """A detector, ready to be asked, and its card.

    Raises :class:`~lineage_graph.errors.UnreadableFileError`, or :class:`~lineage_graph.errors.CorruptFileError` where
    the file is no detector, or one of another version.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise of_os_error(path, error) from error
    try:
        return _parsed(data)
    except Exception as error:  # safetensors, JSON and torch have an error each
        detail = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        raise CorruptFileError(f"{path}: is no lineage detector of this version ({detail})") from error


def _parsed(data: bytes) -> tuple[Detector, Card]:
    from safetensors.torch import load

    from lineage_graph.detector.neural.network import Detector, Shape

    tensors = load(data)
    record = json.loads(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["card"])
    if record.pop("schema") != SCHEMA:
        raise ValueError("another schema")
    card = Card(**record)
    detector = Detector(Shape(**{**card.shape, "filters": tuple(card.shape["filters"])}))
    detector.load_state_dict(tensors)
    return detector.eval(), card
