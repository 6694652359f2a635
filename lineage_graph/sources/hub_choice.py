"""Which files of a repository are the model: the weights, and what readers want beside them.

The preference: a format that cannot run code before one that can (safetensors, GGUF, HDF5, ONNX, NumPy, then pickles);
within a format shards with their index, then the usual names, then a file that is alone. Only the top of the repository
counts; what lies in folders is named by the manifest's ``file``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from lineage_graph.errors import MissingFileError, NoWeightsFileError
from lineage_graph.sources.remote import RemoteFile

FORMATS: tuple[tuple[str, ...], ...] = (
    (".safetensors",),
    (".gguf",),
    (".h5", ".keras", ".hdf5"),
    (".onnx",),
    (".npz", ".npy"),
    (".bin", ".pt", ".pth", ".ckpt", ".zip", ".tar"),
)
"""Endings of weights files, most preferred first."""

_STEMS = (
    *("model", "pytorch_model", "diffusion_pytorch_model", "open_clip_model", "open_clip_pytorch_model"),
    *("weights", "tf_model", "adapter_model"),
)
"""Names that mean "the weights", most telling first."""

SIDECARS = ("config.json", "adapter_config.json", "trainer_state.json")
"""Files beside the weights from which readers take the architecture, an adapter's base and training counters."""

CARD = "README.md"
MAX_SIDECAR = 64 << 20
"""Largest file that is fetched beside the weights, in bytes."""

INDEX = ".index.json"
_SHARD = re.compile(r"(.*)-\d+-of-\d+")
_NO_WEIGHTS = re.compile(r"optim|scheduler|scaler|training_args|rng_state|random_states", re.IGNORECASE)
"""Names of pickles that trainers put beside the weights."""

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """See :class:`~lineage_graph.sources.remote.RemoteModel`."""

    weights: tuple[RemoteFile, ...]
    sidecars: tuple[RemoteFile, ...]
    whole: bool


def choose(files: Sequence[RemoteFile], wanted: str | None, where: str) -> Choice:
    """The model among the files of a commit; ``wanted``: the path that the manifest names. ``where``: for messages.

    Raises MissingFileError and NoWeightsFileError.
    """
    files = sorted((file for file in files if _is_inside(file.path)), key=lambda file: file.path)
    if not files:
        raise NoWeightsFileError(f"{where}: the repository is empty")
    if wanted is not None:
        named = next((file for file in files if file.path == wanted), None)
        if named is None:
            raise MissingFileError(f"{where}: has no file {wanted!r}; it has {_few([file.path for file in files])}")
        weights, index = _named(named, files)
    else:
        weights, index = _usual([file for file in files if "/" not in file.path], files, where)
    home = str(PurePosixPath(weights[0].path).parent)
    beside = [file for file in files if str(PurePosixPath(file.path).parent) == home]
    sidecars = [file for file in beside if PurePosixPath(file.path).name in SIDECARS]
    sidecars += [file for file in (index,) if file is not None]
    sidecars += [file for file in files if file.path == CARD]
    return Choice(
        weights=tuple(sorted({*weights, *_external(weights, beside)}, key=lambda file: file.path)),
        sidecars=tuple(file for file in sidecars if file.size <= MAX_SIDECAR),
        whole=wanted is None,
    )


def is_weights(path: str) -> bool:
    """Does the name say that these are weights?"""
    endings = tuple(suffix for suffixes in FORMATS for suffix in suffixes)
    return path.endswith(endings) and not _NO_WEIGHTS.search(PurePosixPath(path).name)


def _is_inside(path: str) -> bool:
    """Names come from strangers: one that leads out of the repository is none of its files."""
    return bool(path) and "\\" not in path and not {"", ".", ".."} & set(path.split("/")) and path.isprintable()


def _named(file: RemoteFile, files: Sequence[RemoteFile]) -> tuple[list[RemoteFile], RemoteFile | None]:
    """The file that the manifest names; of an index, its shards."""
    shards = _shards(file, files) if file.path.endswith(INDEX) else []
    return (shards, file) if shards else ([file], None)


def _usual(
    top: Sequence[RemoteFile], files: Sequence[RemoteFile], where: str
) -> tuple[list[RemoteFile], RemoteFile | None]:
    """The weights at the top of the repository, with their index where they have one."""
    for suffixes in FORMATS:
        for index in sorted(top, key=lambda file: (len(file.path), file.path)):
            if index.path.endswith(tuple(suffix + INDEX for suffix in suffixes)) and (found := _shards(index, top)):
                return found, index
        singles = [file for file in top if file.path.endswith(suffixes) and is_weights(file.path)]
        if singles:
            return [_single(singles, where)], None
    below = [file.path for file in files if is_weights(file.path)]
    hint = f"; those in folders are named with 'file': {_few(below)}" if below else ""
    raise NoWeightsFileError(f"{where}: the repository has no weights file at its top{hint}")


def _shards(index: RemoteFile, files: Sequence[RemoteFile]) -> list[RemoteFile]:
    """The files that an index of the ``transformers`` kind stands for, by their names."""
    stem, dot, suffix = index.path.removesuffix(INDEX).rpartition(".")
    found = []
    for file in files:
        match = _SHARD.fullmatch(file.path.removesuffix(dot + suffix)) if file.path.endswith(dot + suffix) else None
        found += [file] if match and match[1] == stem else []
    return found


def _single(files: Sequence[RemoteFile], where: str) -> RemoteFile:
    """The one file of a format that must be meant."""
    names = {PurePosixPath(file.path): file for file in files}
    for stem in _STEMS:
        found = [file for path, file in names.items() if path.stem == stem]
        if len(found) == 1:
            return found[0]
    if len(files) == 1 and not _SHARD.fullmatch(PurePosixPath(files[0].path).stem):
        return files[0]
    raise NoWeightsFileError(
        f"{where}: several files could be the weights; name one with 'file': {_few([file.path for file in files])}"
    )


def _external(weights: Sequence[RemoteFile], beside: Sequence[RemoteFile]) -> list[RemoteFile]:
    """Files beside ONNX models in which their larger tensors lie."""
    models = [file.path for file in weights if file.path.endswith(".onnx")]
    return [
        file
        for file in beside
        for model in models
        if file.path.startswith((f"{model}_", f"{model}.")) and file.path.endswith("data")
    ]


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
