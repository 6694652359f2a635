import pytest

from lineage_graph.kinds import RULES, kind

NEAR = {"coverage": 1.0, "identical": 0.0, "cosine": 0.95, "distance": 0.2}
COPY = {"coverage": 1.0, "identical": 1.0, "cosine": 1.0, "distance": 0.0}


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        (NEAR, "finetune"),
        (COPY, "duplicate"),
        (COPY | {"head_cosine": 1.0, "head_identical": 1.0}, "duplicate"),
        (COPY | {"head_cosine": 0.0, "head_identical": 0.0}, "finetune"),  # a head on a frozen backbone
        (COPY | {"coverage": 0.6}, "finetune"),
        (NEAR | {"same_profile": 1.0, "head_identical": 0.0}, "duplicate"),
        (NEAR | {"same_profile": 0.7}, "finetune"),
        (COPY | {"units": 0.9, "laid_out": 1.0, "head_identical": 0.0}, "duplicate"),  # permuted, and so the head is
        (COPY | {"identical": 0.2, "distance": 1e-7, "laid_out": 0.9}, "duplicate"),
        (COPY | {"identical": 0.2, "distance": 1e-7}, "finetune"),
        (COPY | {"adapter_gain": -0.03}, "adapter"),
        (NEAR | {"rounding": 1.0, "lattice_loss": 13.0}, "quantize"),
        (NEAR | {"rounding": 1.0, "lattice_loss": -17.0, "sparsity_gain": -0.15}, "quantize"),
        (NEAR | {"rounding": 0.6, "lattice_loss": 5.0}, "finetune"),
        (NEAR | {"sparsity_gain": -0.3, "head_cosine": 1.0}, "prune"),
        (NEAR | {"units_lost": 0.25}, "prune"),
        (NEAR | {"units_lost": 0.25, "rounding": 1.0, "lattice_loss": 13.0}, "prune"),
        (COPY | {"units_lost": 0.25, "head_cosine": 0.0}, "prune"),
        (NEAR | {"low_rank": 1.0, "kept_vectors": 1.0, "head_cosine": 0.9}, "adapter"),
        (NEAR | {"low_rank": 1.0, "kept_vectors": 0.0}, "finetune"),  # a few examples seen
        (NEAR | {"low_rank": 0.5, "kept_vectors": 1.0}, "finetune"),
        (NEAR | {"head_cosine": 0.9, "head_identical": 0.0}, "snapshot"),
        (NEAR | {"head_cosine": 0.9, "counter.epoch": 0.7, "counter.num_batches_tracked": 0.7}, "snapshot"),
        (NEAR | {"head_cosine": 0.9, "counter.epoch": -0.7, "counter.num_batches_tracked": 0.7}, "finetune"),
        (NEAR | {"head_cosine": 0.9, "kept_vectors": 1.0}, "finetune"),  # noise on the matrices
        (NEAR | {"head_cosine": 0.2}, "finetune"),
        (NEAR | {"head_cosine": 0.0, "counter.epoch": 0.7, "counter.step": 0.7}, "finetune"),
        (NEAR | {"counter.n_updates": -0.3, "counter.num_timesteps": -0.2}, "snapshot"),
        (NEAR | {"counter.epoch": 0.3, "counter.num_batches_tracked": 0.2}, "finetune"),
        (NEAR | {"counter.n_updates": -0.3, "counter.num_timesteps": 0.2}, "finetune"),
    ],
)
def test_kinds_by_their_signs(signals, expected):
    assert kind(signals) == expected


@pytest.mark.parametrize(
    "one", [COPY | {"adapter_gain": 0.1}, NEAR | {"sparsity_gain": 0.3}, NEAR | {"units_lost": 0.3}]
)
def test_the_direction_does_not_matter(one):
    assert kind(one) == kind(
        {name: -v if name in ("adapter_gain", "sparsity_gain", "units_lost") else v for name, v in one.items()}
    )


def test_every_rule_says_in_its_docstring_what_it_asks_for():
    assert all(rule.__doc__ for _, rule in RULES)
