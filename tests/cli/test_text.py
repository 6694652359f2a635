"""Text for terminals and pipes."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from lgraph.text import console, number, show, table, visible


def test_what_cannot_be_shown_is_an_escape() -> None:
    assert visible("a\x1b[31m\n\u202eb\udce9 é") == "a\\x1b[31m\\n\\u202eb\\udce9 é"


def test_ratios() -> None:
    assert (number(0.12345), number(1), number(None)) == ("0.123", "1.000", "–")


def test_a_table_is_plain_and_aligned() -> None:
    file = io.StringIO()
    rows = [("a", "10", "[bold]x[/]"), ("bcd\x1b", "7", ":smile:")]
    show(Console(file=file, width=80), "", table(("name", " n", "text"), rows))
    assert file.getvalue() == "\nname      n  text\na        10  [bold]x[/]\nbcd\\x1b   7  :smile:\n"


def test_a_table_without_titles() -> None:
    file = io.StringIO()
    show(Console(file=file, width=80), table(("", " "), [("a", "1")]))
    assert file.getvalue() == "a  1\n"


def test_a_narrow_terminal_folds_names_and_cuts_none() -> None:
    file = io.StringIO()
    show(Console(file=file, width=20), table(("name", " n"), [("abcdefghijklmnopqrstuvwxyz", "1")]), "x" * 30)
    shown = file.getvalue().splitlines()
    assert max(map(len, shown[:-1])) <= 20
    assert "".join(line.split()[0] for line in shown[1:-1]) == "abcdefghijklmnopqrstuvwxyz"
    assert shown[-1] == "x" * 30


def test_a_pipe_gets_whole_lines_and_no_colour(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    show(console(), table(("name",), [("x" * 500,)]))
    assert capsys.readouterr().out == "name\n" + "x" * 500 + "\n"


@pytest.mark.parametrize("plain", [False, True])
def test_a_terminal_gets_styles_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch, plain: bool) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if plain:
        monkeypatch.setenv("TERM", "dumb")
    show(console(), table(("name",), [("x",)]))
    assert ("\x1b[1m" in screen.getvalue()) is not plain
