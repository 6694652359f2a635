"""The HTTP server: the part of the Hub's protocol that ``huggingface_hub`` uses. Standard library only.

Large files lie at another address (another port), as on the real Hub: ``resolve`` answers with a redirect that carries
X-Linked-Etag and X-Linked-Size. Calls: Hugging Face, "Hub API Endpoints", https://huggingface.co/docs/hub/api
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from threading import Condition, Thread
from types import TracebackType
from typing import Self

from hub.faults import Fault, Faults, OneIn
from hub.handler import Handler
from hub.record import Request
from hub.repositories import HubFile, Repository


class Hub:
    """Use it in a ``with`` block. ``endpoint``: the address to give the client. ``token``: who shows it reads private
    and gated repositories. ``page_size``: most models on one page of a list.
    """

    def __init__(self, repositories: Iterable[Repository] = (), page_size: int = 1000) -> None:
        self.repositories = {one.id: one for one in repositories}
        self.faults = Faults()
        self.token = "hf_test"
        self.page_size = page_size
        self.requests: list[Request] = []
        self._idle = Condition()
        self._busy = 0
        self._servers = [_Server(self, stored) for stored in (False, True)]
        self.endpoint, self.storage = (f"http://127.0.0.1:{server.server_address[1]}" for server in self._servers)

    def add(self, *repositories: Repository) -> None:
        """Serve these too."""
        self.repositories |= {one.id: one for one in repositories}

    def fail(self, *faults: Fault, one_in: OneIn | None = None) -> None:
        """Replace the plan of faults; without arguments, there are none any more."""
        self.faults = Faults(list(faults), one_in)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Around each answer, so that nobody counts before all is counted."""
        with self._idle:
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def record(self, request: Request) -> None:
        with self._idle:
            self.requests.append(request)

    def reset(self) -> None:
        """Forget what was asked."""
        with self._idle:
            self._idle.wait_for(lambda: not self._busy, timeout=5)
            self.requests.clear()

    def asked(self, method: str = "", file: str = "", repo: str = "") -> list[Request]:
        """The requests so far that fit."""
        with self._idle:
            self._idle.wait_for(lambda: not self._busy, timeout=5)
            return [
                one
                for one in self.requests
                if method in ("", one.method) and file in ("", one.file) and repo in ("", one.repo)
            ]

    def sent(self, file: str = "", repo: str = "") -> int:
        """Bytes of file bodies that went out."""
        return sum(one.sent for one in self.asked(file=file, repo=repo))

    def stored(self, etag: str) -> HubFile | None:
        """A large file by its SHA-256."""
        for repo in self.repositories.values():
            for files in repo.commits.values():
                for file in files.values():
                    if file.lfs and file.sha256 == etag:
                        return file
        return None

    def __enter__(self) -> Self:
        for server in self._servers:
            Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    """``stores``: whether this is the address where large files lie."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, hub: Hub, stores: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.hub = hub
        self.stores = stores
        self.block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are part of the tests."""
