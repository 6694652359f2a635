"""From a model that was looked up to its files on this disk, each of the content that the Hub lists.

Files lie in the client's own cache, where other programs find them too. A file that is there is not fetched again; one
that was under way when a crawl was killed is.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path, PurePosixPath

from lineage_graph.errors import HashMismatchError, OutputError, of_os_error
from lineage_graph.sources.base import LocatedModel
from lineage_graph.sources.hub import cache_folder
from lineage_graph.sources.hub_choice import INDEX, is_weights
from lineage_graph.sources.hub_client import HubClient
from lineage_graph.sources.hub_meter import Meter
from lineage_graph.sources.remote import RemoteFile, RemoteModel
from lineage_graph.store import Store, artefact_key, replacing, write_atomic

VERIFIED = "verified"
"""Kind of artefact: a file of the cache that has been read and found right, so that it is not read again."""

_STALE_SECONDS = 3600.0
"""A partial file that nobody has written to for so long belongs to a program that was killed."""

_WHOLE = re.compile(r"(adapter_)?config\.json")


def missing(model: RemoteModel, cache: Path) -> tuple[RemoteFile, ...]:
    """The files that are not in the client's cache."""
    folder = cache_folder(cache, model.repo)
    return tuple(file for file in model.files if not _is_here(model, file, folder))


def _is_here(model: RemoteModel, file: RemoteFile, folder: Path) -> bool:
    """``folder``: of the repository, in the cache."""
    blob = folder / "blobs" / (file.sha256 or file.blob or "-")
    return blob.exists() or (folder / "snapshots" / model.commit / file.path).exists()


def fetch(
    model: RemoteModel, client: HubClient, store: Store, meter: Meter, *, weights: bool = True
) -> tuple[LocatedModel, int]:
    """Bring every file of ``model`` that is missing, or all but the ``weights``, and check them.

    Gives where the model lies (or would lie, without its weights), and how many bytes came. Raises HubError,
    SourceError.
    """
    folder = cache_folder(client.settings.cache, model.repo)
    came = 0
    for file in model.files if weights else model.sidecars:
        with meter.turn(file.sha256 or file.blob):
            _copy(file, folder)
            came += 0 if _is_here(model, file, folder) else file.size
            _bring(model, file, client, store, meter)
        meter.reach((model.repo, file.path), file.size)
    _remember(folder, model)
    located = LocatedModel(
        id=model.id,
        path=_place(folder / "snapshots" / model.commit, model),
        source=model.source,
        arch=model.arch,
        created=model.created,
        declared_parents=model.declared_parents,
        entry=model.entry,
    )
    return located, came


def _copy(file: RemoteFile, folder: Path) -> None:
    """Take the file from another repository in the cache that has it, so that no content is fetched twice."""
    if not file.sha256 or (folder / "blobs" / file.sha256).exists():
        return
    for other in folder.parent.glob(f"models--*/blobs/{file.sha256}"):
        own = folder / "blobs" / file.sha256
        with suppress(OSError, OutputError):  # then it is fetched, and fails there if it must
            own.parent.mkdir(parents=True, exist_ok=True)
            try:
                own.hardlink_to(other)
            except OSError:
                with replacing(own) as target, other.open("rb") as source:
                    shutil.copyfileobj(source, target)
            return


def _bring(model: RemoteModel, file: RemoteFile, client: HubClient, store: Store, meter: Meter) -> None:
    where = f"{model.repo}/{file.path}"

    def download() -> None:
        path = client.download(model.repo, model.commit, file.path, meter.bar((model.repo, file.path)))
        _verify(path, file, where, store)

    client.asking(where, download)
    _sweep(cache_folder(client.settings.cache, model.repo) / "blobs", file)


def _verify(path: Path, file: RemoteFile, where: str, store: Store) -> None:
    """Read the file once and compare its hash; a wrong file is removed. Raises HashMismatchError, SourceError.

    The client itself checks the length only.
    """
    promised = file.sha256 or file.blob
    if not promised:
        return
    real = path.resolve()
    try:
        stat = real.stat()
        # Blobs are moved into the cache when they are complete, and nobody writes to them again.
        key = artefact_key(VERIFIED, promised, stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if store.get(VERIFIED, key) is not None:
            return
        found = _sha256(real) if file.sha256 else _git_blob(real)
        if found == promised:
            store.put(VERIFIED, key, b"")
            return
        for wrong in (path, real):
            wrong.unlink(missing_ok=True)
    except OSError as error:
        raise of_os_error(real, error) from error
    raise HashMismatchError(f"{where}: the bytes that came have not the hash that the Hub lists")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _git_blob(path: Path) -> str:
    """Git's id of a file: SHA-1 of a header and the content."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _sweep(blobs: Path, file: RemoteFile) -> None:
    """Remove what killed programs left of this file: nobody can go on with it."""
    for part in blobs.glob(f"{file.sha256 or file.blob or '-'}.*.incomplete"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _STALE_SECONDS:
                part.unlink()


def _remember(folder: Path, model: RemoteModel) -> None:
    """Note which commit the revision stands for, as the client does for what it fetches by a branch's name: offline,
    the model is found again.
    """
    reference = folder / "refs" / model.revision
    if model.revision != model.commit and reference.resolve().is_relative_to((folder / "refs").resolve()):
        write_atomic(reference, model.commit.encode())


def _place(snapshot: Path, model: RemoteModel) -> Path:
    """The shards' index; or the folder, where it is one model with its config; or the weights file.

    Other programs share the cache: a folder in which they have put other weights is not one model.
    """
    main = next((file for file in model.weights if is_weights(file.path)), model.weights[0])
    home = (snapshot / main.path).parent
    index = next((file for file in model.sidecars if file.path.endswith(INDEX)), None)
    if index is not None:
        return snapshot / index.path
    own = {PurePosixPath(file.path).name for file in model.weights}
    beside = {path.name for path in home.iterdir()} if home.is_dir() else set()
    others = {name for name in beside - own if is_weights(name) or name.endswith(INDEX)}
    if model.whole and not others and any(_WHOLE.fullmatch(name) for name in beside):
        return home
    return snapshot / main.path
