"""What the test hub remembers of a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """One answered request. ``path``: without the query; of a large file, the path under which it was asked for.
    ``file``: the name within the repository, if one was asked for. ``sent``: bytes of file bodies. ``status``: 0 where
    the connection was cut without an answer. ``token``: what the client showed.
    """

    method: str
    path: str
    file: str = ""
    repo: str = ""
    status: int = 200
    sent: int = 0
    range: str = ""
    token: str = ""
