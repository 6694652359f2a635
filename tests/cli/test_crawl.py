"""``lgraph crawl``, and what a build asks before it fetches, on a hub over loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from command_line import Call
from hub.repositories import Repository
from hub.server import Hub


@pytest.fixture
def served(hub: Hub, tiny_zoo: Any) -> Hub:
    """Two models, of which one says that it descends from the other, and three repositories that give none."""
    weights = {name: {"model.safetensors": tiny_zoo.paths[name].read_bytes()} for name in ("m2", "m8")}
    hub.add(
        Repository("lab/m2", files=weights["m2"], card={"license": "mit"}),
        Repository("lab/m8", files=weights["m8"], card={"license": "mit", "base_model": "lab/m2"}),
        Repository("lab/closed", files={"model.safetensors": b"x" * 100}, gated="manual"),
        Repository("lab/empty", files={"notes.txt": b"none"}),
    )
    return hub


def manifest(folder: Path, *entries: str) -> Path:
    path = folder / "zoo.yaml"
    path.write_text("name: far\nmodels:\n" + "".join(f"  - {entry}\n" for entry in entries), encoding="utf-8")
    return path


NAMED = tuple(f"hub: lab/{name}" for name in ("m2", "m8", "closed", "empty", "nowhere"))


def test_each_model_has_its_outcome_and_none_comes_twice(call: Call, served: Hub, tmp_path: Path) -> None:
    zoo = manifest(tmp_path, *NAMED)
    first = call("crawl", zoo, "--cache", tmp_path / "cache", "--json")
    models = {model["id"]: model for model in json.loads(first.stdout)["models"]}
    assert first.exit_code == 0
    assert {name: (one["outcome"], one["error"]) for name, one in models.items()} == {
        "lab/m2": ("fetched", ""),
        "lab/m8": ("fetched", ""),
        "lab/closed": ("failed", "GatedRepositoryError"),
        "lab/empty": ("failed", "NoWeightsFileError"),
        "lab/nowhere": ("failed", "MissingRepositoryError"),
    }
    assert len(models["lab/m2"]["commit"]) == 40
    assert all("\n" not in one["message"] for one in models.values())
    sent = served.sent("model.safetensors", "lab/m2")
    assert sent > 0
    again = call("crawl", zoo, "--cache", tmp_path / "cache")
    assert again.stdout.startswith("far: 0 fetched, 2 cached, 3 failed; 0 B came\n")
    assert served.sent("model.safetensors", "lab/m2") == sent


def test_a_build_draws_what_the_hub_has_and_reports_what_it_has_not(call: Call, served: Hub, tmp_path: Path) -> None:
    quick = ("--no-features", "--no-detector", "--jobs", "1", "--cache", tmp_path / "cache")
    answer = call("build", manifest(tmp_path, *NAMED), "-o", tmp_path / "out", *quick)
    assert answer.exit_code == 0
    graph = json.loads((tmp_path / "out" / "lineage.json").read_text(encoding="utf-8"))
    (edge,) = graph["edges"]
    assert (edge["source"], edge["target"], edge["declared"]) == ("lab/m2", "lab/m8", "confirmed")
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert nodes["lab/m2"]["source"].startswith("hub:lab/m2@")
    assert nodes["lab/m2"]["license"] == "mit"
    assert nodes["lab/nowhere"]["status"] == "MissingRepositoryError"
    assert [finding["verdict"] for finding in graph["audit"]] == ["confirmed"]


def test_nothing_that_a_search_finds_comes_unasked(call: Call, served: Hub, tmp_path: Path) -> None:
    zoo = manifest(tmp_path, "search: {author: lab, query: m, limit: 2}")
    asked = call("crawl", zoo, "--cache", tmp_path / "cache")
    assert asked.exit_code == 2
    assert "--yes agrees to that" in asked.stderr
    assert served.sent("model.safetensors") == 0
    agreed = call("crawl", zoo, "--cache", tmp_path / "cache", "--yes")
    assert agreed.exit_code == 0
    assert "to fetch: 2 models, " in agreed.stderr
    assert served.sent("model.safetensors") > 0


def test_a_zoo_without_models_of_the_hub(call: Call, tiny_zoo: Any, tmp_path: Path) -> None:
    zoo = manifest(tmp_path, f"path: {tiny_zoo.paths['m2']}")
    answer = call("crawl", zoo, "--cache", tmp_path / "cache")
    assert (answer.exit_code, answer.stdout) == (0, "far: no model of this zoo lies on the Hub\n")


def test_where_no_model_can_be_had_the_command_has_failed(call: Call, served: Hub, tmp_path: Path) -> None:
    answer = call("crawl", manifest(tmp_path, "hub: lab/nowhere"), "--cache", tmp_path / "cache")
    assert answer.exit_code == 1
    assert "MissingRepositoryError: lab/nowhere: there is no such repository, or a private one" in answer.stdout
