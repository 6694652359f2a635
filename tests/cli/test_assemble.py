"""``lgraph assemble`` on indexes of small zoos."""

import json

from lineage_graph import index
from lineage_graph.scale import run
from scale_zoos import family


def built(folder, models):
    folder.mkdir()
    index.write(folder, models, {})
    return folder


def test_two_zoos_are_drawn_together(call, tmp_path):
    models = family("abcdefg", 0)
    zoos = [built(tmp_path / "one", models[:3]), built(tmp_path / "other", models[3:])]
    outcome = call("assemble", *zoos, "-o", tmp_path / "out")
    assert outcome.exit_code == 0, outcome.output
    assert "out: 7 models, 1 families, 5 edges (4 finetune, 1 duplicate)" in outcome.output
    files = {"lineage.html", "lineage.graphml", "lineage.json", "report.md", "run.json"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == files
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert record["settings"]["evidence"] == "sketched"
    assert record["counts"]["models"] == 7
    explained = call("explain", "b", "e", "--in", tmp_path / "out")
    assert "sketched" in explained.output


def test_the_result_as_json(call, tmp_path):
    folder = built(tmp_path / "one", family("abcdefg", 0))
    outcome = call("assemble", folder, "-o", tmp_path / "out", "--json")
    assert json.loads(outcome.stdout)["kinds"] == {"finetune": 4, "duplicate": 1}


def test_a_folder_without_an_index_is_named(call, tmp_path):
    outcome = call("assemble", tmp_path, "-o", tmp_path / "out")
    assert outcome.exit_code == 1
    assert f"{tmp_path} holds no index.arrow" in outcome.output
    assert not (tmp_path / "out").exists()


def test_one_id_for_two_models_is_refused(call, tmp_path):
    zoos = [built(tmp_path / name, family("abcdefg", seed)) for seed, name in enumerate(("one", "other"))]
    outcome = call("assemble", *zoos, "-o", tmp_path / "out")
    assert outcome.exit_code == 1
    assert "two of the indexes hold a model called 'a'" in outcome.output


def test_what_is_too_large_to_draw_still_has_its_graph(call, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "LARGEST_DRAWN", 6)
    folder = built(tmp_path / "one", family("abcdefg", 0))
    assert call("assemble", folder, "-o", tmp_path / "out").exit_code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"lineage.json", "run.json"}
