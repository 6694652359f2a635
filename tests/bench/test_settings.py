"""The bench of settings on a toy zoo: what is counted, what is shown, and that nothing is measured twice."""

import pytest
import torch

from lineage_graph.bench import closed_set, held_out, settings
from lineage_graph.bench.compared import DETECTOR, Comparison, compare
from lineage_graph.bench.held_out import HeldOut, HeldOutTask, average_precision
from lineage_graph.bench.settings import Kind, Result
from lineage_graph.cached import Workshop
from lineage_graph.errors import SourceError
from lineage_graph.executors import SerialExecutor
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.sources.grow import generations
from lineage_graph.sources.grow import settings as recipe
from lineage_graph.sources.grow.dense import scenes
from lineage_graph.sources.grow.dense.detection import Found
from lineage_graph.sources.grow.dense.scenes import Scenes
from lineage_graph.sources.grow.settings import SETTINGS
from lineage_graph.store import Store
from lineage_graph.types import silent

KIND = Kind("settings", children=1, side=16)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def toy(monkeypatch, cache):
    """Two candidates and one child by each setting, after two steps, in this process."""
    monkeypatch.setattr(recipe, "PARENTS", 2)
    monkeypatch.setattr(settings, "PARENTS", 2)
    monkeypatch.setattr(recipe, "MIN_MODELS", 16)
    for module, name in ((generations, "STEPS"), (recipe, "CHILD_STEPS")):
        monkeypatch.setattr(module, name, (2,))
    monkeypatch.setattr(generations, "ORIGIN_STEPS", 3)
    for name in ("TRAINING_SCENES", "HELD_OUT_SCENES"):
        monkeypatch.setattr(scenes, name, 16)
    monkeypatch.setattr(settings, "KINDS", (KIND,))
    monkeypatch.setattr(settings, "SEEDS", (0, 1))
    monkeypatch.setattr(settings, "PROBES", ProbeSettings(count=6))
    monkeypatch.setattr(settings, "default_cache", lambda: cache)
    monkeypatch.setattr(settings, "make_executor", SerialExecutor)
    scenes.composed.cache_clear()
    yield
    scenes.composed.cache_clear()


@pytest.fixture
def shop(cache):
    return Workshop(SerialExecutor(), Store(cache), silent)


@pytest.fixture
def zoo(shop):
    return settings.grown(KIND, 0, shop)


def rows(text):
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ") and "---" not in line]


def test_a_run_shows_every_measure_and_a_second_run_measures_nothing(monkeypatch, tmp_path, zoo):
    text = settings.run(tmp_path, silent)
    found = rows(text)
    children = tuple(zoo.files[plan.name] for plan in zoo.children["plain"])
    task = closed_set.ScoreTask(zoo.files[zoo.parents[0]], children, "test_resnet", ProbeSettings(count=6), 16)
    names = list(closed_set.measure(task))
    assert [row[0] for row in found] == [
        *("method", "chance", *names, *DETECTOR),
        *("median", "on held-out images", "by chance", "drift from the parent"),
    ]
    assert found[0] == ["method", *SETTINGS, "all"]
    assert found[1][1:] == ["50.0"] * (len(SETTINGS) + 1)
    assert "2 zoos of one origin, 2 parents and 1 children by each of 13 settings" in text

    def fail(task):
        raise AssertionError(task)

    monkeypatch.setattr(closed_set, "measure", fail)
    monkeypatch.setattr(held_out, "measure", fail)
    assert settings.run(tmp_path, silent) == text


def test_a_zoo_is_candidates_and_their_children(zoo):
    assert len(zoo.parents) == 2
    assert {setting: len(plans) for setting, plans in zoo.children.items()} == dict.fromkeys(SETTINGS, 1)
    assert all(plan.parent in zoo.parents for plans in zoo.children.values() for plan in plans)


def test_right_picks_are_counted(zoo):
    """A measure that knows the truth is always right, its negative never."""
    plans = [plan for dealt in zoo.children.values() for plan in dealt]
    truth = {(one, plan.name): float(plan.parent == one) for one in zoo.parents for plan in plans}
    found = {pair: {"knows": value, "lies": -value} for pair, value in truth.items()}
    assert settings.accuracies(zoo, found) == {
        "knows": dict.fromkeys(SETTINGS, 100.0),
        "lies": dict.fromkeys(SETTINGS, 0.0),
    }


def test_the_report_is_of_means_over_zoos_and_medians_over_children():
    kind = Kind("settings", children=3, side=16)
    results = [
        Result(
            {"one": dict.fromkeys(SETTINGS, share)},
            {setting: [HeldOut(quality, 0.25, 0.02) for quality in (share / 100, 0.5, 0.9)] for setting in SETTINGS},
        )
        for share in (40.0, 60.0)
    ]
    found = {row[0]: row[1:] for row in rows(settings.report(kind, results))}
    assert found["one"] == ["50.0 ± 14.1"] * 14
    assert found["on held-out images"] == ["55"] * 13
    assert found["by chance"] == ["25"] * 13
    assert found["drift from the parent"] == ["2.0"] * 13


def test_who_cannot_be_compared_is_named(shop, zoo, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no weights")
    files = {**zoo.files, "broken": str(broken)}
    models = Comparison(files, "test_resnet", ProbeSettings(count=6), 16)
    with pytest.raises(SourceError, match="broken was not compared: "):
        compare([(["broken"], zoo.parents[:1])], models, shop)


def test_every_kind_of_child_is_tried(zoo):
    for setting in ("plain", "segmentation", "detection"):
        (plan,) = zoo.children[setting]
        found = held_out.measure(HeldOutTask(plan, zoo.files[plan.name], zoo.files[plan.parent]))
        assert 0 <= found.quality <= 1
        assert 0 < found.drift < 0.5
        assert held_out.from_bytes(held_out.to_bytes(found)) == found
    with pytest.raises(ValueError, match="not what a child has learned"):
        held_out.from_bytes(b"[1]")


BOXES = torch.tensor([[[0, 0, 4, 4], [8, 0, 12, 4], [0, 8, 4, 12], [8, 8, 12, 12]]]).float()
TRUTH = Scenes(torch.zeros(1, 3, 16, 16), torch.zeros(1, 16, 16).long(), torch.tensor([[0, 0, 1, -1]]), BOXES)


@pytest.mark.parametrize(
    ("classes", "scores", "shift", "expected"),
    [
        ([0, 0, 1], [0.9, 0.8, 0.7], 0.0, 1.0),
        ([0, 0, 1], [0.9, 0.8, 0.7], 1.0, 1.0),
        ([0, 0, 1], [0.9, 0.8, 0.7], 2.0, 0.0),
        ([1, 0, 1], [0.9, 0.8, 0.7], 0.0, (1 / 2 + 1 / 2) / 2),
        ([0, 1, 1], [0.9, 0.8, 0.7], 0.0, (1 / 2 + 1 / 2) / 2),
    ],
    ids=["right", "overlapping by 0.6", "overlapping by a third", "a false one first", "one missed, a false one first"],
)
def test_average_precision(classes, scores, shift, expected):
    found = Found(BOXES[:, :3] + shift * torch.tensor([1, 0, 1, 0]), torch.tensor([classes]), torch.tensor([scores]))
    assert average_precision(found, TRUTH) == pytest.approx(expected)


def test_a_box_is_found_once():
    twice = Found(BOXES[:, [0, 0, 2]], torch.tensor([[0, 0, 1]]), torch.tensor([[0.9, 0.8, 0.7]]))
    assert average_precision(twice, TRUTH) == pytest.approx((1 / 2 + 1) / 2)


def test_overlap_is_of_classes_without_the_background():
    masks = torch.tensor([[0, 1, 1, 2]])
    assert held_out._overlap(masks, masks, 3) == 1
    assert held_out._overlap(torch.tensor([[0, 1, 2, 2]]), masks, 3) == pytest.approx(1 / 2)
