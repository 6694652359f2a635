"""The tests' own zoo is what it says: trained, related along its edges and nowhere else."""

from itertools import combinations

import numpy as np
import torch
from safetensors.torch import load_file

import zoo


def relative_distance(tiny, a, b):
    matrices = ["0.weight", "3.weight"]
    x, y = load_file(tiny.paths[a]), load_file(tiny.paths[b])
    squares = sum(((x[name] - y[name]) ** 2).sum() for name in matrices)
    norms = [sum((state[name] ** 2).sum() for name in matrices) ** 0.5 for state in (x, y)]
    return float((squares / (norms[0] * norms[1])) ** 0.5)


def test_every_model_has_learned(tiny_zoo):
    images, digits = zoo.data()
    for name, path in tiny_zoo.paths.items():
        state = load_file(path)
        classes = len(state["5.bias"])
        model = zoo.network(classes).eval()
        model.load_state_dict(state)
        with torch.no_grad():
            right = model(images[1400:]).argmax(1) == digits[1400:] % classes
        assert right.float().mean() > 0.85, name


def test_distances_follow_the_lineage(tiny_zoo):
    edges = [relative_distance(tiny_zoo, *edge) for edge in tiny_zoo.edges]
    strangers = [relative_distance(tiny_zoo, *pair) for pair in combinations(tiny_zoo.roots, 2)]
    assert min(edges) > 0.05
    assert max(edges) < 0.8
    assert np.allclose(strangers, 2**0.5, atol=0.15)


def test_the_zoo_is_the_same_every_time(tiny_zoo, tmp_path):
    again = zoo.grow_tiny_zoo(tmp_path)
    for name, path in tiny_zoo.paths.items():
        assert again.paths[name].read_bytes() == path.read_bytes()
