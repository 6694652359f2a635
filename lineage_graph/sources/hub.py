"""``hub`` entries: which commit, which files. Asks questions, fetches no file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from lineage_graph.errors import ManifestError, NoWeightsFileError, OfflineError
from lineage_graph.manifest import HubEntry
from lineage_graph.sources.hub_choice import choose
from lineage_graph.sources.hub_client import HubClient, Repository
from lineage_graph.sources.remote import RemoteFile, RemoteModel

MAIN = "main"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def model_ids(entries: Sequence[HubEntry]) -> tuple[str, ...]:
    """The id of each entry's model: what the entry says, or its repository; where several entries take models from one
    repository, with ``@revision`` and ``/file`` as far as the entry names them.
    """
    several = Counter(entry.hub for entry in entries if entry.id is None)
    return tuple(entry.id or (_long_name(entry) if several[entry.hub] > 1 else entry.hub) for entry in entries)


def resolve(entry: HubEntry, model: str, client: HubClient) -> RemoteModel:
    """The model under the id ``model``, as one request tells it; offline, as the cache has it.

    Raises ManifestError (its own parent), HubError.
    """
    if model in entry.parents:
        raise ManifestError(f"{entry.where}: parents: {model!r} cannot be its own parent")
    if client.settings.offline:
        repository = _cached(entry, client.settings.cache)
    else:
        repository = client.repository(entry.hub, entry.revision)
    try:
        choice = choose(repository.files, entry.file, entry.hub)
    except NoWeightsFileError as error:
        if client.settings.offline:
            raise _absent(f"{entry.hub}@{entry.revision or MAIN}: its weights are") from error
        raise
    return RemoteModel(
        id=model,
        repo=repository.id,
        revision=entry.revision or MAIN,
        commit=repository.commit,
        weights=choice.weights,
        sidecars=choice.sidecars,
        whole=choice.whole,
        arch=entry.arch,
        created=entry.created or repository.created,
        declared_parents=entry.parents,
        entry=entry.where,
        renamed_from=entry.hub if repository.id != entry.hub else "",
    )


def cache_folder(cache: Path, repo: str) -> Path:
    """Where the client keeps a repository: ``blobs``, ``refs`` and ``snapshots`` are in it."""
    return cache / f"models--{repo.replace('/', '--')}"


def _long_name(entry: HubEntry) -> str:
    return entry.hub + (f"@{entry.revision}" if entry.revision else "") + (f"/{entry.file}" if entry.file else "")


def _cached(entry: HubEntry, cache: Path) -> Repository:
    """The commit that the cache knows under the entry's revision, and those files of it that are here."""
    folder, revision = cache_folder(cache, entry.hub), entry.revision or MAIN
    try:
        commit = revision if _COMMIT.fullmatch(revision) else (folder / "refs" / revision).read_text("ascii").strip()
        snapshot = folder / "snapshots" / commit
        files = tuple(_files(snapshot)) if _COMMIT.fullmatch(commit) else ()
    except (OSError, ValueError):
        files = ()
    if not files:
        raise _absent(f"{entry.hub}@{revision}: is")
    return Repository(entry.hub, commit, files, None)


def _absent(what: str) -> OfflineError:
    return OfflineError(f"{what} not in the cache, and HF_HUB_OFFLINE is set")


def _files(snapshot: Path) -> Iterator[RemoteFile]:
    """The files of a snapshot; the blob that each is a link to is named by its content."""
    for path in sorted(snapshot.rglob("*")):
        if path.is_file():
            blob = path.resolve().name
            large = bool(_SHA256.fullmatch(blob))
            yield RemoteFile(
                path=path.relative_to(snapshot).as_posix(),
                size=path.stat().st_size,
                sha256=blob if large else "",
                blob=blob if _COMMIT.fullmatch(blob) else "",
            )
