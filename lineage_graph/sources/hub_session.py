"""The client's connections, made bounded: no answer is waited for without end, no Retry-After is obeyed blindly.

``huggingface_hub`` retries some requests by itself, and then sleeps as long as the server says; without a network, half
a minute for each page of a search. Hooks on its shared session meet such answers and errors first, in the threads that
ask for it; everybody else in the process keeps the client as is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from lineage_graph.sources.hub_errors import border, refusal


@dataclass(frozen=True, slots=True)
class _Guard:
    """``where``: how messages name what is asked. ``timeout``: seconds without an answer."""

    where: str
    timeout: float


_GUARD: ContextVar[_Guard | None] = ContextVar("guard", default=None)


@contextmanager
def guarded(where: str, timeout: float) -> Iterator[None]:
    """In the body, this thread's requests are bounded, and raise what :func:`hub_errors.refusal` makes of an answer."""
    from huggingface_hub import get_session

    session = get_session()
    hooks = session.event_hooks
    if _on_request not in hooks["request"]:
        session.event_hooks = {
            "request": [*hooks["request"], _on_request],
            "response": [*hooks["response"], _on_response],
        }
        session.send = _failing_at_once(session.send)  # type: ignore[method-assign]
    for handler in logging.getLogger("huggingface_hub").handlers:
        handler.addFilter(_unguarded)
    token = _GUARD.set(_Guard(where, timeout))
    try:
        yield
    finally:
        _GUARD.reset(token)


def _unguarded(_: logging.LogRecord) -> bool:
    """Whether the client may say it: what fails here is told as an error, without the signed addresses of files that
    the client's warnings show.
    """
    return _GUARD.get() is None


def _failing_at_once(send: Callable[..., Any]) -> Callable[..., Any]:
    """``send``, whose errors are ours already, so that the client does not take them for a reason to try again. Not for
    a file that comes as a stream: there it goes on in the middle, a few times only, where we would begin anew.
    """

    def sent(*args: Any, **keys: Any) -> Any:
        guard = _GUARD.get()
        if guard is None or keys.get("stream"):
            return send(*args, **keys)
        with border(guard.where):
            return send(*args, **keys)

    return sent


def _on_request(request: Any) -> None:
    guard = _GUARD.get()
    if guard is not None:
        given = request.extensions.get("timeout", {})
        request.extensions["timeout"] = {
            part: given.get(part) or guard.timeout for part in ("connect", "read", "write", "pool")
        }


def _on_response(response: Any) -> None:
    guard = _GUARD.get()
    if guard is None:
        return
    refused = refusal(guard.where, response.status_code, response.headers)
    if refused is not None:
        raise refused
