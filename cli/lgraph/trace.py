"""``lgraph trace``: one checkpoint against a zoo that was built."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgraph.graph import read_families
from lgraph.options import AsJson, Cache
from lgraph.progress import ProgressDisplay
from lgraph.text import console, show, table, visible

if TYPE_CHECKING:
    from lineage_graph.traced import Trace

MOST = 10
"""Parents, children and copies that the terminal names; JSON has them all."""


def trace(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A weights file, a folder that holds one model, or owner/name on the Hub."
        ),
    ],
    *,
    folder: Annotated[Path, typer.Option("--in", metavar="DIR", help="The folder that a build wrote.")],
    add: Annotated[bool, typer.Option("--add", help="Put the model into the zoo: DIR is written anew.")] = False,
    name: Annotated[str | None, typer.Option("--id", metavar="ID", help="What to call it; default: its path.")] = None,
    as_json: AsJson = False,
    jobs: Annotated[int, typer.Option(min=0, metavar="N", help="Worker processes; 0: one for each core.")] = 0,
    cache: Cache = None,
) -> None:
    """Say where MODEL comes from: its likely parents in a built zoo, the way up to the root, and the nearest misses."""
    path = Path(model)
    if not path.exists() and not _on_the_hub(model):
        raise typer.BadParameter(f"{model}: there is no such file or folder", param_hint="MODEL")
    families = read_families(folder, "--in")
    called = visible(name or path.as_posix())
    if called in families.ids:
        if add:
            raise typer.BadParameter(f"{called!r} is in the zoo already; --id gives it another name", param_hint="--id")
        called = _free(called, families.ids)

    from lineage_graph.trace import TraceSettings, place

    with ProgressDisplay() as progress:
        found = place(path, called, folder, families, TraceSettings(add=add, jobs=jobs, cache=cache), progress)
    if as_json:
        typer.echo(json.dumps(_as_json(found, added=add), indent=1))
    else:
        _print(found)
        if add:
            show(
                console(), "", visible(f"{called} was added to {folder}; write it into the manifest, too, to keep it.")
            )


def _on_the_hub(model: str) -> bool:
    """Can it be a repository? A folder of that owner's name here means that a file in it was meant."""
    return re.fullmatch(r"[\w.-]+/[\w.-]+", model) is not None and not Path(model).parent.is_dir()


def _free(name: str, taken: Any) -> str:
    """A name that no model of the zoo has."""
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"


def _as_json(found: Trace, *, added: bool) -> dict[str, Any]:
    from lineage_graph.render.schema import jsonable

    graph = found.lineage.graph
    values: dict[str, Any] = jsonable(
        {
            "model": found.model,
            "sha256": found.digest,
            "verdict": found.verdict,
            "copies": found.copies,
            "parents": [{"id": one, **graph.edges[one, found.model]} for one in found.parents],
            "children": [{"id": one, **graph.edges[found.model, one]} for one in found.children],
            "siblings": found.siblings,
            "chain": found.chain,
            "misses": [asdict(miss) for miss in found.misses],
            "unrelated": found.unrelated,
            "compared": len(found.compared),
            "gone": [asdict(one) for one in found.gone],
            "zoo": {"models": found.zoo, "unlike": found.unlike, "failed": found.failed, "sampled": found.sampled},
            "added": added,
        }
    )
    return values


def _print(found: Trace) -> None:
    target = console()
    show(target, *(visible(line) for line in _verdict(found)))
    if found.parents:
        rows = [_edge(found, one, found.model, one) for one in found.parents[:MOST]]
        show(target, "", table(("parent", "kind", " as drawn", "direction", " distance", "gave"), rows))
    if len(found.chain) > 2:
        show(target, "", visible("up to the root: " + " ← ".join(found.chain)))
    if found.children and not found.copies:
        rows = [_edge(found, found.model, one, one) for one in found.children[:MOST]]
        show(target, "", table(("child", "kind", " as drawn", "direction", " distance", "gave"), rows))
    if found.siblings:
        show(target, "", visible("from the same unseen ancestor: " + _few(found.siblings)))
    if found.misses:
        rows = [
            (miss.b if miss.a == found.model else miss.a, f"{miss.confidence:.3f}", f"{miss.distance:.3g}", miss.reason)
            for miss in found.misses[:MOST]
        ]
        show(target, "", table(("nearest miss", " related", " distance", "why not"), rows))
    if found.gone:
        rows = [(one.id, f"{one.similarity:.2f}", one.reason) for one in found.gone[:MOST]]
        show(target, "", table(("not compared", " cosine by sketch", "why"), rows))
    show(target, "", visible(_reach(found)))


def _verdict(found: Trace) -> list[str]:
    """The answer in a sentence or two."""
    name, graph = found.model, found.lineage.graph
    first = {
        "copy": f"{name} has the same weights as {_few(found.copies)}",
        "child": f"{name} descends from {_few(found.parents)}",
        "merge": f"{name} was put together from {_few(found.parents)}",
        "sibling": f"{name} descends from something that is not in the zoo, together with {_few(found.siblings)}",
        "parent": f"{name} is rather the parent of {_few(found.children)}",
        "undecided": f"nothing was decided about {name}: none of its candidates could be compared",
        "unrelated": f"{name} has no relative here",
    }[found.verdict]
    lines = [first]
    if found.verdict == "unrelated":
        lines.append(f"probability that none of the {len(found.compared)} nearest is one: {found.unrelated:.3f}")
    if found.copies and len(found.chain) > 1 and not found.parents:
        above = [one for one in found.chain[1:] if one not in found.copies]
        lines += [f"which descends from {above[0]}"] if above else []
    if found.verdict == "child":
        edge = graph.edges[found.parents[0], name]
        lines.append(f"{edge['kind']}, right as drawn {edge['confidence']:.3f}")
    return lines


def _edge(found: Trace, parent: str, child: str, shown: str) -> tuple[str, ...]:
    from lineage_graph.render import reading

    edge = found.lineage.graph.edges[parent, child]
    runs = reading.blocks(found.lineage.graph, parent, child)
    gave = reading.share(edge) or ", ".join(first if first == last else f"{first} to {last}" for first, last in runs)
    return shown, edge["kind"], f"{edge['confidence']:.3f}", reading.direction(edge), f"{edge['distance']:.3g}", gave


def _reach(found: Trace) -> str:
    """How much of the zoo the answer rests on."""
    parts = [f"compared with {len(found.compared)} of {found.zoo} models"]
    if found.unlike:
        parts.append(f"{found.unlike} share no shape of weights with it")
    if found.gone:
        parts.append(f"{len(found.gone)} could not be read any more")
    if found.sampled:
        parts.append(f"of {found.sampled} no more than slices were fetched (a build with --full has them)")
    if found.failed:
        parts.append(f"{found.failed} the build could not read")
    return "; ".join(parts)


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")
