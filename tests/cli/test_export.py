"""``lgraph export``: what is written where, and what is refused."""

from __future__ import annotations

import csv
import os
import typing
from pathlib import Path

import networkx as nx
import pytest

from command_line import Call
from lgraph.export import FormatName
from lineage_graph.build import BuildResult
from lineage_graph.render.exports import FORMATS
from lineage_graph.render.node_link import to_json


@pytest.fixture
def folder(tmp_path: Path, result: BuildResult) -> Path:
    """A folder as a build leaves it, of 1 January 2024."""
    path = tmp_path / "built" / "lineage.json"
    path.parent.mkdir()
    path.write_text(to_json(result.lineage), encoding="utf-8")
    os.utime(path, (1704067200, 1704067200))
    return path.parent


def test_the_command_knows_every_format() -> None:
    assert typing.get_args(FormatName) == tuple(item.name for item in FORMATS)


@pytest.mark.parametrize("item", FORMATS, ids=lambda item: item.name)
def test_each_format_goes_to_standard_output_and_to_a_file(item, call: Call, folder: Path, tmp_path: Path) -> None:
    part = ["--part", next(iter(item.parts))] if item.parts else []
    shown = call("export", folder, "--format", item.name, *part)
    assert shown.exit_code == 0, shown.stderr
    saved = call("export", folder, "-f", item.name, *part, "-o", tmp_path / "new" / "file")
    assert (saved.exit_code, saved.stdout) == (0, "")
    assert (tmp_path / "new" / "file").read_bytes() == shown.stdout_bytes != b""


def test_both_tables_go_into_a_folder(call: Call, folder: Path, tmp_path: Path) -> None:
    assert call("export", folder, "-f", "csv", "-o", tmp_path / "tables").exit_code == 0
    rows = {name: list(csv.DictReader((tmp_path / "tables" / name).open())) for name in ("nodes.csv", "edges.csv")}
    assert len(rows["nodes.csv"]) == 7
    assert [row["target"] for row in rows["edges.csv"]] == ["child.pt", "grandchild.pt", "copy.pt"]


@pytest.mark.parametrize("out", [[], ["-o", "tables.csv"]])
def test_two_tables_do_not_fit_one_file(call: Call, folder: Path, out: list[str]) -> None:
    refused = call("export", folder, "-f", "csv", *out)
    assert refused.exit_code == 2
    assert "--part nodes or --part edges" in refused.stderr


def test_a_part_of_the_graph(call: Call, folder: Path) -> None:
    around = nx.parse_graphml(call("export", folder, "-f", "graphml", "--model", "child.pt").stdout)
    assert set(around) == {"base.pt", "child.pt", "grandchild.pt"}
    family = nx.parse_graphml(call("export", folder, "-f", "graphml", "--family", 2).stdout)
    assert len(family) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-f", "dot", "--part", "nodes"], "goes with --format csv"),
        (["-f", "dot", "--family", "9"], "no family has the number 9: the families are 1 to 3"),
        (["-f", "dot", "--model", "chld.pt"], "did you mean 'child.pt'"),
        (["-f", "dot", "--model", "child.pt", "--family", "1"], "either a model or a family"),
        (["-f", "xlsx"], "xlsx"),
    ],
)
def test_what_cannot_be_is_one_sentence(call: Call, folder: Path, words: list[str], sentence: str) -> None:
    refused = call("export", folder, *words)
    assert refused.exit_code != 0
    assert sentence in refused.stderr
    assert refused.stdout == ""


def test_a_folder_without_a_graph(call: Call, tmp_path: Path) -> None:
    refused = call("export", tmp_path, "-f", "dot")
    assert refused.exit_code == 2
    assert "holds no lineage.json" in refused.stderr


def test_the_epoch_of_reproducible_builds_must_be_a_number(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    refused = call("export", folder, "-f", "dot")
    assert refused.exit_code == 2
    assert "SOURCE_DATE_EPOCH" in refused.stderr
