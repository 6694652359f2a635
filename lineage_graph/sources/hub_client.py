"""The few things that are asked of the Hub, each tried again where the failure may pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, TypeVar

from lineage_graph.errors import HubError, NetworkError, OfflineError, RateLimitedError
from lineage_graph.manifest import Search
from lineage_graph.sources.hub_errors import TRANSIENT, border
from lineage_graph.sources.hub_meter import StoppedError
from lineage_graph.sources.hub_session import guarded
from lineage_graph.sources.hub_settings import HubSettings
from lineage_graph.sources.remote import RemoteFile

if TYPE_CHECKING:
    from tenacity import RetryCallState

Answer = TypeVar("Answer")

PARTIAL = 206
"""Status of an answer that is the range that was asked for."""

LONGEST_WAIT = 30.0
"""Most seconds between two attempts where the Hub names no time."""


@dataclass(frozen=True, slots=True)
class Repository:
    """What the Hub says of a repository at one commit. ``id``: its present name."""

    id: str
    commit: str
    files: tuple[RemoteFile, ...]
    created: date | None


@dataclass
class HubClient:
    """One for a crawl; its threads share it. Where the Hub asks one of them to wait, all do. ``stop``: set, it ends
    what is under way with a StoppedError.
    """

    settings: HubSettings
    stop: Event = field(default_factory=Event)
    _resume: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def repository(self, name: str, revision: str | None) -> Repository:
        """The repository at ``revision``: one request. Raises HubError."""
        where = f"{name}@{revision}" if revision else name
        return self.asking(where, lambda: self._repository(name, revision, where))

    def search(self, search: Search) -> tuple[str, ...]:
        """The names of the repositories that fit, in the Hub's order. Raises HubError."""
        return self.asking(f"search: {search}", lambda: self._search(search))

    def download(self, repo: str, commit: str, path: str, bar: type) -> Path:
        """One file in the client's cache, brought there if need be; ``bar``: see :class:`Meter`. To be asked through
        :meth:`asking`.
        """
        from huggingface_hub import hf_hub_download

        found = hf_hub_download(
            repo,
            path,
            revision=commit,
            cache_dir=self.settings.cache,
            endpoint=self.settings.endpoint,
            etag_timeout=self.settings.timeout,
            local_files_only=self.settings.offline,
            library_name="lgraph",
            tqdm_class=bar,
        )
        return Path(found)

    def part(self, repo: str, commit: str, path: str, start: int, stop: int) -> bytes:
        """The bytes of a file from ``start`` to before ``stop``: one request. Raises HubError."""
        where = f"{repo}/{path}"
        return self.asking(where, lambda: self._part(where, (repo, commit, path), start, stop))

    def asking(self, where: str, question: Callable[[], Answer]) -> Answer:
        """The answer to ``question``, which may be asked several times. Raises HubError and UnreadableFileError."""
        from tenacity import Retrying, retry_if_exception_type, sleep_using_event, stop_after_attempt

        def once() -> Answer:
            self._pause()
            with border(where), guarded(where, self.settings.timeout):
                return question()

        attempts: Retrying = Retrying(
            retry=retry_if_exception_type(TRANSIENT),
            wait=self._wait,
            stop=stop_after_attempt(1 if self.settings.offline else self.settings.attempts) | self._too_long,  # type: ignore[operator]
            sleep=sleep_using_event(self.stop),
            reraise=True,
        )
        return attempts(once)

    def _repository(self, name: str, revision: str | None, where: str) -> Repository:
        if self.settings.offline:
            raise OfflineError(f"{where}: cannot be looked up, HF_HUB_OFFLINE is set")
        info = self._api().model_info(name, revision=revision, files_metadata=True, timeout=self.settings.timeout)
        if not info.sha:
            raise NetworkError(f"{where}: the Hub names no commit")
        created = info.created_at.date() if info.created_at else None
        return Repository(info.id, info.sha, tuple(_file(one) for one in info.siblings or ()), created)

    def _part(self, where: str, file: tuple[str, str, str], start: int, stop: int) -> bytes:
        from huggingface_hub import get_session, hf_hub_url
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

        repo, commit, path = file
        asked = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}
        headers = {**build_hf_headers(library_name="lgraph"), **asked}
        url = hf_hub_url(repo, path, revision=commit, endpoint=self.settings.endpoint)
        data = bytearray()
        with get_session().stream("GET", url, headers=headers) as response:
            hf_raise_for_status(response)
            if response.status_code != PARTIAL:
                raise HubError(f"{where}: the Hub does not send parts of it")
            for piece in response.iter_bytes():
                data += piece
                if len(data) > stop - start:
                    break
        if len(data) != stop - start:
            raise NetworkError(f"{where}: {len(data)} bytes came, {stop - start} were asked for")
        return bytes(data)

    def _search(self, search: Search) -> tuple[str, ...]:
        if self.settings.offline:
            raise OfflineError(f"search: {search}: cannot be asked, HF_HUB_OFFLINE is set")
        found = self._api().list_models(
            author=search.author, filter=list(search.filter) or None, search=search.query, limit=search.limit
        )
        return tuple(dict.fromkeys(info.id for info in islice(found, search.limit)))

    def _api(self) -> Any:
        from huggingface_hub import HfApi

        return HfApi(endpoint=self.settings.endpoint, library_name="lgraph")

    def _pause(self) -> None:
        """Wait until the time that the Hub has asked for, if it has."""
        while (left := self._resume - time.monotonic()) > 0 and not self.stop.is_set():
            self.stop.wait(left)
        if self.stop.is_set():
            raise StoppedError("interrupted")

    def _wait(self, state: RetryCallState) -> float:
        """Seconds before the next attempt."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RateLimitedError) and error.wait is not None:
            if error.wait <= self.settings.patience:
                with self._lock:
                    self._resume = max(self._resume, time.monotonic() + error.wait)
            return error.wait
        return float(min(self.settings.wait * 2 ** (state.attempt_number - 1), LONGEST_WAIT))

    def _too_long(self, state: RetryCallState) -> bool:
        """Would the next wait exceed what one request may wait in all?"""
        return state.idle_for + state.upcoming_sleep > self.settings.patience


def _file(sibling: Any) -> RemoteFile:
    large = sibling.lfs
    size = large.size if large is not None else sibling.size
    return RemoteFile(
        path=sibling.rfilename,
        size=max(int(size or 0), 0),
        sha256=large.sha256 if large is not None else "",
        blob="" if large is not None else sibling.blob_id or "",
    )
