"""Sub-network lineage (Neural Lineage, Fig. 6): the origin of every block of hybrids: ``lgraph bench hybrid``.

Nine vision transformers of one shape, each trained on its own, and fine-tuned hybrids of their blocks, some at other
depths; and the recipe ``hybrids``: fewer donors, three architectures, donors' fine-tunes beside them, backbones inside
other networks. All models of a zoo are candidates for every block. The paper names the right origin for all blocks of
one hybrid of nine ViT-B, with probabilities from 37 % to 93 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lineage_graph.bench.markdown import table
from lineage_graph.bench.zoo import grown
from lineage_graph.build import default_cache
from lineage_graph.cached import Workshop
from lineage_graph.executors import make_executor
from lineage_graph.kinship import BlockOrigin, Splice
from lineage_graph.origins import origins
from lineage_graph.sources.grow.recipes import block_origins
from lineage_graph.splices import splices
from lineage_graph.store import Store
from lineage_graph.survey import near, survey
from lineage_graph.types import Progress

ZOOS: Sequence[tuple[str, int]] = (("vits", 15), ("hybrids", 16))
"""Recipe and number of models."""

SEEDS = (500, 501, 502)
"""Nothing was fitted on them."""

Truth = Mapping[str, Mapping[str, tuple[str, str]]]
"""By model and block, or what several blocks' names begin with: the donor, and what takes its place in the names there.
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """One hybrid. ``blocks``: whose origin is known; ``right``: of these, with the true likeliest origin; ``lowest``:
    the smallest probability of a likeliest origin. ``splice``: whether it was found to be put together from several
    models, its donors and no others.
    """

    model: str
    donors: int
    blocks: int
    right: int
    lowest: float
    splice: bool


def run(workdir: Path, progress: Progress) -> str:
    """Name the origins of all hybrids' blocks in ``ZOOS`` × ``SEEDS``, and hold them against the truth."""
    rows = []
    with ExitStack() as stack:
        shop = Workshop(stack.enter_context(make_executor()), Store(default_cache()), progress)
        for recipe, models in ZOOS:
            for seed in SEEDS:
                zoo = grown(models, seed, workdir, progress, recipe=recipe, shop=shop).zoo
                surveyed = survey(zoo.models, near(zoo.models), (), shop)
                truth, found = block_origins(recipe, models, seed), splices(surveyed)
                rows.append([recipe, seed, *_row(judge(truth, origins(surveyed), found), found)])
    header = [
        *("recipe", "seed", "hybrids", "blocks", "origins right", "lowest probability"),
        *("of several donors", "found with all donors", "other splices found"),
    ]
    return table(header, rows)


def judge(truth: Truth, found: Mapping[str, Sequence[BlockOrigin]], spliced: Sequence[Splice]) -> list[Judged]:
    """Each model of ``truth``, by name."""
    sources = {splice.child: {parent for parent, _ in splice.blocks} for splice in spliced}
    judged = []
    for model, blocks in sorted(truth.items()):
        asked = [(one, want) for one in found[model] if (want := _wanted(one.block, blocks)) is not None]
        donors = {donor for donor, _ in blocks.values()}
        judged.append(
            Judged(
                model=model,
                donors=len(donors),
                blocks=len(asked),
                right=sum((one.model, one.there) == want for one, want in asked),
                lowest=min(one.probability for one, _ in asked),
                splice=sources.get(model) == donors,
            )
        )
    return judged


def _wanted(block: str, blocks: Mapping[str, tuple[str, str]]) -> tuple[str, str] | None:
    """The true origin of a block; ``None`` where the truth has none."""
    for start, (donor, there) in blocks.items():
        if block == start or block.startswith(f"{start}."):
            return donor, f"{there}{block.removeprefix(start)}".removeprefix(".")
    return None


def _row(judged: Sequence[Judged], found: Sequence[Splice]) -> list[object]:
    several = [one for one in judged if one.donors > 1]
    return [
        len(judged),
        sum(one.blocks for one in judged),
        sum(one.right for one in judged),
        min(one.lowest for one in judged),
        len(several),
        sum(one.splice for one in several),
        len({splice.child for splice in found} - {one.model for one in several}),
    ]
