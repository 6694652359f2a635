"""``lgraph audit``: tables, JSON, Markdown, and an exit code for pipelines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from command_line import Call
from lineage_graph.build import BuildResult
from lineage_graph.declarations import Finding
from lineage_graph.render.node_link import to_json

FINDINGS = (
    Finding("child.pt", "parent", "other", "contradicted", "the card names other: strangers", "base_model: base.pt"),
    Finding("other[red]\x1b[31m.pt", "undeclared", "base.pt", "missing", "not \x1b[31mnamed", "base_model: b\x1b[31m"),
    Finding("child.pt", "parent", "base.pt", "confirmed", "the card names base.pt: the parent"),
)

TABLES = """\
zoo: 3 findings: 1 contradicted, 1 missing, 1 confirmed

contradicted: the weights say otherwise
child.pt  the card names other: strangers

missing: the weights show a parent that the card does not name
other[red]\\x1b[31m.pt  not \\x1b[31mnamed

confirmed: the weights say so, too
child.pt  the card names base.pt: the parent

to mend the card of child.pt:
  base_model: base.pt

to mend the card of other[red]\\x1b[31m.pt:
  base_model: b\\x1b[31m
"""


@pytest.fixture
def audited(tmp_path: Path, result: BuildResult) -> Path:
    (tmp_path / "lineage.json").write_text(to_json(replace(result.lineage, audit=FINDINGS)), encoding="utf-8")
    return tmp_path


def test_tables(call: Call, audited: Path) -> None:
    answer = call("audit", audited)
    assert answer.stdout == TABLES
    assert answer.exit_code == 0


def test_json(call: Call, audited: Path) -> None:
    record = json.loads(call("audit", audited, "--json").stdout)
    assert record["counts"] == {"contradicted": 1, "licence": 0, "missing": 1, "untestable": 0, "confirmed": 1}
    assert record["findings"][0]["mend"] == "base_model: base.pt"


def test_markdown(call: Call, audited: Path) -> None:
    text = call("audit", audited, "--markdown").stdout
    assert text.startswith("## Audit of the cards\n")
    assert "| `child.pt` | `the card names other: strangers` |" in text
    assert "`child.pt`:\n\n```text\nbase_model: base.pt\n```" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(("verdict", "code"), [("contradicted", 1), ("licence", 1), ("untestable", 1)])
def test_exit_code_for_pipelines(call: Call, audited: Path, verdict: str, code: int) -> None:
    assert call("audit", audited, "--fail-on", verdict).exit_code == code


def test_only_what_is_as_bad_fails(call: Call, tmp_path: Path, result: BuildResult) -> None:
    lineage = replace(result.lineage, audit=FINDINGS[1:])
    (tmp_path / "lineage.json").write_text(to_json(lineage), encoding="utf-8")
    assert call("audit", tmp_path, "--fail-on", "contradicted").exit_code == 0
    assert call("audit", tmp_path, "--fail-on", "missing").exit_code == 1


def test_nothing_to_audit(call: Call, tmp_path: Path, result: BuildResult) -> None:
    (tmp_path / "lineage.json").write_text(to_json(result.lineage), encoding="utf-8")
    assert call("audit", tmp_path).stdout == "zoo: no card and no declared parent to be checked\n"
    assert call("audit", tmp_path, "--markdown").stdout.strip() == ""


def test_bad_usage(call: Call, audited: Path, tmp_path: Path) -> None:
    assert call("audit", audited, "--json", "--markdown").exit_code == 2
    assert call("audit", tmp_path / "none").exit_code == 2
    assert call("audit", audited, "--fail-on", "confirmed").exit_code == 2
