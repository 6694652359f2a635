"""The plan of a model that may be made of several others, in several steps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from lineage_graph.sources.grow.steps import Adapt, Step, changes_layout

NETWORKS = ("mlp", "convnet", "vit9")
"""Architectures that are no names of timm's; their files do not say what they are."""

ADAPTER_TARGETS = ("qkv", "proj", "fc1", "fc2")
"""Layers that an adapter file alone belongs to, by the ends of their names."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """One model of a zoo: what it is made of, and how.

    ``inputs``: the models whose weights go in, ``parents``: those that it descends from, direct ones only. The two
    differ for a snapshot (made by running its run again, child of the snapshot before) and where there is no descent (a
    student of a teacher, a training from shared initial weights): inputs, and no parents. ``kind``: of the edges from
    all parents. ``steps``: done in turn; the first takes all inputs. ``seed``: of what is random in them. ``hidden``:
    made, but not in the zoo. ``form``: of the file; ``training`` is a PyTorch file with the run's counters.
    ``base``: for an adapter alone, the id of its base.
    """

    name: str
    architecture: str
    inputs: tuple[str, ...]
    parents: tuple[str, ...]
    kind: str
    generation: int
    steps: tuple[Step, ...]
    seed: int
    hidden: bool = False
    form: Literal["safetensors", "pt", "npz", "training"] = "safetensors"
    base: str = ""

    @property
    def timm(self) -> str | None:
        """Timm's name of the architecture, where the file has its names and shapes."""
        strange = self.architecture in NETWORKS or any(map(changes_layout, self.steps))
        return None if strange else self.architecture

    @property
    def path(self) -> str:
        """The weights file, in the zoo's folder."""
        if self.base:
            return f"{self.name}/adapter_model.safetensors"
        return f"{self.name}.{'pt' if self.form == 'training' else self.form}"

    @property
    def config(self) -> str:
        """What lies beside an adapter alone as ``adapter_config.json``; empty for other models."""
        ranks = [step.rank for step in self.steps if isinstance(step, Adapt)]
        if not self.base:
            return ""
        return json.dumps(
            {
                "base_model_name_or_path": self.base,
                "lora_alpha": ranks[0],
                "modules_to_save": ["head"],
                "peft_type": "LORA",
                "r": ranks[0],
                "target_modules": list(ADAPTER_TARGETS),
            }
        )
