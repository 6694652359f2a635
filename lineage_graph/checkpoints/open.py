"""One way in: from a path to an open :class:`~lineage_graph.checkpoints.base.Reader`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from lineage_graph.checkpoints.agent import read_agent
from lineage_graph.checkpoints.base import Contents, Reader, TensorReader, Values
from lineage_graph.checkpoints.border import border
from lineage_graph.checkpoints.folder import Folder, config_architecture, find_files, from_index, trainer_counters
from lineage_graph.checkpoints.gguf import read_gguf
from lineage_graph.checkpoints.keras import read_keras, read_keras_archive
from lineage_graph.checkpoints.npz import read_npy, read_npz
from lineage_graph.checkpoints.onnx import external_files, read_onnx
from lineage_graph.checkpoints.pytorch import read_pytorch
from lineage_graph.checkpoints.safetensors import read_safetensors
from lineage_graph.checkpoints.sniff import sniff, zip_kind
from lineage_graph.checkpoints.source import ByteSource, open_source
from lineage_graph.checkpoints.zips import Archive
from lineage_graph.errors import CorruptFileError, UnsupportedFormatError


def open_checkpoint(path: Path) -> Reader:
    """Open a weights file, a shard index, or a folder that holds a model; the format is told from the content.

    Names, shapes and dtypes are read, no weight is. Nothing in a file is ever executed or imported.

    Raises a :class:`~lineage_graph.errors.ModelError` and nothing else: EmptyFileError, UnsupportedFormatError,
    TruncatedFileError, CorruptFileError, UnsafePickleError, LimitExceededError, NoWeightsError, UnreadableFileError,
    MissingExtraError.
    """
    with ExitStack() as resources, border(str(path)):
        folder = _folder(path)
        if folder is None:
            contents = _read_file(path, resources)
        else:
            contents = _joined(path, folder, [_read_file(file, resources) for file in folder.files])
        return TensorReader(str(path), contents, resources)


def weight_files(path: Path) -> tuple[Path, ...]:
    """The files whose bytes are the weights, in name order: the file itself, and a file of external data beside it;
    for a folder or an index the shards, or the one weights file. Raises as :func:`open_checkpoint`.
    """
    with border(str(path)):
        folder = _folder(path)
        files = (path,) if folder is None else folder.files
        outside = {found for file in files for found in _external(file)}
        return tuple(sorted({*files, *outside}))


def _folder(path: Path) -> Folder | None:
    """The folder's weight files; ``None`` where the path is a weights file."""
    if path.is_dir():
        return find_files(path)
    source, handle = open_source(path)
    with handle:
        return from_index(path) if sniff(source) == "json" else None


def _external(path: Path) -> set[Path]:
    source, handle = open_source(path)
    with handle:
        return external_files(source, path) if sniff(source) == "onnx" else set()


def _read_file(path: Path, resources: ExitStack) -> Contents:
    source, handle = open_source(path)
    resources.callback(handle.close)
    kind = sniff(source)
    if kind == "zip":
        return _read_zip(source, path, resources)
    if kind in ("pickle", "tar"):
        return read_pytorch(source, None)
    if kind == "hdf5":
        return read_keras(source, resources)
    if kind == "onnx":
        return read_onnx(source, path, resources)
    if kind == "json":
        raise UnsupportedFormatError(f"{path}: is JSON, not weights")
    return {"safetensors": read_safetensors, "npy": read_npy, "gguf": read_gguf}[kind](source)


def _read_zip(source: ByteSource, path: Path, resources: ExitStack) -> Contents:
    archive = Archive(source)
    kind = zip_kind(archive)
    if kind == "pytorch":
        return read_pytorch(source, path)
    if kind == "keras":
        return read_keras_archive(archive, resources)
    return read_npz(archive) if kind == "npz" else read_agent(archive, resources)


def _joined(path: Path, folder: Folder, shards: Sequence[Contents]) -> Contents:
    """The shards of a folder as one. Raises CorruptFileError where two hold one tensor, or one that is promised is
    missing.
    """
    tensors: dict[str, Values] = {}
    counters: dict[str, float] = {}
    for shard in shards:
        twice = tensors.keys() & shard.tensors.keys()
        if twice:
            raise CorruptFileError(f"{path}: two shards hold the tensor {min(twice)[:80]!r}")
        tensors.update(shard.tensors)
        counters.update(shard.counters)
    missing = folder.names - tensors.keys()
    if missing:
        raise CorruptFileError(f"{path}: the index promises the tensor {min(missing)[:80]!r}, no shard holds it")
    home = path if path.is_dir() else path.parent
    counters.update(trainer_counters(home))
    architecture = config_architecture(home) or shards[0].architecture
    return Contents(shards[0].format, tensors, counters, architecture)
