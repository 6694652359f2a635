"""``lgraph build``: what it passes on, prints and answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import lineage_graph.build
from command_line import Call, edge, node
from lineage_graph.build import BuildResult, BuildSettings
from lineage_graph.crawl import Consent
from lineage_graph.errors import StrictError
from lineage_graph.manifest import Manifest
from lineage_graph.types import LineageGraph, Progress

SUMMARY = """\
zoo: 7 models, 2 families, 3 edges (2 finetune, 1 duplicate), 1 without relatives, 1 failed

family  models  generations  architecture  root
1            3            3  resnet18      base.pt
2            2            2  resnet18      other[red]\\x1b[31m.pt

failed  error           reason
bad.pt  EmptyFileError  bad.pt: the file is empty

outputs/zoo/lineage.html
outputs/zoo/run.json

to check it: lgraph evaluate outputs/zoo cache/truth.yaml
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "zoo.yaml"
    path.write_text("name: zoo\nmodels: [{path: a.pt}]\n", encoding="utf-8")
    return path


class FakeBuild:
    """Stands in for the pipeline and keeps what it was given."""

    def __init__(self, result: BuildResult) -> None:
        self.result = result
        self.error: Exception | None = None

    def __call__(
        self, manifest: Manifest, out: Path, settings: BuildSettings, progress: Progress, consent: Consent
    ) -> BuildResult:
        self.given = (manifest.name, out, settings)
        progress("fingerprint", 1, 7)
        if self.error:
            raise self.error
        return self.result


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, result: BuildResult) -> FakeBuild:
    made = FakeBuild(result)
    monkeypatch.setattr(lineage_graph.build, "build", made)
    return made


def test_the_summary_goes_to_stdout_and_the_rest_to_stderr(call: Call, fake: FakeBuild, manifest: Path) -> None:
    answer = call("build", manifest)
    assert answer.stdout == SUMMARY
    assert answer.stderr == "fingerprint: 6 of 7 to do\nWarning: 1 of 7 models could not be used\n"
    assert answer.exit_code == 0
    assert fake.given == ("zoo", Path("outputs/zoo"), BuildSettings())


def test_options_reach_the_build(call: Call, fake: FakeBuild, manifest: Path, tmp_path: Path) -> None:
    answer = call(
        "build", manifest, "-o", tmp_path / "o", "--no-metadata", "--strict", "--jobs", 3, "--cache", tmp_path / "c"
    )
    assert answer.exit_code == 0
    settings = BuildSettings(metadata=False, strict=True, jobs=3, cache=tmp_path / "c")
    assert fake.given == ("zoo", tmp_path / "o", settings)


def test_json_for_programs(call: Call, fake: FakeBuild, manifest: Path) -> None:
    answer = json.loads(call("build", manifest, "--json").stdout)
    assert answer["files"] == ["outputs/zoo/lineage.html", "outputs/zoo/run.json"]
    assert answer["edges"] == {"finetune": 2, "duplicate": 1}
    assert answer["families"][0] == {
        "family": 1,
        "roots": ["base.pt"],
        "models": 3,
        "generations": 3,
        "architectures": ["resnet18"],
        "unseen": 0,
    }
    assert (answer["unseen"], answer["open"]) == (0, 0)
    assert answer["failures"][0]["error"] == "EmptyFileError"


def test_unseen_ancestors_are_no_models_and_open_directions_are_counted(
    call: Call, fake: FakeBuild, manifest: Path
) -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_node("unseen-1", **node("unseen-1", 1, "unseen") | {"architecture": ""})
    for child, sure in (("a.pt", 0.9), ("b.pt", 0.55)):
        graph.add_node(child, **node(child, 1, "child", 2))
        graph.add_edge("unseen-1", child, **edge() | {"direction_confidence": sure})
    fake.result = replace(fake.result, lineage=LineageGraph("zoo", graph))
    shown = call("build", manifest).stdout
    assert shown.startswith("zoo: 2 models, 1 family, 2 edges (2 finetune), 1 of them in an open direction, 1 unseen")
    row = next(line for line in shown.splitlines() if line.startswith("1 "))
    assert row.split() == ["1", "2", "+", "1", "unseen", "2", "resnet18", "unseen-1"]
    answer = json.loads(call("build", manifest, "--json").stdout)
    assert (answer["unseen"], answer["open"]) == (1, 1)
    assert answer["families"][0]["roots"] == ["unseen-1"]


def test_a_zoo_without_a_usable_model_has_failed(call: Call, fake: FakeBuild, manifest: Path) -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_node("bad.pt", **node("bad.pt", 0, "isolated", 0, "EmptyFileError"))
    fake.result = replace(fake.result, lineage=replace(fake.result.lineage, graph=graph))
    answer = call("build", manifest)
    assert answer.exit_code == 1
    assert "Error: none of the 1 models could be used" in answer.stderr


def test_strict_answers_for_failures(call: Call, fake: FakeBuild, manifest: Path) -> None:
    fake.error = StrictError("bad.pt: EmptyFileError: bad.pt: the file is empty")
    answer = call("build", manifest, "--strict")
    assert answer.exit_code == 1
    assert answer.stderr.endswith("Error: bad.pt: EmptyFileError: bad.pt: the file is empty\n")
    assert answer.stdout == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said_before_anything_is_read(call: Call, manifest: Path, tmp_path: Path) -> None:
    answer = call("build", manifest, "--device", "cuda", "-o", tmp_path / "out")
    assert answer.exit_code == 1
    assert "Error: --device cuda: torch sees no GPU on this machine" in answer.stderr
    assert not (tmp_path / "out").exists()


def test_a_large_zoo_is_not_listed_to_its_end(call: Call, fake: FakeBuild, manifest: Path) -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    for family in range(1, 31):
        graph.add_node(f"r{family}", **node("r", family, "root"))
        graph.add_node(f"c{family}", **node("c", family, "child", 2))
        graph.add_edge(f"r{family}", f"c{family}", **edge())
    fake.result = replace(fake.result, lineage=LineageGraph("zoo", graph))
    answer = call("build", manifest)
    assert "and 10 more families; report.md has them all\n" in answer.stdout
    assert " r20\n" in answer.stdout
    assert " r21\n" not in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["none.yaml"], "Error: none.yaml: there is no such file"),
        (["{manifest}", "--jobs", "-1"], "Invalid value for '--jobs'"),
        (["{manifest}", "-o", "{manifest}"], "is a file"),
        (["{manifest}", "--metadata"], "No such option: --metadata"),
        ([], "Missing argument 'MANIFEST'"),
    ],
)
def test_bad_usage(call: Call, manifest: Path, arguments: list[str], sentence: str) -> None:
    answer = call("build", *(argument.format(manifest=manifest) for argument in arguments))
    assert sentence in answer.stderr
    assert answer.exit_code == 2


def test_a_wrong_manifest_writes_nothing(call: Call, manifest: Path, tmp_path: Path) -> None:
    answer = call("build", manifest, "-o", tmp_path / "out", "--cache", tmp_path / "cache", "--jobs", 1)
    assert answer.stderr == f"Error: {manifest}: entry 1 (a.pt): path: there is no such file or folder\n"
    assert answer.exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["zoo.yaml"]


def test_a_real_zoo(call: Call, tmp_path: Path) -> None:
    dice = np.random.default_rng(0)
    base = {f"layers.{i}.weight": dice.standard_normal((32, 32), dtype=np.float32) for i in range(3)}
    tuned = {name: values + 0.05 * dice.standard_normal((32, 32), dtype=np.float32) for name, values in base.items()}
    other = {name: dice.standard_normal((32, 32), dtype=np.float32) for name in base}
    for name, state in {"base": base, "tuned": tuned, "other": other}.items():
        save_file(state, tmp_path / f"{name}.safetensors")
    (tmp_path / "empty.pt").touch()
    (tmp_path / "zoo.yaml").write_text("name: mine\nmodels: [{path: '*'}]\n", encoding="utf-8")
    out = tmp_path / "out"
    answer = call("build", tmp_path / "zoo.yaml", "-o", out, "--cache", tmp_path / "cache", "--jobs", 1, "--json")
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert [family["models"] for family in found["families"]] == [2]
    assert [(failure["id"], failure["error"]) for failure in found["failures"]] == [("empty.pt", "EmptyFileError")]
    expected = {"index.arrow", "lineage.html", "lineage.graphml", "lineage.json", "report.md", "run.json"}
    assert {path.name for path in out.iterdir()} == {Path(file).name for file in found["files"]} == expected
