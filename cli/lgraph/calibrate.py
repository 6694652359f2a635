"""``lgraph calibrate``: what direction cues and drawn edges are worth, fitted on zoos that are grown for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgraph.options import Cache
from lgraph.progress import ProgressDisplay
from lgraph.text import console, number, show, table

if TYPE_CHECKING:
    from lineage_graph.calibration import Calibration
    from lineage_graph.fitting.run import FittingSettings

DEFAULT_OUT = Path("calibration.json")
"""In the current folder."""


def calibrate(
    *,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", dir_okay=False, help="The calibration's file.")
    ] = DEFAULT_OUT,
    recipes: Annotated[
        str, typer.Option(metavar="A,B", help="Recipes of the zoos; default: one for each regime.")
    ] = "",
    zoos: Annotated[int, typer.Option(min=1, metavar="N", help="Zoos to grow of each recipe.")] = 4,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of the first zoo; the others follow.")] = 100,
    jobs: Annotated[int, typer.Option(min=0, metavar="N", help="Worker processes; 0: one for each core.")] = 0,
    cache: Cache = None,
) -> None:
    """Fit what direction cues and edges are worth, on zoos that are grown for it.

    Grown zoos and measurements are kept: a run that was stopped goes on where it was.
    """
    from lineage_graph.build import default_cache
    from lineage_graph.cached import Workshop
    from lineage_graph.calibration import to_bytes
    from lineage_graph.executors import make_executor
    from lineage_graph.fitting.run import RECIPES, FittingSettings, fit
    from lineage_graph.store import Store, write_atomic

    chosen = tuple(recipes.split(",")) if recipes else tuple(RECIPES)
    for name in chosen:
        if name not in RECIPES:
            raise typer.BadParameter(f"there is no {name!r}; there are: {', '.join(RECIPES)}", param_hint="--recipes")
    settings = FittingSettings(chosen, zoos, seed)
    folder = cache or default_cache()
    with make_executor(jobs) as executor, ProgressDisplay() as progress:
        fitted = fit(settings, folder, Workshop(executor, Store(folder), progress), _command(settings))
    write_atomic(out, to_bytes(fitted))
    _show(fitted)
    typer.echo(f"wrote {out}", err=True)


def _command(settings: FittingSettings) -> str:
    """What the file says makes it: the options that are not at their defaults."""
    plain = type(settings)()
    options = [
        ("--recipes", ",".join(settings.recipes), ",".join(plain.recipes)),
        ("--zoos", settings.zoos, plain.zoos),
        ("--seed", settings.first_seed, plain.first_seed),
    ]
    return " ".join(["lgraph calibrate", *(f"{name} {value}" for name, value, usual in options if value != usual)])


def _show(fitted: Calibration) -> None:
    target = console()
    cues = [
        (name, number(cue.log_odds), number(cue.sign_prior), str(cue.right), str(cue.wrong))
        for name, cue in fitted.cues.items()
    ]
    show(target, table(("direction cue", " log-odds", " sign as supposed", " right", " wrong"), cues))
    edges = [
        (name, number(one.intercept), ", ".join(f"{feature} {number(w)}" for feature, w in one.weights.items()))
        for name, one in fitted.edges.items()
    ]
    show(target, "", table(("edges", " intercept", "weights"), edges))
    show(target, "", f"a direction's log-odds count {number(fitted.direction)} times")
