"""What a plan does to weights: the same outputs where that is promised, and exactly the planned change elsewhere."""

import numpy as np
import pytest
import torch

from lineage_graph.sources.grow import digits
from lineage_graph.sources.grow.making import adapters, hidden, layouts, lossy, merging, training
from lineage_graph.sources.grow.making.networks import in_order, network
from lineage_graph.sources.grow.steps import (
    Adapt,
    Distill,
    Merge,
    Narrow,
    Noise,
    Permute,
    Quantize,
    Relayout,
    Rescale,
    Sparsify,
    Splice,
    Train,
    Transplant,
)

ARCHITECTURES = ("mlp", "convnet", "test_resnet", "test_vit", "test_convnext")
SHORT = Train("digits", "adamw", 2e-3, 0.01, 4)


def state_of(architecture, seed=0):
    """Random weights, norms and running statistics too."""
    torch.manual_seed(seed)
    state = network(architecture, 10).state_dict()
    for name, values in state.items():
        if values.is_floating_point():
            values.add_(0.1 * torch.rand_like(values) if "var" in name else 0.1 * torch.randn_like(values))
    return state


def outputs(architecture, state, classes=10):
    model = network(architecture, classes).eval()
    model.load_state_dict(state)
    torch.manual_seed(5)
    with torch.no_grad():
        return model(torch.randn(4, 3, 32, 32))


def largest_change(before, after):
    return max(float((before[name] - after[name]).abs().max()) for name in before if before[name].is_floating_point())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_permuted_units_compute_the_same(architecture):
    state = state_of(architecture)
    changed = hidden.permute(Permute(), [state], architecture)
    assert {name: values.shape for name, values in changed.items()} == {n: v.shape for n, v in state.items()}
    for name, values in state.items():
        if (values.dim() > 1 and "mlp.fc" in name) or name.startswith("layer"):
            assert values.dim() == 0 or not torch.equal(values, changed[name]), name
    torch.testing.assert_close(outputs(architecture, changed), outputs(architecture, state), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("architecture", ["mlp", "convnet", "test_resnet"])
def test_rescaled_units_compute_the_same(architecture):
    state = state_of(architecture)
    changed = hidden.rescale(Rescale(4.0), [state], architecture)
    assert largest_change(state, changed) > 0.1
    torch.testing.assert_close(outputs(architecture, changed), outputs(architecture, state), rtol=1e-3, atol=1e-3)


def test_without_a_relu_nothing_is_rescaled():
    state = state_of("test_vit")
    assert largest_change(state, hidden.rescale(Rescale(4.0), [state], "test_vit")) == 0


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_taking_out_units_that_do_nothing_changes_nothing(architecture):
    state = state_of(architecture)
    for units in hidden.hidden_units(architecture, state):
        if units.removable:
            for place in (*units.into, *units.scaling):
                state[place.name][: units.size // 4] = 0
    narrowed = lossy.narrow(Narrow(0.25), [state], architecture)
    assert sum(values.numel() for values in narrowed.values()) < 0.9 * sum(v.numel() for v in state.values())
    if architecture in ("mlp", "convnet"):
        with torch.no_grad():
            model = network(architecture, 10).eval()
            for name, values in narrowed.items():
                layer, _, part = name.rpartition(".")
                setattr(model.get_submodule(layer), part, torch.nn.Parameter(values))
            torch.manual_seed(5)
            found = model(torch.randn(4, 3, 32, 32))
        torch.testing.assert_close(found, outputs(architecture, state), rtol=1e-4, atol=1e-4)


def test_a_lattice_has_as_many_levels_and_is_near():
    state = state_of("test_vit")
    name = "blocks.0.mlp.fc1.weight"
    for to, levels in (("int8", 127), ("int4", 7)):
        found = lossy.quantize(Quantize(to), [state], "test_vit")
        assert max(len(row.unique()) for row in found[name]) <= 2 * levels + 1
        steps = state[name].abs().amax(1, keepdim=True) / levels
        assert ((found[name] - state[name]).abs() <= steps / 2 * 1.001).all()
        assert torch.equal(found["norm.weight"], state["norm.weight"])


def test_scaled_integers_and_short_floats():
    state = state_of("test_resnet")
    name = "layer1.0.conv1.weight"
    scaled = lossy.quantize(Quantize("scaled"), [state], "")[name]
    assert torch.equal(scaled, scaled.round())
    assert 64 <= scaled.abs().max() <= 128
    assert float(torch.nn.functional.cosine_similarity(scaled.flatten(), state[name].flatten(), dim=0)) > 0.999
    for to, dtype in (("float16", torch.float16), ("bfloat16", torch.bfloat16)):
        short = lossy.quantize(Quantize(to), [state], "")
        assert short[name].dtype == short["bn1.running_mean"].dtype == dtype
        assert short["bn1.num_batches_tracked"].dtype == torch.int64


def test_the_smallest_weights_become_zero():
    state = state_of("mlp")
    found = lossy.sparsify(Sparsify(0.4), [state], "mlp")
    for name, values in state.items():
        zeros = found[name] == 0
        assert float(zeros.float().mean()) == pytest.approx(0.4 if values.dim() > 1 else 0, abs=0.01)
        assert torch.equal(found[name][~zeros], values[~zeros])
        assert values.dim() == 1 or values[zeros].abs().max() <= values[~zeros].abs().min()


def test_noise_has_the_level():
    state = state_of("convnet")
    found = lossy.add_noise(Noise(0.05), [state], "convnet")
    name = "layers.4.weight"
    assert float((found[name] - state[name]).norm() / state[name].norm()) == pytest.approx(0.05, rel=0.05)


def test_a_fused_norm_computes_the_same():
    state = state_of("test_resnet")
    fused = layouts.relayout(Relayout("fused-norm"), [state], "test_resnet")
    assert not any("bn" in name or "running" in name for name in fused)
    kept = dict(state)
    for name in fused:
        if name not in state:
            layers = list(dict.fromkeys(one.rpartition(".")[0] for one in state))
            norm = layers[layers.index(name.removesuffix(".bias")) + 1]
            kept[f"{norm}.bias"], kept[f"{norm}.weight"] = fused[name], torch.ones_like(fused[name])
            kept[f"{norm}.running_mean"] = torch.zeros_like(fused[name])
            kept[f"{norm}.running_var"] = torch.ones_like(fused[name]) - 1e-5
        kept |= {name: fused[name]} if name in state else {}
    torch.testing.assert_close(outputs("test_resnet", kept), outputs("test_resnet", state), rtol=1e-3, atol=1e-3)


def test_other_layouts_hold_the_same_numbers():
    state = state_of("test_vit")
    split = layouts.relayout(Relayout("split-qkv"), [state], "test_vit")
    joined = torch.cat([split[f"blocks.3.attn.{part}_proj.weight"] for part in "qkv"])
    assert torch.equal(joined, state["blocks.3.attn.qkv.weight"])
    assert not any("qkv" in name for name in split)
    turned = layouts.relayout(Relayout("transposed"), [state_of("convnet")], "convnet")
    assert turned["layer_0.kernel"].shape == (3, 3, 3, 24)
    assert torch.equal(turned["layer_4.kernel"].T, state_of("convnet")["head.weight"])


def test_a_file_does_not_change_the_order_of_a_network():
    state = state_of("test_resnet")
    assert list(in_order(dict(sorted(state.items())), "test_resnet")) == list(state)


def two_and_base():
    return [state_of("mlp", seed) for seed in range(3)]


def test_linear_merges_and_task_arithmetic_are_sums():
    base, first, second = two_and_base()
    linear = merging.merge(Merge("linear", (0.3, 0.7)), [first, second], "mlp")
    arithmetic = merging.merge(Merge("arithmetic", (0.5, 0.4)), [base, first, second], "mlp")
    for name in base:
        torch.testing.assert_close(linear[name], 0.3 * first[name] + 0.7 * second[name])
        expected = base[name] + 0.5 * (first[name] - base[name]) + 0.4 * (second[name] - base[name])
        torch.testing.assert_close(arithmetic[name], expected)


def test_an_arc_keeps_the_length():
    one, other = (torch.nn.functional.normalize(torch.randn(50), dim=0) for _ in range(2))
    middle = merging.merge(Merge("slerp", (0.5,)), [{"w": one}, {"w": other}], "")["w"]
    assert float(middle.norm()) == pytest.approx(1, abs=1e-5)
    assert float(middle @ one) == pytest.approx(float(middle @ other), abs=1e-5)
    same = merging.merge(Merge("slerp", (0.5,)), [{"w": one}, {"w": one}], "")["w"]
    torch.testing.assert_close(same, one)


def test_ties_trims_and_elects():
    base = torch.zeros(4)
    models = [torch.tensor([4.0, 3.0, 0.1, 0.0]), torch.tensor([2.0, -5.0, 0.0, 0.1])]
    found = merging.merge(Merge("ties", (1.0, 1.0), density=0.5), [{"w": one} for one in (base, *models)], "")["w"]
    np.testing.assert_allclose(found, [3, -5, 0, 0])


def test_blocks_come_from_their_donors_and_places():
    donors = [state_of("test_vit", seed) for seed in range(2)]
    step = Splice((("blocks.0", 1, "blocks.4"), ("blocks.1", 1, "blocks.1")))
    found = merging.splice(step, donors, "test_vit")
    assert torch.equal(found["blocks.0.mlp.fc1.weight"], donors[1]["blocks.4.mlp.fc1.weight"])
    assert torch.equal(found["blocks.1.norm1.weight"], donors[1]["blocks.1.norm1.weight"])
    assert torch.equal(found["blocks.2.mlp.fc1.weight"], donors[0]["blocks.2.mlp.fc1.weight"])
    assert found.keys() == donors[0].keys()


@pytest.mark.parametrize("architecture", ["test_vit", "mlp"])
def test_adapters_are_low_rank_updates_in_three_forms(architecture):
    base = state_of(architecture)
    forms = {}
    for form in ("merged", "wrapped", "alone"):
        with digits.reproducible(7):
            forms[form] = adapters.adapt(Adapt(Train("parity", "adamw", 0.01, 0.0, 4), 2, form), [base], architecture)
    layer = "blocks.2.mlp.fc1" if architecture == "test_vit" else "layers.2"
    prefix = f"base_model.model.{layer}"
    update = forms["merged"][f"{layer}.weight"] - base[f"{layer}.weight"]
    assert torch.linalg.matrix_rank(update, rtol=1e-3) == 2
    product = forms["alone"][f"{prefix}.lora_B.weight"] @ forms["alone"][f"{prefix}.lora_A.weight"]
    torch.testing.assert_close(update, product, atol=1e-5, rtol=1e-3)
    assert torch.equal(forms["wrapped"][f"{prefix}.base_layer.weight"], base[f"{layer}.weight"])
    assert torch.equal(forms["wrapped"][f"{prefix}.lora_A.default.weight"], forms["alone"][f"{prefix}.lora_A.weight"])
    assert outputs(architecture, forms["merged"], classes=2).isfinite().all()
    assert {name for name in forms["alone"] if "lora" not in name} == {
        f"base_model.model.head.{part}" for part in ("weight", "bias")
    }


def test_a_run_that_is_left_early_is_the_same_run_until_then():
    def run(stop):
        with digits.reproducible(3):
            return training.train(Train("digits", "sgd", 0.05, 0.0, 6, stop=stop), [], "test_resnet")

    whole, unstopped, half = run(6), run(None), run(3)
    assert int(half["bn1.num_batches_tracked"]) == 3
    assert largest_change(whole, unstopped) == 0 < largest_change(whole, half)


def test_frozen_parts_shares_and_counters():
    base = training.train(SHORT, [], "test_resnet")
    tuned = training.train(Train("parity", "sgd", 0.05, 0.0, 3, frozen=0.4, recount=True), [base], "test_resnet")
    assert torch.equal(tuned["conv1.0.weight"], base["conv1.0.weight"])
    assert not torch.equal(tuned["layer4.0.conv2.weight"], base["layer4.0.conv2.weight"])
    assert int(tuned["bn1.num_batches_tracked"]) == 3
    assert len(tuned["fc.weight"]) == 2
    odd, even, all_of_them = (
        training._images(Train("digits", "sgd", 0.1, 0, 1, share=share), "mlp")[1] for share in ((0, 2), (1, 2), (0, 1))
    )
    assert torch.equal(torch.stack([odd, even], 1).flatten(), all_of_them)
    few = training._images(Train("digits", "sgd", 0.1, 0, 1, shots=2), "mlp")[1]
    assert few.bincount().tolist() == [2] * 10


def test_a_student_learns_from_answers_and_starts_elsewhere():
    teacher = training.train(Train("digits", "adamw", 3e-3, 0.0, 80), [], "mlp")
    student = training.distill(Distill(Train("parity", "adamw", 3e-3, 0.0, 80)), [teacher], "mlp")
    images, _ = digits.task_data("mlp", "digits", training=False)
    answers = []
    for state in (teacher, student):
        model = network("mlp", 10)
        model.load_state_dict(state)
        answers.append(model(images).argmax(1))
    assert (answers[0] == answers[1]).float().mean() > 0.7
    a, b = (state["layers.2.weight"].flatten() for state in (teacher, student))
    assert abs(torch.nn.functional.cosine_similarity(a, b, dim=0)) < 0.2


def test_backbones_side_by_side_inside_another_network():
    donors = [state_of("test_convnext", seed) for seed in range(2)]
    found = training.transplant(
        Transplant(("left", "right"), Train("odd", "sgd", 1e-3, 0.0, 1)), donors, "test_convnext"
    )
    assert {name.partition(".")[0] for name in found} == {"left", "right", "neck", "head"}
    for prefix, donor in zip(("left", "right"), donors, strict=True):
        a, b = found[f"{prefix}.stages.2.blocks.1.mlp.fc1.weight"], donor["stages.2.blocks.1.mlp.fc1.weight"]
        assert torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), dim=0) > 0.99
