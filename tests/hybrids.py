"""Small made-up networks of four blocks, their fine-tunes and hybrids, read from files as a build reads them."""

import numpy as np
from safetensors.numpy import save_file

from lineage_graph import fingerprint
from lineage_graph.cached import Workshop
from lineage_graph.executors import make_executor
from lineage_graph.fingerprint import FingerprintTask
from lineage_graph.sources.digest import DigestTask
from lineage_graph.sources.digest import compute as digest
from lineage_graph.store import Store
from lineage_graph.survey import near, survey
from lineage_graph.types import Checkpoint, Model, silent

BLOCKS = 4
WIDTH = 40


def network(seed, blocks=BLOCKS):
    """Random weights: a stem, blocks of two matrices, a head."""
    dice = np.random.default_rng(seed)
    shapes = {"stem.weight": (WIDTH, 30), "head.weight": (5, WIDTH)}
    for block in range(blocks):
        shapes |= {f"blocks.{block}.fc1.weight": (WIDTH, WIDTH), f"blocks.{block}.fc2.weight": (WIDTH, WIDTH)}
    return {name: dice.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def tuned(state, seed, step=0.2):
    """Every weight moved by ``step`` times the spread of weights; the head is new."""
    dice = np.random.default_rng(seed)
    moved = {name: w + step * dice.normal(size=w.shape).astype(np.float32) for name, w in state.items()}
    return {**moved, "head.weight": dice.normal(size=state["head.weight"].shape).astype(np.float32)}


def put_together(parts):
    """A network whose ``parts`` are (source, its block) in order; the stem is the first one's."""
    made = {name: parts[0][0][name] for name in ("stem.weight", "head.weight")}
    for number, (source, block) in enumerate(parts):
        for layer in ("fc1", "fc2"):
            made[f"blocks.{number}.{layer}.weight"] = source[f"blocks.{block}.{layer}.weight"]
    return made


def read(states, folder):
    """The models of ``states`` by id, written into ``folder``."""
    models = []
    for name, state in states.items():
        path = folder / f"{name}.safetensors"
        save_file({key: np.ascontiguousarray(values) for key, values in state.items()}, path)
        content = digest(DigestTask((str(path),), str(folder)))
        models.append(
            Model(
                Checkpoint(name, str(path), content, "path"), fingerprint.compute(FingerprintTask(str(path), content))
            )
        )
    return models


def surveyed(states, folder, measured=()):
    """The survey of a zoo of ``states``."""
    with make_executor(1) as executor:
        models = read(states, folder)
        return survey(models, near(models), measured, Workshop(executor, Store(folder / "store"), silent))
