"""``lgraph bench``: the list, and one measurement."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from command_line import Call
from lineage_graph.bench import registry
from lineage_graph.types import Progress


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """One bench in the list, which measures the folder that it is given."""

    def run(workdir: Path, progress: Progress) -> str:
        progress("count", 1, 1)
        return f"| files | {len(list(workdir.iterdir()))} |\n"

    module = ModuleType("fake_bench")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fake_bench", module)
    monkeypatch.setattr(registry, "BENCHES", (registry.Bench("files", "files in a folder", "fake_bench"),))


def test_the_list(call: Call) -> None:
    answer = call("bench")
    assert answer.stdout == "bench  measures\nfiles  files in a folder\n"
    assert answer.exit_code == 0


def test_a_measurement(call: Call) -> None:
    answer = call("bench", "files")
    assert answer.stdout == "| files | 0 |\n"
    assert answer.stderr == "count: 0 of 1 to do\n"


def test_a_name_that_is_not_in_the_list(call: Call) -> None:
    answer = call("bench", "fils")
    assert "no bench is called 'fils'; did you mean 'files'?" in answer.stderr
    assert answer.exit_code == 2
    assert "there are: files" in call("bench", "zzz").stderr
