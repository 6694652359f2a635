"""A file on the Hub that is read by position, without fetching it: one request for each stretch that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage_graph.sources.hub_client import HubClient
from lineage_graph.sources.remote import RemoteFile, RemoteModel

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEAD = 1 << 15
"""Bytes that come with the first of them: most headers are shorter."""


class RangedFile:
    """As an open file that can be read at any place. ``bytes``: so many have come."""

    def __init__(self, model: RemoteModel, file: RemoteFile, client: HubClient) -> None:
        self._model = model
        self._file = file
        self._client = client
        self._position = 0
        self._head = b""
        self.bytes = 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a position, from the start."""
        self._position = offset
        return offset

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer. Raises HubError."""
        view = memoryview(buffer).cast("B")
        start, stop = self._position, self._position + len(view)
        if start < HEAD and not self._head:
            self._head = self._fetch(0, min(max(HEAD, stop), self._file.size))
        held = self._head[start:stop]
        view[:] = held if len(held) == len(view) else held + self._fetch(start + len(held), stop)
        self._position = stop
        return len(view)

    def _fetch(self, start: int, stop: int) -> bytes:
        data = self._client.part(self._model.repo, self._model.commit, self._file.path, start, stop)
        self.bytes += len(data)
        return data
