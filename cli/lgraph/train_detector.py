"""``lgraph train-detector``: a learned lineage detector, from zoos that are grown for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgraph.options import Cache
from lgraph.progress import ProgressDisplay
from lgraph.text import console, number, show, table

if TYPE_CHECKING:
    from rich.table import Table

    from lineage_graph.detector.evaluation import Figures
    from lineage_graph.detector.neural.learning import LearningSettings

DEFAULT_OUT = Path("detector.safetensors")
"""In the current folder."""


def train_detector(
    *,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", dir_okay=False, help="The detector's file.")
    ] = DEFAULT_OUT,
    zoos: Annotated[int, typer.Option(min=3, metavar="N", help="Zoos to grow.")] = 30,
    models: Annotated[int, typer.Option(min=6, max=500, metavar="N", help="Models in each.")] = 28,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of the first zoo; the others follow.")] = 1000,
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Batches, at most.")] = 1500,
    mode: Annotated[str, typer.Option(metavar="MODE", help="weights, representation or both.")] = "both",
    leave_out: Annotated[
        str, typer.Option(metavar="ARCH", help="Train without this architecture, and examine on it.")
    ] = "",
    jobs: Annotated[int, typer.Option(min=0, metavar="N", help="Worker processes; 0: one for each core.")] = 0,
    cache: Cache = None,
) -> None:
    """Train a lineage detector on zoos that are grown for it.

    A run that was stopped goes on where it was. The zoos are divided 7 : 1 : 2 for training, for stopping and for the
    figures that are printed at the end and written into the file.
    """
    from lineage_graph.sources.grow.families import ARCHITECTURES

    if mode not in ("weights", "representation", "both"):
        raise typer.BadParameter(f"{mode!r} is not weights, representation or both", param_hint="--mode")
    if leave_out and leave_out not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise typer.BadParameter(
            f"no zoo has the architecture {leave_out!r}; there are: {known}", param_hint="--leave-out"
        )

    from lineage_graph.build import default_cache
    from lineage_graph.cached import Workshop
    from lineage_graph.detector.neural.learning import LearningSettings, learn
    from lineage_graph.detector.neural.training import TrainingSettings
    from lineage_graph.executors import make_executor
    from lineage_graph.store import Store, write_atomic

    settings = LearningSettings(zoos, models, seed, leave_out, TrainingSettings(mode=mode, steps=steps))
    with make_executor(jobs) as executor, ProgressDisplay() as progress:
        shop = Workshop(executor, Store(cache or default_cache()), progress)
        learned = learn(settings, shop, lambda line: typer.echo(line, err=True), _command(settings))
    write_atomic(out, learned.data)
    show(console(), _table(learned.figures))
    typer.echo(f"wrote {out} ({len(learned.data) // 1000} kB)", err=True)


def _command(settings: LearningSettings) -> str:
    """What the card says makes the detector: the options that are not at their defaults."""
    plain = type(settings)()
    options = [
        ("--zoos", settings.zoos, plain.zoos),
        ("--models", settings.models, plain.models),
        ("--seed", settings.first_seed, plain.first_seed),
        ("--steps", settings.training.steps, plain.training.steps),
        ("--mode", settings.training.mode, plain.training.mode),
        ("--leave-out", settings.leave_out, plain.leave_out),
    ]
    return " ".join(["lgraph train-detector", *(f"{name} {value}" for name, value, usual in options if value != usual)])


def _table(figures: Mapping[str, Figures]) -> Table:
    header = ("", " closed sets", " open sets", " found at 1 % false", " orphans", " abstained", " questions")
    rows = [
        (
            mode,
            *(number(value) for value in (found.closed, found.opened, found.found, found.orphans, found.abstained)),
            str(found.questions),
        )
        for mode, found in figures.items()
    ]
    return table(header, rows)
