"""The regimes' plans and their truth, and toys of them that are really grown."""

import json
from dataclasses import replace

import pytest
import torch
import yaml

from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.errors import ManifestError
from lineage_graph.evaluate import load_truth
from lineage_graph.executors import SerialExecutor
from lineage_graph.sources.grow import digits, grow
from lineage_graph.sources.grow.derivation import Derivation
from lineage_graph.sources.grow.making.files import read
from lineage_graph.sources.grow.recipes import RECIPES, block_origins
from lineage_graph.sources.grow.steps import Merge, Splice

LEAST = dict(
    zip(
        "near far chains few-shot orphans snapshots strangers shared-init distilled typed merges hybrids laundered "
        "lineage300 vits heap".split(),
        (4, 4, 4, 4, 6, 4, 2, 4, 3, 4, 4, 5, 4, 20, 10, 51),
        strict=True,
    )
)
SIZES = [(recipe, models) for recipe, least in LEAST.items() for models in (least, least + 1, max(24, least), 60)]


def truth_of(recipe, models, seed, folder):
    file = folder / "truth.yaml"
    file.write_text(yaml.safe_dump(RECIPES[recipe].truth(RECIPES[recipe].plan(models, seed), recipe)))
    return load_truth(file)


@pytest.mark.parametrize(("recipe", "models"), SIZES)
def test_a_plan_has_as_many_models_parents_first_and_a_sound_truth(recipe, models, tmp_path):
    zoo = RECIPES[recipe].plan(models, 3)
    shown = [plan for plan in zoo if not plan.hidden]
    assert sorted(plan.name for plan in shown) == [f"m{n:0{max(2, len(str(models)))}}" for n in range(1, models + 1)]
    seen = {}
    for plan in zoo:
        assert {*plan.inputs, *plan.parents} <= set(seen)
        assert plan.generation == 1 + max((seen[name].generation for name in plan.parents), default=0)
        seen[plan.name] = plan
    assert zoo == RECIPES[recipe].plan(models, 3) != RECIPES[recipe].plan(models, 4)
    truth = truth_of(recipe, models, 3, tmp_path)
    assert truth.names <= {f"{recipe}/{plan.name}" for plan in shown}


@pytest.mark.parametrize("recipe", LEAST)
def test_impossible_numbers_of_models(recipe):
    for models in (LEAST[recipe] - 1, 1001):
        with pytest.raises(ManifestError, match=f"models: {models} is not between {LEAST[recipe]} and 1000"):
            RECIPES[recipe].plan(models, 0)


def test_the_recipes_are_in_the_table():
    from lineage_graph.sources.grow import recipes

    rows = {line.split()[0]: line.split()[1] for line in recipes.__doc__.splitlines() if line[:1].isalpha()}
    assert {*rows} >= {*RECIPES} - {"settings-vit"}
    assert all(rows[recipe] == str(least) for recipe, least in LEAST.items())


def test_every_seed_gives_every_kind_where_several_are_promised(tmp_path):
    kinds = {
        "typed": {"finetune", "quantize", "prune", "adapter", "duplicate"},
        "snapshots": {"finetune", "snapshot"},
        "merges": {"finetune", "merge"},
        "hybrids": {"finetune", "splice"},
        "laundered": {"finetune", "prune", "duplicate"},
        "heap": {"finetune", "quantize", "prune", "adapter", "duplicate", "snapshot", "merge", "splice"},
    }
    for recipe, expected in kinds.items():
        for seed in range(3):
            truth = truth_of(recipe, max(24, LEAST[recipe]), seed, tmp_path)
            assert set(truth.edges.values()) == expected, (recipe, seed)


def test_where_nothing_descends_all_pairs_are_strangers(tmp_path):
    assert len(truth_of("strangers", 24, 0, tmp_path).strangers) == 24 * 23 // 2
    for recipe in ("shared-init", "distilled"):
        zoo = RECIPES[recipe].plan(24, 0)
        trained_alone = [plan for plan in zoo if plan.inputs and not plan.parents]
        truth = truth_of(recipe, 24, 0, tmp_path)
        assert trained_alone
        for plan in trained_alone:
            siblings = {other.name for other in trained_alone if other.inputs == plan.inputs} | set(plan.inputs)
            for other in siblings - {plan.name} - {one.name for one in zoo if one.hidden}:
                assert frozenset([f"{recipe}/{plan.name}", f"{recipe}/{other}"]) in truth.strangers


def test_beyond_a_missing_parent_nothing_is_an_edge(tmp_path):
    zoo = {plan.name: plan for plan in RECIPES["orphans"].plan(24, 0)}
    truth = truth_of("orphans", 24, 0, tmp_path)
    lost = [plan for plan in zoo.values() if not plan.hidden and any(zoo[name].hidden for name in plan.parents)]
    assert len(lost) >= 12
    for plan in lost:
        assert not [arc for arc in truth.edges if arc[1] == f"orphans/{plan.name}"]
        above = zoo[zoo[plan.parents[0]].parents[0]] if zoo[plan.parents[0]].parents else None
        pair = frozenset([f"orphans/{plan.name}", f"orphans/{above.name}"]) if above else None
        assert above is None or pair in truth.related


def test_what_holds_for_one_twin_is_open_for_the_other():
    zoo = [
        Derivation(name, "mlp", tuple(parents), tuple(parents), kind, 1, (), 0)
        for name, parents, kind in [
            ("a", "", "finetune"),
            ("b", "a", "duplicate"),
            ("c", "a", "duplicate"),
            ("d", "b", "quantize"),
            ("e", "d", "finetune"),
            ("f", "", "finetune"),
        ]
    ]
    truth = RECIPES["typed"].truth(zoo, "z")
    assert {(edge["parent"][2:], edge["child"][2:]) for edge in truth["edges"]} == {
        *[("a", "b"), ("a", "c"), ("b", "d"), ("d", "e")]
    }
    assert [pair[0][2:] + pair[1][2:] for pair in truth["related"]] == ["ad", "bc", "cd"]
    assert truth["unrelated"] == [["z/a", "z/f"], ["z/a", "z/f"]]


def test_the_300_are_five_roots_in_four_generations():
    zoo = RECIPES["lineage300"].plan(300, 0)
    counts = [sum(plan.generation == number for plan in zoo) for number in range(1, 6)]
    assert counts == [5, 45, 100, 150, 0]
    roots = {plan.name: plan.name for plan in zoo if not plan.parents}
    for plan in zoo[5:]:
        roots[plan.name] = roots[plan.parents[0]]
    assert {list(roots.values()).count(root) > 1 for root in set(roots.values())} == {True}
    assert len({plan.architecture for plan in zoo[:5]}) == 3


def test_the_origins_of_blocks_are_the_plans():
    origins = block_origins("vits", 12, 0)
    assert len(origins) == 3
    for blocks in origins.values():
        assert list(blocks) == [f"blocks.{number}" for number in range(9)]
        assert len({model for model, _ in blocks.values()}) == 9
    assert any(here != there for blocks in origins.values() for here, (_, there) in blocks.items())
    for plan in RECIPES["hybrids"].plan(24, 1):
        spliced = [step for step in plan.steps if isinstance(step, Splice)]
        if spliced:
            parents = {model for model, _ in block_origins("hybrids", 24, 1)[f"hybrids-1/{plan.name}"].values()}
            assert parents == {f"hybrids-1/{name}" for name in plan.parents}


def test_merges_come_in_all_methods():
    steps = [
        (plan.steps[0].method, len(plan.parents)) for plan in RECIPES["merges"].plan(19, 0) if plan.kind == "merge"
    ]
    assert len(steps) == 9
    assert set(steps) == {
        ("linear", 2),
        ("linear", 3),
        ("slerp", 2),
        *((m, n) for m in ("arithmetic", "ties") for n in (3, 4)),
    }
    for plan in RECIPES["merges"].plan(60, 1):
        for step in plan.steps:
            if isinstance(step, Merge) and step.method == "linear":
                assert sum(step.weights) == pytest.approx(1)


@pytest.fixture
def quick(monkeypatch):
    """Runs of a few batches."""
    fit = digits.fit

    def short(model, course, loss, faster=None, stop=None):
        course = replace(course, steps=min(course.steps, 6))
        fit(model, course, loss, faster or {}, stop if stop is None else max(1, stop // 25))

    monkeypatch.setattr(digits, "fit", short)


@pytest.mark.parametrize(
    ("recipe", "models"),
    [
        ("shared-init", 5),
        ("orphans", 6),
        ("snapshots", 4),
        ("distilled", 3),
        ("few-shot", 4),
        ("merges", 6),
        ("hybrids", 5),
        ("laundered", 6),
    ],
)
def test_a_toy_is_grown(recipe, models, quick, tmp_path):
    zoo = grow(recipe, models, 1, tmp_path, SerialExecutor())
    assert len(zoo.models) == models
    assert load_truth(zoo.truth).names <= {model.id for model in zoo.models}
    contents = [model.path.read_bytes() for model in zoo.models]
    assert len(set(contents)) == models
    again = zoo.models[-1].path
    again.unlink()
    assert grow(recipe, models, 1, tmp_path, SerialExecutor()) == zoo
    assert again.read_bytes() == contents[-1]


def test_snapshots_are_steps_of_one_run(quick, tmp_path):
    zoo = grow("snapshots", 4, 1, tmp_path, SerialExecutor())
    states = {model.path.stem: read(str(model.path)) for model in zoo.models}
    run = [plan for plan in RECIPES["snapshots"].plan(4, 1) if plan.kind == "snapshot"]
    assert run
    name = next(name for name in states[run[0].name] if name.endswith("weight"))
    for plan in run:
        assert not torch.equal(states[plan.name][name], states[plan.parents[0]][name])


def test_a_shared_initialisation_is_shared_and_not_in_the_zoo(quick, tmp_path):
    zoo = grow("shared-init", 4, 0, tmp_path, SerialExecutor())
    (start,) = [plan for plan in RECIPES["shared-init"].plan(4, 0) if plan.hidden]
    assert start.name not in {model.path.stem for model in zoo.models}
    first = read(str(zoo.truth.with_name(start.path)))
    for model in zoo.models:
        state = read(str(model.path))
        matrices = [n for n in first if first[n].dim() > 1 and first[n].shape == state[n].shape]
        a, b = (torch.cat([one[n].flatten() for n in matrices]) for one in (first, state))
        assert 0.9 < torch.nn.functional.cosine_similarity(a, b, dim=0) < 1


def test_a_zoo_of_every_kind_of_file_can_be_read(quick, tmp_path):
    zoo = grow("typed", 20, 0, tmp_path, SerialExecutor())
    plans = {plan.name: plan for plan in RECIPES["typed"].plan(20, 0)}
    folders = [model for model in zoo.models if model.path.is_dir()]
    assert {model.path.suffix for model in zoo.models} == {"", ".pt", ".npz", ".safetensors"}
    assert [len([*model.path.iterdir()]) for model in folders] == [2] * len(folders) != []
    for model in folders:
        config = json.loads((model.path / "adapter_config.json").read_text())
        plan = plans[model.path.name]
        assert config["base_model_name_or_path"] == f"typed-0/{plan.parents[0]}"
        update = read(str(model.path / "adapter_model.safetensors"))
        for layer in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"):
            assert len(update[f"base_model.model.blocks.0.{layer}.lora_A.weight"]) == config["r"]
    for model in zoo.models:
        with open_checkpoint(model.path) as reader:
            plan = plans[model.path.name.split(".")[0]]
            assert sum(spec.size for spec in reader.tensors) > 0
            assert reader.architecture == ((plan.timm or "") if plan.path.endswith("safetensors") else "")
    copies = [
        plan for plan in plans.values() if plan.kind == "duplicate" and not plan.steps and plan.form == "safetensors"
    ]
    for plan in copies:
        files = [zoo.truth.with_name(plans[name].path).read_bytes() for name in (plan.name, *plan.parents)]
        assert files[0] == files[1]
