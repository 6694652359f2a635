"""PyTorch checkpoints: every container, every wrapping, nothing executed.

The pickle machine reads the index first, whatever the file: torch's loader reads a legacy file's weights at once, and
a hostile pickle can make even ``weights_only=True`` take gigabytes or crash the process. What the machine finds
harmless then goes to ``torch.load(weights_only=True)``, where that can map the file; everything else, and all that
torch refuses, is read by position.
"""

from __future__ import annotations

import math
import pickle
from pathlib import Path

from lineage_graph.checkpoints.base import Contents, Values
from lineage_graph.checkpoints.mapped import MappedFile, MappedTensor, acceptable
from lineage_graph.checkpoints.nodes import leaf_of
from lineage_graph.checkpoints.rebuild import HARMLESS
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.checkpoints.stored import check_sharing
from lineage_graph.checkpoints.torch_legacy import load_pickles
from lineage_graph.checkpoints.torch_tar import load_tar
from lineage_graph.checkpoints.torch_zip import load_zip, pickle_member
from lineage_graph.checkpoints.training import architecture, training_counters
from lineage_graph.checkpoints.tree import Tree
from lineage_graph.checkpoints.unwrap import find_weights
from lineage_graph.checkpoints.zips import Archive
from lineage_graph.errors import UnsafePickleError, UnsupportedFormatError

TAR_MAGIC = (257, b"ustar")


def load_tree(source: ByteSource, nested: bool = False) -> Tree:
    """The tree of a torch file, whichever its container. Raises UnsupportedFormatError for a zip that torch did not
    write, and as the containers' loaders do.
    """
    if source.head(2) == b"PK":
        archive = Archive(source)
        member = pickle_member(archive)
        if member is None:
            raise UnsupportedFormatError(f"{source.label}: a zip archive without a torch pickle")
        return load_zip(archive, member)
    if is_tar(source):
        return load_tar(source)
    return load_pickles(source, nested)


def is_tar(source: ByteSource) -> bool:
    """Whether the source is a tar archive."""
    start, magic = TAR_MAGIC
    return source.size >= 512 and source.read(start, len(magic)) == magic


def read_pytorch(source: ByteSource, path: Path | None) -> Contents:
    """The index of a torch file. ``path``: the file itself, where ``source`` is the whole of it.

    Raises UnsafePickleError, which names what was met, for a pickle without a tensor; and as :func:`load_tree`.
    """
    tree = load_tree(source)
    place, tensors = find_weights(tree.root, leaf_of, source.label)
    check_sharing(source.label, tensors.values(), source.size)
    if not tensors:
        met = sorted(name for name in tree.met if name not in HARMLESS and not acceptable(frozenset({name})))
        if met:
            raise UnsafePickleError(f"{source.label}: no tensor, but a pickle that asks for {', '.join(met)[:200]}")
    elif path is not None and tree.mappable and acceptable(tree.met):
        tensors = _mapped(path, source.label, tensors)
    return Contents(tree.format, tensors, training_counters(tree.root, leaf_of), architecture(tree.root, place))


def _mapped(path: Path, label: str, tensors: dict[str, Values]) -> dict[str, Values]:
    """The same tensors through torch's loader, or as they are where it refuses the file."""
    try:
        file = MappedFile(path, label)
    except (pickle.UnpicklingError, RuntimeError):
        return tensors
    return {
        name: MappedTensor(file, name, values.shape, values.dtype) if math.prod(values.shape) else values
        for name, values in tensors.items()
    }
