"""The one border where the Hub client's exceptions become ours."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from time import time

from lineage_graph.errors import (
    DisabledRepositoryError,
    GatedRepositoryError,
    HashMismatchError,
    HubError,
    LineageGraphError,
    MissingFileError,
    MissingRepositoryError,
    MissingRevisionError,
    ModelError,
    NetworkError,
    OfflineError,
    RateLimitedError,
    UnreadableFileError,
)

TRANSIENT = (NetworkError, RateLimitedError, HashMismatchError)
"""What may be otherwise at the next attempt."""

_OF_THE_DISK = frozenset(
    (
        *(errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO),
        *(errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP),
    )
)


@contextmanager
def border(where: str) -> Iterator[None]:
    """Turn what the client raises in the body into a ModelError whose message begins with ``where``."""
    try:
        yield
    except LineageGraphError:
        raise
    except Exception as error:
        raise _ours(error, where) from error


def refusal(where: str, status: int, headers: Mapping[str, str]) -> HubError | None:
    """The error for an answer that asks to come back later; ``None`` for any other.

    Such answers are met as they arrive: the client would wait as long as a Retry-After says, an hour if need be.
    """
    if status == 429:
        wait = wait_asked_for(headers)
        asks = "" if wait is None else f", and asks to wait {wait:.0f} seconds"
        return RateLimitedError(f"{where}: the Hub answers that there are too many requests{asks}", wait)
    if status >= 500 or status == 408:
        return NetworkError(f"{where}: the Hub answers with an error of its own ({status})")
    return None


def wait_asked_for(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After (a number or a date), or the Hub's RateLimit header, asks for; ``None`` without one."""
    from huggingface_hub.utils import parse_ratelimit_headers  # type: ignore[attr-defined]

    asked = headers.get("Retry-After", "").strip()
    if asked.isdigit():
        return float(asked)
    try:
        return max(parsedate_to_datetime(asked).timestamp() - time(), 0.0)
    except (ValueError, TypeError):
        pass
    limit = parse_ratelimit_headers(headers)
    return float(limit.reset_in_seconds) if limit is not None else None


def _ours(error: Exception, where: str) -> ModelError:
    from huggingface_hub import errors as theirs

    # The client reports some answers as "not in the cache, and the server cannot be asked".
    cause = error.__cause__ if isinstance(error, theirs.LocalEntryNotFoundError) else None
    if isinstance(cause, Exception):
        return _ours(cause, where)
    # In this order: some of their classes are special cases of later ones.
    for kind, made in (
        (theirs.GatedRepoError, GatedRepositoryError(f"{where}: is gated: ask its owner for access, and set HF_TOKEN")),
        (
            theirs.RepositoryNotFoundError,
            MissingRepositoryError(f"{where}: there is no such repository, or a private one"),
        ),
        (theirs.DisabledRepoError, DisabledRepositoryError(f"{where}: the Hub has disabled the repository")),
        (theirs.RevisionNotFoundError, MissingRevisionError(f"{where}: has no such branch, tag or commit")),
        (theirs.RemoteEntryNotFoundError, MissingFileError(f"{where}: a file of its list is not there")),
        (theirs.OfflineModeIsEnabled, OfflineError(f"{where}: is not in the cache, and HF_HUB_OFFLINE is set")),
        (theirs.LocalEntryNotFoundError, OfflineError(f"{where}: is not in the cache, and HF_HUB_OFFLINE is set")),
    ):
        if isinstance(error, kind):
            return made
    if isinstance(error, theirs.HfHubHTTPError):
        return _of_status(error, where)
    if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
        return UnreadableFileError(f"{where}: cannot be kept in the cache ({error.strerror})")
    return NetworkError(f"{where}: {_sentence(error)}")


def _of_status(error: Exception, where: str) -> ModelError:
    response = getattr(error, "response", None)
    status = int(getattr(response, "status_code", 0))
    if status in (401, 403):
        return GatedRepositoryError(f"{where}: the Hub denies access ({status}); see HF_TOKEN")
    later = refusal(where, status, getattr(response, "headers", {}))
    return later or HubError(f"{where}: the Hub refuses ({status})")


def _sentence(error: Exception) -> str:
    """What the network's libraries say, shortened to the first line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
