"""``run.json``: how the graph was made, and one record for each model that failed."""

from __future__ import annotations

import json
from dataclasses import asdict

from lineage_graph.render.schema import jsonable
from lineage_graph.types import LineageGraph, RunRecord


def render(lineage: LineageGraph, run: RunRecord) -> str:
    """The record as JSON. ``timings`` are seconds by stage, rounded to the millisecond."""
    return of_build(lineage.name, run)


def of_build(name: str, run: RunRecord) -> str:
    """The same for a graph of this ``name``, which takes no other part in it."""
    document = {
        "name": name,
        "version": run.version,
        "settings": dict(run.settings),
        "timings": {stage: round(seconds, 3) for stage, seconds in run.timings.items()},
        "counts": dict(run.counts),
        "failures": [asdict(failure) for failure in run.failures],
    }
    return json.dumps(jsonable(document), indent=2, default=str) + "\n"
