"""Progress goes to standard error: bars in a terminal, a line a stage elsewhere."""

from __future__ import annotations

import io

import pytest

from lgraph.progress import ProgressDisplay


def report(progress: ProgressDisplay) -> None:
    with progress:
        for stage, done in [("digest", 1), ("digest", 2), ("digest", 3), ("compare[bold]", 0)]:
            progress(stage, done, 3)


def test_a_line_a_stage_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    report(ProgressDisplay())
    assert capsys.readouterr() == ("", "digest: 2 of 3 to do\ncompare[bold]: 3 of 3 to do\n")


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_bars_in_a_terminal_that_can_draw_them(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setenv("COLUMNS", "100")
    report(ProgressDisplay())
    assert ("3/3" in screen.getvalue()) is (kind == "xterm")
    assert "compare[bold]" in screen.getvalue()
