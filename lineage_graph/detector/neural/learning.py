"""From seeds to a detector: grow the zoos, portray them, train, examine on held-out zoos, write the card.

The detector that ships with the package is made, at the root of the repository, by
``lgraph train-detector -o lineage_graph/detector/detector.safetensors``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from lineage_graph.cached import Workshop
from lineage_graph.detector import card
from lineage_graph.detector.card import Card
from lineage_graph.detector.evaluation import Figures, measure
from lineage_graph.detector.neural import training
from lineage_graph.detector.neural.network import MODES
from lineage_graph.detector.neural.training import Tell, TrainingSettings
from lineage_graph.detector.score import TrainedDetector
from lineage_graph.detector.zoos import FamilyZoo, grown, split

RECIPE = "families"


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """``zoos``: how many, with consecutive seeds from ``first_seed``; ``models``: in each.

    ``leave_out``: an architecture (timm name) that the detector does not see in training; it is then examined on all
    zoos of that architecture instead of on held-out zoos of those that it knows.
    """

    zoos: int = 30
    models: int = 28
    first_seed: int = 1000
    leave_out: str = ""
    training: TrainingSettings = field(default_factory=TrainingSettings)


@dataclass(frozen=True, slots=True)
class Learned:
    """``data``: the detector's file. ``figures``: on the zoos that it was examined on, by mode."""

    data: bytes
    figures: dict[str, Figures]


def learn(settings: LearningSettings, shop: Workshop, tell: Tell, command: str = "") -> Learned:
    """Train a detector, or what is missing of its training. ``command``: what the card says makes it.

    Raises ``ValueError`` where there are too few zoos to split, and what growing a zoo raises.
    """
    seeds = range(settings.first_seed, settings.first_seed + settings.zoos)
    zoos = [zoo for seed in seeds for zoo in grown(RECIPE, settings.models, seed, shop)]
    taught, watched, examined = _parts(zoos, settings.leave_out)
    detector = training.train(settings.training, taught, watched, shop.store, tell)
    about = Card(
        shape=asdict(detector.shape),
        command=command,
        data={
            "recipe": RECIPE,
            "seeds": [seeds.start, seeds.stop - 1],
            "models in a zoo": settings.models,
            "zoos by architecture": {
                "training": _counts(taught),
                "early stopping": _counts(watched),
                "examination": _counts(examined),
            },
        },
        training=asdict(settings.training),
        ranges=training.shown(settings.training, taught),
    )
    trained = TrainedDetector(detector, about)
    modes = [mode for mode in MODES if set(MODES[mode]) <= set(detector.kinds)]
    figures = {mode: measure(trained, examined, mode) for mode in modes}
    metrics = {mode: asdict(figure) for mode, figure in figures.items()}
    finished = Card(**{**asdict(about), "metrics": metrics})
    return Learned(card.to_bytes(detector, finished), figures)


def _parts(
    zoos: Sequence[FamilyZoo], leave_out: str
) -> tuple[Sequence[FamilyZoo], Sequence[FamilyZoo], Sequence[FamilyZoo]]:
    if not leave_out:
        return split(zoos)
    known = [zoo for zoo in zoos if zoo.architecture != leave_out]
    taught, watched, more = split(known)
    return [*taught, *more], watched, [zoo for zoo in zoos if zoo.architecture == leave_out]


def _counts(zoos: Sequence[FamilyZoo]) -> dict[str, int]:
    return dict(sorted(Counter(zoo.architecture for zoo in zoos).items()))
