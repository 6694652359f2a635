"""``lgraph build``: a zoo in, a lineage graph out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from lgraph.consent import consent
from lgraph.options import AsJson, Cache, Full, ManifestFile, Yes
from lgraph.progress import ProgressDisplay

OUTPUTS = Path("outputs")
"""Where builds go, below the current folder."""


def build(
    manifest: ManifestFile,
    *,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="DIR", file_okay=False, help="Where to write; default: outputs/<name>."),
    ] = None,
    no_metadata: Annotated[
        bool, typer.Option("--no-metadata", help="Weights only: no names, paths, dates or declared parents.")
    ] = False,
    no_features: Annotated[
        bool, typer.Option("--no-features", help="Compare weights only; build no networks to compare features.")
    ] = False,
    no_detector: Annotated[
        bool, typer.Option("--no-detector", help="Do not ask the learned lineage detector.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop if a model cannot be read.")] = False,
    full: Full = False,
    yes: Yes = False,
    as_json: AsJson = False,
    jobs: Annotated[int, typer.Option(min=0, metavar="N", help="Worker processes; 0: one for each core.")] = 0,
    device: Annotated[
        Literal["cpu", "cuda"], typer.Option(help="Where passes through networks run: the cores, or a GPU.")
    ] = "cpu",
    executor: Annotated[
        Literal["local", "ray"], typer.Option(help="Where the workers run: processes on this machine, or Ray.")
    ] = "local",
    address: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="A running Ray cluster; without it, one is started here.")
    ] = "",
    cache: Cache = None,
) -> None:
    """Read the models of a zoo and draw where each comes from.

    Writes lineage.html, lineage.graphml, lineage.json, report.md and run.json.
    """
    from lineage_graph.manifest import load

    if address and executor != "ray":
        raise typer.BadParameter("goes with --executor ray", param_hint="--address")
    zoo = load(manifest)

    from lgraph import summary
    from lineage_graph.build import BuildSettings
    from lineage_graph.build import build as run

    settings = BuildSettings(
        metadata=not no_metadata,
        features=not no_features,
        detector=not no_detector,
        strict=strict,
        full=full,
        jobs=jobs,
        device=device,
        executor=executor,
        address=address,
        cache=cache,
    )
    with ProgressDisplay() as progress:
        result = run(zoo, out or OUTPUTS / zoo.name, settings, progress, consent(yes, progress))
    if as_json:
        typer.echo(json.dumps(summary.as_json(result), indent=1))
    else:
        summary.print_summary(result)
    _answer_for(len(result.lineage.failures), result.lineage.graph.number_of_nodes())


def _answer_for(failed: int, models: int) -> None:
    """Failures stand in the report; only a build without any usable model has failed itself."""
    if failed == models:
        typer.echo(f"Error: none of the {models} models could be used", err=True)
        raise typer.Exit(1)
    if failed:
        typer.echo(f"Warning: {failed} of {models} models could not be used", err=True)
