"""One table: exception → sentence and exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

import typer

from lgraph.text import visible
from lineage_graph.errors import LineageGraphError, ManifestError, TruthError

Parameters = ParamSpec("Parameters")

DEBUG = "LGRAPH_DEBUG"
"""Environment variable: where it is set (and not ``0``), every error comes with its traceback."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``sentence``: what the user reads; ``{error}`` is the exception's message, ``{name}`` its class."""

    error: type[BaseException]
    sentence: str
    exit_code: int


TABLE: tuple[Answer, ...] = (
    Answer(ManifestError, "Error: {error}", 2),
    Answer(TruthError, "Error: {error}", 2),
    Answer(LineageGraphError, "Error: {error}", 1),
    Answer(KeyboardInterrupt, "interrupted", 130),
    # Whoever read our output has seen enough; 141 is what a shell reports of a program that ends so.
    Answer(BrokenPipeError, "", 141),
    Answer(MemoryError, "Error: out of memory", 1),
    Answer(OSError, "Error: {error}", 1),
    Answer(Exception, f"Error: unexpected {{name}}: {{error}} (set {DEBUG}=1 to see where)", 1),
)
"""The first row that fits counts."""


def reported(command: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """``command`` with its exceptions turned into a sentence on standard error and an exit code."""

    @wraps(command)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        with _reporting():
            command(*args, **kwargs)
            sys.stdout.flush()

    return run


@contextmanager
def _reporting() -> Iterator[None]:
    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except (Exception, KeyboardInterrupt) as error:
        answer = next(row for row in TABLE if isinstance(error, row.error))
        if isinstance(error, BrokenPipeError):
            _silence_stdout()
        elif os.environ.get(DEBUG, "0") not in ("", "0"):
            traceback.print_exc(file=sys.stderr)
        if answer.sentence:
            sentence = answer.sentence.format(error=visible(str(error)), name=type(error).__name__)
            typer.echo(sentence, err=True)
        raise typer.Exit(answer.exit_code) from error


def _silence_stdout() -> None:
    """Send what is still buffered to nowhere, so that the interpreter does not complain when it flushes at its end."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
