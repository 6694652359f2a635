"""The detector's bench on made-up zoos and checkpoints: what is counted, what is shown, what is measured but once."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

from detector.made_up import noise_zoo, portrait
from lineage_graph.bench import asking, detector, documented, examined, nearest
from lineage_graph.bench.asking import CostTask
from lineage_graph.bench.documented import Case, Family, Reply
from lineage_graph.bench.examined import METHODS, Exam, Growth
from lineage_graph.cached import Workshop
from lineage_graph.detector.evaluation import Figures
from lineage_graph.detector.neural import learning
from lineage_graph.detector.portrait import Portrait
from lineage_graph.detector.score import Answer
from lineage_graph.errors import SourceError
from lineage_graph.evaluate import Truth
from lineage_graph.executors import SerialExecutor
from lineage_graph.sources.grow.families import architecture
from lineage_graph.store import Store
from lineage_graph.types import silent

PARENTS = (None, None, 0, 0, 1, 1, 2, 3, 4)
GENERATIONS = (1, 1, 2, 2, 2, 2, 3, 3, 3)
TAUGHT = Growth("families", models=9, seeds=tuple(range(7)))
FRESH = Growth("digits", models=9, seeds=(7,))


def made_up_zoo(seed, drift=0.1):
    return noise_zoo(seed, PARENTS, GENERATIONS, architecture(seed), drift)


@pytest.fixture
def shop(tmp_path):
    return Workshop(SerialExecutor(), Store(tmp_path / "cache"), silent)


@pytest.fixture
def made_up(monkeypatch):
    """Zoos are made up instead of grown."""
    for module in (examined, learning):
        monkeypatch.setattr(module, "grown", lambda recipe, models, seed, shop: [made_up_zoo(seed)])
    examined._kept.cache_clear()
    yield
    examined._kept.cache_clear()


def rows(text):
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ") and "---" not in line]


def test_distances_are_relative_means_over_shared_layers():
    dice = np.random.default_rng(0)
    layers = [dice.standard_normal(shape) for shape in ((8, 8), (4, 8), (2, 8))]
    child = portrait(layers)
    near, half = portrait([1.1 * layers[0], 1.3 * layers[1], 5 * layers[2]]), portrait([1.1 * layers[0], *layers[1:]])
    half = Portrait(half.weights[:1], half.features)
    found = nearest.distances(child, [near, half, Portrait((), child.features)])
    np.testing.assert_allclose(found, [0.2, 0.1, np.inf], rtol=1e-5)
    assert np.isinf(nearest.distances(Portrait(()), [near])).all()


def test_the_nearest_candidate_is_counted_as_a_detectors_answer_is():
    found = nearest.measure([made_up_zoo(0, drift=0.05)])
    assert (found.closed, found.opened, found.found, found.strangers) == (1.0, 1.0, 1.0, 9)
    assert found.questions == (4 + 3 + 3) + 7 + 9
    assert found.orphans is found.abstained is None
    wrong = nearest.measure([replace(made_up_zoo(0), parents=(None, None, 1, 1, 0, 0, 2, 3, 4))])
    assert (wrong.closed, wrong.opened) == (3 / 10, 3 / 7)
    assert wrong.found < wrong.opened


def test_one_architecture_is_left_out_of_training_and_examined(shop, made_up, monkeypatch):
    found = examined.examine_left_out(TAUGHT, ["test_resnet"], 2, shop)
    figures = found["test_resnet"]
    assert list(figures) == list(METHODS)
    assert {architecture(seed) for seed in (0, 6)} == {"test_resnet"}
    assert all(one.strangers == 2 * 9 for one in figures.values())
    assert figures[nearest.NAME] == nearest.measure([made_up_zoo(0), made_up_zoo(6)])

    def fail(task):
        raise AssertionError(task)

    monkeypatch.setattr(examined, "left_out", fail)
    assert examined.examine_left_out(TAUGHT, ["test_resnet"], 2, shop) == found
    with pytest.raises(SourceError, match="no detector without test_vit: AssertionError"):
        examined.examine_left_out(TAUGHT, ["test_vit"], 2, shop)


def test_the_shipped_detector_is_examined_by_every_method(shop, made_up, monkeypatch):
    found = examined.examine_shipped(FRESH, shop)
    assert list(found) == list(METHODS)
    assert found["detector, weights"].figures.questions == 10 + 7 + 9 + 7
    assert found[nearest.NAME] == Exam(nearest.measure([made_up_zoo(7)]), None)
    assert examined.exam_from_bytes(examined.exam_to_bytes(found["detector"])) == found["detector"]

    def fail(task):
        raise AssertionError(task)

    monkeypatch.setattr(examined, "shipped", fail)
    assert examined.examine_shipped(FRESH, shop) == found
    with pytest.raises(SourceError, match="detector was not examined: AssertionError"):
        examined.examine_shipped(TAUGHT, shop)


@pytest.mark.parametrize("damaged", [b"[1]", b'{"a": 1}', b'{"a": {"b": 1}}'])
def test_what_are_no_figures(damaged):
    with pytest.raises(ValueError, match="no figures"):
        examined.from_bytes(damaged)
    with pytest.raises(ValueError, match="no exam"):
        examined.exam_from_bytes(damaged)


@pytest.mark.parametrize(("none", "share"), [(0.5, 1.0), (0.3, 0.0)])
def test_who_doubts_thinks_that_nobody_is_the_likeliest(shop, made_up, monkeypatch, none, share):
    def reply(detector, child, candidates, mode):
        return Answer(np.array([0.4] + [0.0] * (len(candidates) - 1), dtype=np.float32), none)

    monkeypatch.setattr(examined, "answer", reply)
    assert examined.examine_shipped(FRESH, shop)["detector"].doubted == share


TRUTH = Truth(
    {("root", "son"): "finetune", ("aunt", "son"): "merge", ("son", "grandson"): "finetune"},
    related=frozenset([frozenset(["son", "twin"])]),
)


def test_candidates_are_all_but_descendants():
    models = ["root", "aunt", "son", "grandson", "twin"]
    assert list(documented.cases(TRUTH, models)) == [
        Case("grandson", frozenset(["son"]), ("root", "aunt", "son", "twin")),
        Case("son", frozenset(["root", "aunt"]), ("root", "aunt", "twin")),
    ]


def test_what_comes_out_of_a_case():
    made = {name: portrait([np.full((4, 4), size)] * 2) for name, size in (("son", 1), ("root", 2), ("twin", 3))}
    case = Case("son", frozenset(["root", "aunt"]), ("root", "aunt", "twin", "lost"))

    def pick(number, none=0.0):
        return lambda child, candidates: Reply(np.arange(len(candidates)) == number, none)

    def found(method, portraits=made):
        return list(documented.outcome(case, portraits, method, TRUTH))

    assert found(pick(0)) == ["right"]
    assert found(pick(0, none=2.0)) == ["right", "right in doubt"]
    assert found(pick(1, none=2.0)) == ["open"]
    assert found(pick(2), {**made, "lost": made["root"]}) == ["wrong"]
    assert found(pick(2, none=2.0), {**made, "lost": made["root"]}) == ["wrong", "wrong in doubt"]
    assert found(lambda child, candidates: None) == ["abstained"]
    assert found(pick(0), {"root": made["root"]}) == ["abstained"]


@pytest.fixture
def published(tmp_path):
    """A family of a parent, its child under a prefix, a stranger and a damaged file; and one without edges."""
    dice = np.random.default_rng(0)
    for name in ("family", "strangers"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.yaml").write_text('name: x\nmodels: [{path: "*.safetensors"}]\n')
        (tmp_path / name / f"{name}.truth.yaml").write_text("edges: []\n")
    weights = {f"layer.{n}.weight": dice.standard_normal((32, 32)).astype(np.float32) for n in range(3)}
    models = {"a": weights, "c": {name: dice.standard_normal((32, 32)).astype(np.float32) for name in weights}}
    models["b"] = {f"body.{name}": values + np.float32(0.02) for name, values in weights.items()}
    for name, tensors in models.items():
        save_file(tensors, tmp_path / "family" / f"{name}.safetensors")
    (tmp_path / "family" / "d.safetensors").write_bytes(b"no weights")
    (tmp_path / "family" / "family.truth.yaml").write_text(
        "edges:\n"
        "  - {parent: a.safetensors, child: b.safetensors, kind: finetune}\n"
        "  - {parent: a.safetensors, child: d.safetensors, kind: finetune}\n"
    )
    return tmp_path


def test_families_with_edges_are_measured(published, shop):
    (family,) = documented.measure(published, shop)
    assert (family.name, family.children, family.candidates, family.networks) == ("family", 2, 3.0, 0)
    assert family.chance == pytest.approx(1 / 3)
    assert family.counts[nearest.NAME] == {"right": 1, "abstained": 1}
    assert list(family.counts) == [nearest.NAME, "detector, weights"]
    assert sum(family.counts["detector, weights"][name] for name in documented.OUTCOMES) == 2


def test_where_published_checkpoints_are(monkeypatch, tmp_path, shop):
    monkeypatch.setenv(documented.VARIABLE, str(tmp_path / "none"))
    assert "none is not a folder; LGRAPH_WILD may name another" in detector._published(shop)
    monkeypatch.delenv(documented.VARIABLE)
    assert documented.folder() == documented.DEFAULT


def test_costs_of_all_parts():
    found = asking.measure(CostTask("test_resnet", candidates=3, rounds=1))
    assert set(found) == {"forward", "portrait", "images", "answer"}
    assert all(seconds > 0 for seconds in found.values())


FIGURES = Figures(100, 0.5, {}, 0.25, 0.125, 40, None, 0.0)


def test_tables():
    figures = dict.fromkeys(METHODS, FIGURES)
    found = rows(detector.left_out({"test_vit": figures, "test_resnet": figures}))
    assert found[1] == ["test_vit", "detector", "50.0", "25.0", "12.5", "–", "0.0", "100"]
    assert found[9][:3] == ["mean", "detector", "50.0"]
    assert len(found) == 1 + 3 * len(METHODS)
    found = rows(detector.fresh(FRESH, {"detector": Exam(FIGURES, 0.75), nearest.NAME: Exam(FIGURES, None)}))
    assert [row[6] for row in found] == ["doubted", "75.0", "–"]
    counts = {
        nearest.NAME: {"right": 3, "open": 1},
        "detector": {"right": 2, "wrong": 1, "abstained": 1, "wrong in doubt": 1},
    }
    families = [Family("one", 4, 5.5, 0.25, 2, counts), Family("two", 4, 2.0, 0.5, 0, {nearest.NAME: {"right": 4}})]
    found = rows(detector.published(families))
    assert found[1] == ["one", "4", "5.5", "1.0", nearest.NAME, "3", "0", "1", "0", "–", "–"]
    assert found[2][-4:] == ["0", "1", "0", "1"]
    assert found[-1] == ["all", "8", "", "3.0", nearest.NAME, "7", "0", "1", "0", "–", "–"]
    assert len(found) == 1 + 3 + 1
    found = rows(detector.cost({"net": {"forward": 0.01, "portrait": 0.02, "images": 0.03, "answer": 0.05}}))
    assert found[1] == ["net", "10", "2", "3", "2", "5", "7"]


def test_a_run(monkeypatch, tmp_path, made_up):
    monkeypatch.setattr(detector, "TAUGHT", TAUGHT)
    monkeypatch.setattr(detector, "FRESH", (FRESH,))
    monkeypatch.setattr(detector, "STEPS", 1)
    monkeypatch.setattr(detector, "ARCHITECTURES", ("test_vit",))
    monkeypatch.setattr(detector, "COSTS", (CostTask("test_resnet", 2, 1),))
    monkeypatch.setattr(detector, "make_executor", SerialExecutor)
    monkeypatch.setattr(detector, "default_cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(detector, "isolated", lambda function, item: function(item))
    monkeypatch.setenv(documented.VARIABLE, str(tmp_path / "none"))
    text = detector.run(tmp_path, silent)
    methods = list(METHODS)
    assert [row[1] for row in rows(text)[:9]] == ["method", *methods, *methods]
    assert [row[0] for row in rows(text)[9:]] == ["method", *methods, "child", "test_resnet"]
    assert "Detectors of 1 steps" in text
