"""Which format a file is in, from its content alone; its name plays no part."""

from __future__ import annotations

from collections.abc import Callable

from lineage_graph.checkpoints import gguf, keras, npz
from lineage_graph.checkpoints.agent import weight_members
from lineage_graph.checkpoints.onnx import looks_like_onnx
from lineage_graph.checkpoints.pytorch import is_tar
from lineage_graph.checkpoints.safetensors import looks_like_safetensors
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.checkpoints.torch_legacy import is_legacy
from lineage_graph.checkpoints.torch_zip import pickle_member
from lineage_graph.checkpoints.zips import Archive
from lineage_graph.errors import UnsupportedFormatError

_HEAD = 512
_BLANK = b"\xef\xbb\xbf \t\r\n"
_KNOWN_STRANGERS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself; fetch it with: git lfs pull"),
    (b"<!doctype html", "an HTML page that was saved in place of the file"),
    (b"<html", "an HTML page that was saved in place of the file"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first"),
    (b"\xfd7zxz\x00", "compressed with xz; unpack it first"),
    (b"bzh", "compressed with bzip2; unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
    (b"rar!", "a RAR archive; unpack it first"),
    (b"%pdf", "a PDF document"),
    (b"\x89png", "a picture"),
    (b"ggml", "a GGML file from before GGUF"),
    (b"tjgg", "a GGML file from before GGUF"),
)
"""How well-known files that are no checkpoints begin (in lower case), and what to say of them."""

_PICKLE_TEXT = b"(c}]lditIFLNSVX)"
"""The opcodes with which a pickle of protocol 0 or 1 may begin."""


def sniff(source: ByteSource) -> str:
    """``safetensors``, ``zip``, ``tar``, ``pickle``, ``hdf5``, ``npy``, ``gguf``, ``onnx`` or ``json``.

    Raises UnsupportedFormatError, which says what the file is instead, where that can be told.
    """
    head = source.head(_HEAD)
    for magic, name in ((gguf.MAGIC, "gguf"), (npz.MAGIC, "npy"), (keras.MAGIC, "hdf5"), (b"PK\x03\x04", "zip")):
        if head.startswith(magic):
            return name
    start = head.lstrip(_BLANK)
    for magic, words in _KNOWN_STRANGERS:
        if start.lower().startswith(magic):
            raise UnsupportedFormatError(f"{source.label}: is {words}")
    for name, test in _TESTS:
        if test(source):
            return name
    raise UnsupportedFormatError(f"{source.label}: no known checkpoint format (it starts with {_quoted(head)})")


def zip_kind(archive: Archive) -> str:
    """``pytorch``, ``keras``, ``npz`` or ``agent``. Raises UnsupportedFormatError for any other archive."""
    if pickle_member(archive) is not None:
        return "pytorch"
    if keras.KERAS_WEIGHTS in archive:
        return "keras"
    if archive.names and all(name.endswith(".npy") for name in archive.names):
        return "npz"
    if weight_members(archive):
        return "agent"
    names = ", ".join(archive.names[:3])[:120] or "nothing"
    raise UnsupportedFormatError(f"{archive.label}: a zip archive without weights (it holds {names})")


def _has_user_block(source: ByteSource) -> bool:
    """Whether HDF5 starts behind a user block, at 512 bytes or a doubling of that."""
    offset = 512
    while offset + len(keras.MAGIC) <= source.size:
        if source.read(offset, len(keras.MAGIC)) == keras.MAGIC:
            return True
        offset *= 2
    return False


def _is_pickle(source: ByteSource) -> bool:
    """Whether a pickle of protocol 2 or later starts here, or one of protocol 0 or 1 fills the file."""
    head = source.head(2)
    if head[:1] == b"\x80":
        return head[1:] in (b"\x02", b"\x03", b"\x04", b"\x05")
    return head[:1] in _PICKLE_TEXT and (source.read(source.size - 1, 1) == b"." or is_legacy(source))


_TESTS: tuple[tuple[str, Callable[[ByteSource], bool]], ...] = (
    ("safetensors", lambda source: looks_like_safetensors(source.head(9))),
    ("tar", is_tar),
    ("hdf5", _has_user_block),
    ("onnx", looks_like_onnx),
    ("json", lambda source: source.head(_HEAD).lstrip(_BLANK)[:1] == b"{"),
    ("pickle", _is_pickle),
)
"""Formats without a magic number of their own at the start, in the order in which they are tried."""


def _quoted(head: bytes) -> str:
    text = head[:16].decode("latin-1")
    return repr(text) if text.isascii() and text.isprintable() else head[:8].hex(" ")
