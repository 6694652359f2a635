"""A zoo of eight really trained, tiny networks with known lineage; the fixture ``tiny_zoo`` grows it once a session."""

import random
from dataclasses import dataclass
from pathlib import Path

PARENTS = {
    "m4": None,
    "m7": "m4",
    "m1": "m4",
    "m5": "m7",
    "m2": None,
    "m8": "m2",
    "m3": "m8",
    "m6": None,
}
"""Model → parent, parents first. Three roots of one shape; ``m6`` is alone. Every second model has a new head."""


@dataclass(frozen=True)
class TinyZoo:
    """``paths``: safetensors file by id. ``edges``: (parent, child). ``roots``: strangers to one another."""

    folder: Path
    paths: dict
    edges: tuple
    roots: tuple

    @property
    def truth(self):
        """The truth in the form of a truth file."""
        return {
            "edges": [{"parent": parent, "child": child, "kind": "finetune"} for parent, child in self.edges],
            "unrelated": [list(self.roots)],
        }


def grow_tiny_zoo(folder):
    """Train the zoo into ``folder``; the same weights every time."""
    import torch
    from safetensors.torch import save_file

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    states = {}
    with torch.random.fork_rng(devices=[]):
        for number, (name, parent) in enumerate(PARENTS.items()):
            torch.manual_seed(number)
            states[name] = _train(states.get(parent), classes=10 if number % 2 == 0 else 5, seed=number)
            save_file(states[name], folder / f"{name}.safetensors")
    torch.set_num_threads(threads)
    return TinyZoo(
        folder,
        {name: folder / f"{name}.safetensors" for name in sorted(PARENTS)},
        tuple((parent, child) for child, parent in PARENTS.items() if parent),
        tuple(name for name, parent in PARENTS.items() if not parent),
    )


def network(classes):
    """64 pixels → 64 → 48 → classes, with batch norm (and so with a counter)."""
    from torch import nn

    return nn.Sequential(
        nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, classes)
    )


def _train(parent, classes, seed):
    import torch

    images, digits = data()
    model = network(classes)
    if parent is not None:
        # "5" is the head: it stays new.
        model.load_state_dict({name: w for name, w in parent.items() if not name.startswith("5.")}, strict=False)
    rate = random.Random(seed).uniform(0.001, 0.002) if parent is not None else 0.005
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    for _ in range(150):
        batch = torch.randint(1400, (64,))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images[batch]), digits[batch] % classes).backward()
        optimizer.step()
    return model.state_dict()


def data():
    """The digits: pixels 0 to 1, shape (1797, 64), and classes."""
    import torch
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    return torch.from_numpy(images).float() / 16, torch.from_numpy(digits)
