"""The one place where other libraries' exceptions become ours, so that none escapes."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from lineage_graph.errors import (
    CorruptFileError,
    LimitExceededError,
    ModelError,
    TruncatedFileError,
    UnreadableFileError,
    UnsafePickleError,
    UnsupportedFormatError,
)
from lineage_graph.visible import shorten, visible

_TABLE: tuple[tuple[type[Exception], type[ModelError], str], ...] = (
    (OSError, UnreadableFileError, "cannot be read"),
    (MemoryError, LimitExceededError, "needs more memory than there is"),
    (RecursionError, LimitExceededError, "is nested too deeply"),
    (EOFError, TruncatedFileError, "ends too early"),
    (struct.error, TruncatedFileError, "ends too early"),
    (zipfile.BadZipFile, CorruptFileError, "is a damaged zip archive"),
    (pickle.UnpicklingError, UnsafePickleError, "is refused"),
    (NotImplementedError, UnsupportedFormatError, "uses a feature that is not supported"),
    (Exception, CorruptFileError, "is damaged"),
)
"""First match counts: foreign exception, what it becomes, and the words for it."""

_MESSAGE = 160
_LONGEST = 600
"""Characters of a message beside the path: a shape of 64 axes must not fill the screen."""


@contextmanager
def border(path: str, part: str = "") -> Iterator[None]:
    """Within it, every foreign exception turns into a ModelError; every message names ``path`` and ``part``."""
    label = f"{path}: {shorten(part, _MESSAGE)}" if part else path
    try:
        yield
    except ModelError as error:
        message = str(error)
        known, here = visible(path), visible(part[:40])
        if known not in message or here not in message:
            message = f"{label}: {message.removeprefix(f'{known}: ')}"
        elif len(message) <= len(known) + _LONGEST:
            raise
        raise type(error)(shorten(message, len(known) + _LONGEST)) from error
    except Exception as error:
        detail = " ".join(f"{type(error).__name__}: {error}".split())[:_MESSAGE].rstrip(": ")
        ours, words = next((ours, words) for kind, ours, words in _TABLE if isinstance(error, kind))
        if isinstance(error, OSError) and error.errno is None:
            # A library that calls damaged bytes an I/O error gives no error number.
            ours, words = CorruptFileError, "is damaged"
        raise ours(f"{label}: {words} ({detail})") from error
