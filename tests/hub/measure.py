"""How much of a hub a build fetches and what that costs the graph; and builds that are killed at random moments.

``python tests/hub/measure.py [KILLS]`` prints Markdown. Two hubs over loopback: one of small networks that are really
trained, in all the ways that there are recipes for; and one of networks of ordinary size, whose weights and updates are
random, of which most have no relative: there bytes count.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parents[1]))

from hub.repositories import Repository
from hub.server import Hub
from lineage_graph.bench.markdown import table
from lineage_graph.build import default_cache
from lineage_graph.executors import make_executor
from lineage_graph.sources.grow import grow
from lineage_graph.timm_compat import import_timm

MODELS = 60
SEED = 508

ARCHITECTURES = ("resnet10t", "mobilenetv3_small_100", "vit_tiny_patch16_224")
FAMILIES, CHILDREN = 2, 3
"""Of each architecture; the rest of the models are strangers."""

UPDATE = 0.1
"""Length of a child's update, relative to its parent's weights."""

MOST_SECONDS = 900


@dataclass(frozen=True)
class Made:
    """What a build drew, what came from the hub for it, and what became of the models."""

    edges: Mapping[tuple[str, str], tuple[str, float]]
    weights: Counter[str]
    sent: int
    requests: int
    seconds: float


def main(kills: int) -> None:
    with tempfile.TemporaryDirectory() as name, Hub() as hub:
        folder = Path(name)
        zoos = {"trained": trained(hub), "ordinary size": of_size(hub, folder / "made")}
        sys.stdout.write(
            table(HEADER, [row for title, models in zoos.items() for row in compared(title, models, hub, folder)])
        )
        if kills:
            sys.stdout.write(killed(zoos["trained"], hub, folder, kills))


def trained(hub: Hub) -> list[tuple[str, Path]]:
    """(repository, place on this disk) of each model of a grown zoo, which the hub has from now on."""
    with make_executor() as executor:
        zoo = grow("heap", MODELS, SEED, default_cache(), executor)
    return served(hub, {f"heap/{model.id.rpartition('/')[2]}": model.path for model in zoo.models})


def of_size(hub: Hub, folder: Path) -> list[tuple[str, Path]]:
    """The same of networks with random weights, a third of each architecture."""
    folder.mkdir()
    found = {}
    for architecture in ARCHITECTURES:
        states = list(states_of(architecture))
        for number, place in enumerate(random.Random(SEED).sample(range(len(states)), len(states))):
            path = folder / f"{architecture}-{number}.safetensors"
            save_file(states[place], path)
            found[f"made/{path.stem}"] = path
    return served(hub, found)


def states_of(architecture: str) -> Iterator[dict[str, torch.Tensor]]:
    count = MODELS // len(ARCHITECTURES)
    for number in range(count - FAMILIES * CHILDREN):
        torch.manual_seed(SEED + number)
        state = import_timm().create_model(architecture, pretrained=False).state_dict()
        yield state
        for _ in range(CHILDREN if number < FAMILIES else 0):
            yield {
                name: w + UPDATE * w.std() * torch.randn_like(w) if w.ndim >= 2 else w.clone()
                for name, w in state.items()
            }


def served(hub: Hub, models: Mapping[str, Path]) -> list[tuple[str, Path]]:
    hub.add(*(Repository(repo, files=files_of(path)) for repo, path in models.items()))
    return list(models.items())


def files_of(path: Path) -> dict[str, Path]:
    if path.is_dir():
        return {one.name: one for one in path.iterdir()}
    return {f"model{path.suffix}": path}


HEADER = ["hub", "way", "models", "sampled", "MB sent", "share of all bytes", "requests", "edges", "edges that differ"]
HEADER += ["largest change of confidence"]


def compared(title: str, models: list[tuple[str, Path]], hub: Hub, folder: Path) -> Iterator[list[object]]:
    """One row from files on disk, one from a full fetch, one from the usual one."""
    total = sum(file.stat().st_size for _, path in models for file in files_of(path).values())
    place = folder / title.replace(" ", "-")
    here = build(place / "here", hub, [f"{{path: {path}, id: {repo}}}" for repo, path in models])
    for way, options in (("--full", ["--full"]), ("as usual", [])):
        made = build(place / way.strip("-"), hub, [f"hub: {repo}" for repo, _ in models], *options)
        changed = [edge for edge in here.edges.keys() | made.edges.keys() if kind(here, edge) != kind(made, edge)]
        apart = [abs(here.edges[edge][1] - made.edges[edge][1]) for edge in here.edges.keys() & made.edges.keys()]
        yield [
            *(title, way, len(models), made.weights["sampled"], made.sent / 1e6, made.sent / total, made.requests),
            *(len(made.edges), f"{len(changed)} of {len(here.edges)}", max(apart, default=0.0)),
        ]


def kind(made: Made, edge: tuple[str, str]) -> str | None:
    return made.edges[edge][0] if edge in made.edges else None


def command(place: Path, entries: list[str], *options: str) -> list[str]:
    place.mkdir(parents=True, exist_ok=True)
    (place / "zoo.yaml").write_text("name: far\nmodels:\n" + "".join(f"  - {entry}\n" for entry in entries), "utf-8")
    fixed = ["--no-metadata", "--no-features", "--no-detector", "--cache", str(place / "cache")]
    return ["lgraph", "build", str(place / "zoo.yaml"), "-o", str(place / "out"), *fixed, *options]


def environment(place: Path, hub: Hub) -> dict[str, str]:
    quiet = {"HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}
    return {**os.environ, **quiet, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(place / "hf")}


def build(place: Path, hub: Hub, entries: list[str], *options: str) -> Made:
    before, start = (hub.sent(), len(hub.asked())), time.perf_counter()
    line = command(place, entries, *options)
    subprocess.run(line, env=environment(place, hub), check=True, capture_output=True, timeout=MOST_SECONDS)
    seconds = time.perf_counter() - start
    graph = json.loads((place / "out" / "lineage.json").read_text("utf-8"))
    return Made(
        edges={(e["source"], e["target"]): (e["kind"], e["confidence"]) for e in graph["edges"]},
        weights=Counter(node["weights"] for node in graph["nodes"]),
        sent=hub.sent() - before[0],
        requests=len(hub.asked()) - before[1],
        seconds=seconds,
    )


def killed(models: list[tuple[str, Path]], hub: Hub, folder: Path, kills: int) -> str:
    """Each time with nothing fetched: a build that is killed, one that goes on; the graph, and bytes that came twice.

    What was measured of the weights is there already, so that a build is hardly more than its crawl.
    """
    entries = [f"hub: {repo}" for repo, _ in models]
    build(folder / "whole", hub, entries)
    first = build(measured(folder / "whole", folder / "again"), hub, entries)
    graph = (folder / "whole" / "out" / "lineage.json").read_bytes()
    generator = random.Random(SEED)
    same, twice, early = 0, [], 0
    for number in range(kills):
        place = measured(folder / "whole", folder / f"killed-{number}")
        hub.reset()
        with subprocess.Popen(
            command(place, entries), env=environment(place, hub), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as running:
            time.sleep(generator.uniform(0, first.seconds))
            early += running.poll() is None
            running.kill()
        complete = {blob.name for blob in (place / "hf").glob("hub/models--*/blobs/*") if len(blob.name) == 64}
        came = Counter({key: sent for key, sent in whole_files(hub).items() if key[1] in complete})
        build(place, hub, entries)
        same += (place / "out" / "lineage.json").read_bytes() == graph
        twice.append(sum(sent - came[key] for key, sent in whole_files(hub).items() if key[1] in complete))
        shutil.rmtree(place)
    rows = [[kills, early, same, sum(bool(one) for one in twice), max(twice)]]
    header = ["kills", "of these before the build had ended", "same graph, byte for byte"]
    return "\n" + table([*header, "in which a complete file came again", "most bytes of them"], rows)


def measured(before: Path, place: Path) -> Path:
    """A new place with all artefacts of an earlier build but those of its crawl."""
    shutil.copytree(before / "cache", place / "cache", ignore=shutil.ignore_patterns("sample", "verified", "digest"))
    return place


def whole_files(hub: Hub) -> Counter[tuple[str, str]]:
    """Bytes of weights that were asked for whole, by repository and content."""
    found: Counter[tuple[str, str]] = Counter()
    for one in hub.asked("GET"):
        repo = hub.repositories.get(one.repo)
        file = repo.commits[repo.head].get(one.file) if repo else None
        if file is not None and file.lfs and not one.range:
            found[one.repo, file.sha256] += one.sent
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
