"""What every torch container gives: a tree of nodes whose tensors are still in the file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tree:
    """``root``: see ``nodes``. ``met``: names of the globals that the pickle needs. ``mappable``: torch's own loader
    can open the file without reading its weights. ``format``: the reader's name for it. ``opcodes``: how many
    its pickles had.
    """

    root: object
    met: frozenset[str]
    mappable: bool = False
    format: str = "pytorch"
    opcodes: int = 0
