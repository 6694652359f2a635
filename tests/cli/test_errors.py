"""Every exception has its sentence and its exit code."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner, Result

from lgraph.errors import DEBUG, reported
from lineage_graph.errors import ManifestError, MissingExtraError, OutputError, StrictError, TruthError


def run(error: BaseException) -> Result:
    def fail() -> None:
        raise error

    app = typer.Typer(rich_markup_mode=None)
    app.command()(reported(fail))
    return CliRunner().invoke(app, [])


@pytest.mark.parametrize(
    ("error", "sentence", "code"),
    [
        (ManifestError("zoo.yaml: entry 1"), "Error: zoo.yaml: entry 1", 2),
        (TruthError("t.yaml: edge 1"), "Error: t.yaml: edge 1", 2),
        (StrictError("a.pt: EmptyFileError"), "Error: a.pt: EmptyFileError", 1),
        (OutputError("cannot write x: No space left on device"), "Error: cannot write x: No space left on device", 1),
        (MissingExtraError("pip install 'lgraph[demo]'"), "Error: pip install 'lgraph[demo]'", 1),
        (KeyboardInterrupt(), "interrupted", 130),
        (MemoryError(), "Error: out of memory", 1),
        (FileNotFoundError(2, "No such file", "x"), "Error: [Errno 2] No such file: 'x'", 1),
        (KeyError("oops"), f"Error: unexpected KeyError: 'oops' (set {DEBUG}=1 to see where)", 1),
        (ManifestError("a\nb \x1b[31m {name}"), "Error: a\\nb \\x1b[31m {name}", 2),
        (BrokenPipeError(), "", 141),
    ],
)
def test_the_table(monkeypatch: pytest.MonkeyPatch, error: BaseException, sentence: str, code: int) -> None:
    monkeypatch.delenv(DEBUG, raising=False)
    result = run(error)
    assert result.stderr.rstrip("\n") == sentence
    assert result.stdout == ""
    assert result.exit_code == code


def test_the_traceback_is_there_for_the_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEBUG, "1")
    result = run(KeyError("oops"))
    assert "Traceback" in result.stderr
    assert "in fail" in result.stderr
    assert result.exit_code == 1
    monkeypatch.setenv(DEBUG, "0")
    assert "Traceback" not in run(KeyError("oops")).stderr


def test_what_typer_answers_for_passes() -> None:
    assert run(typer.Exit(7)).exit_code == 7
    refused = run(typer.BadParameter("too long", param_hint="NAME"))
    assert refused.exit_code == 2
    assert "Invalid value for NAME: too long" in refused.stderr


def test_a_reader_that_has_seen_enough() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    asked = subprocess.run(
        [sys.executable, "-m", "lgraph", "bench"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert asked.stderr == b""
    assert asked.returncode == 141


def test_an_encoding_that_lacks_a_character(tmp_path: object) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    asked = subprocess.run(
        [sys.executable, "-m", "lgraph", "build", "語.yaml"],
        capture_output=True,
        env=environment,
        cwd=str(tmp_path),
        check=False,
    )
    assert asked.stderr == b"Error: \\u8a9e.yaml: there is no such file\n"
    assert asked.returncode == 2
