"""``lgraph show``: families as trees, one model between its relatives."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from command_line import Call
from lineage_graph.build import BuildResult
from lineage_graph.render.node_link import to_json
from lineage_graph.types import LineageGraph
from render.lineages import demo, grown, hostile, joined


class Screen(io.StringIO):
    """Standard output that is a terminal of some encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


@pytest.fixture
def built(tmp_path: Path):
    """A folder as a build leaves it."""

    def write(lineage: LineageGraph) -> Path:
        (tmp_path / "lineage.json").write_text(to_json(lineage), encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def on_terminal(built, monkeypatch):
    """What a terminal gets."""

    def run(lineage: LineageGraph, *, width: int = 80, encoding: str = "utf-8", **chosen) -> str:
        from lgraph.show import show

        screen = Screen(encoding)
        monkeypatch.setattr("sys.stdout", screen)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        for key, value in chosen.pop("env", {}).items():
            monkeypatch.setenv(key, value)
        show(built(lineage), **{"model": None, "family": None, "whole": False, **chosen})
        return screen.getvalue()

    return run


def plain(text: str) -> list[str]:
    return re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()


def test_families_are_trees_of_ascii_in_a_pipe(call: Call, built) -> None:
    shown = call("show", built(demo()))
    assert shown.exit_code == 0
    assert "\x1b" not in shown.stdout
    assert shown.stdout.isascii()
    assert "family 1: 9 models, 4 generations, test_resnet\nmodel-a-0  root\n|-- model-a-1  finetune, 99.8 %\n" in (
        shown.stdout
    )
    assert "`-- soup  merge, 97.0 %, also from model-a-4\n" in shown.stdout
    assert "model-f-0  not in the zoo\n" in shown.stdout
    assert "without relatives: loner\n" in shown.stdout
    assert "could not be used: broken/evil.pt, broken/half.safetensors\n" in shown.stdout


def test_it_begins_as_the_summary_of_a_build_does(call: Call, built, result: BuildResult) -> None:
    first = call("show", built(result.lineage)).stdout.splitlines()[0]
    assert first == "zoo: 7 models, 2 families, 3 edges (2 finetune, 1 duplicate), 1 without relatives, 1 failed"


def test_a_terminal_gets_lines_and_styles(on_terminal) -> None:
    shown = on_terminal(joined())
    assert "├── \x1b[1ma\x1b[0m\x1b[33m  finetune, 70.0 %, direction open (55.0 %)\x1b[0m" in shown
    assert "\x1b[2;3munseen-1\x1b[0m" in shown


def test_no_color_takes_the_colours_away(on_terminal) -> None:
    assert "\x1b[33m" not in on_terminal(joined(), env={"NO_COLOR": "1"})


def test_an_encoding_without_lines_gets_ascii(on_terminal) -> None:
    shown = on_terminal(joined(), encoding="latin-1")
    assert "|-- " in shown
    assert "├" not in shown


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_lines_of_a_tree_fit_the_terminal(on_terminal, width: int) -> None:
    shown = plain(on_terminal(hostile(), width=width))
    tree = [line for line in shown if line.startswith(("├", "└"))]
    assert len(tree) == 7
    assert max(map(cell_len, tree)) <= width
    assert width < 60 or all("99.8 %" in line for line in tree)


def test_hostile_names_paint_nothing(call: Call, built) -> None:
    shown = call("show", built(hostile())).stdout
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert "line\\nbreak\\r\\n\\ttab\\x00nul\\x1b[31m" in shown


def test_large_families_are_cut_and_shown_whole_when_asked(call: Call, built) -> None:
    folder = built(grown(300, 20, seed=4))
    short = call("show", folder).stdout
    assert "... and " in short
    assert "and 8 more families: --family N or --all" in short
    assert "and 1 more\n" not in short
    cut = sum(int(number) for number in re.findall(r"\.\.\. and (\d+) more$", short, re.MULTILINE))
    families = [int(size) for size in re.findall(r"^family \d+: (\d+) model", short, re.MULTILINE)]
    drawn = sum(bool(re.search("[0-9a-f]{8}  ", line)) for line in short.splitlines())
    assert drawn + cut == sum(families)
    whole = call("show", folder, "--all").stdout
    assert "more" not in whole
    assert len(re.findall("^[`| -]*[0-9a-f]{8}  ", whole, re.MULTILINE)) == 300
    one = call("show", folder, "--family", 1).stdout
    assert one.count("finetune") == len(re.findall("finetune", one))
    assert len(re.findall("^[`| -]*[0-9a-f]{8}  ", one, re.MULTILINE)) == families[0]


def test_a_model_stands_between_its_relatives(call: Call, built) -> None:
    shown = call("show", built(joined()), "--model", "c").stdout
    assert "child, family 1, generation 3, 1 parent, 2 children\n" in shown
    assert "cues" in shown
    assert "contradict: counter.epoch for it (+3.0), norm_growth against it (-1.2)" in shown
    tree = shown.split("\n\n")[-1].splitlines()
    assert [re.split(r"[|` -]+", line.strip("|`- "))[0] for line in tree] == ["unseen", "a", "c", "copy", "soup"]
    assert "copy  duplicate, 100 %, direction open (50.0 %), distance 0" in tree[3]
    assert "soup  merge, 97.0 %, also from a, b" in tree[4]
    assert [line.index(line.strip("|`- ")) for line in tree] == [0, 4, 8, 12, 12]


def test_every_parent_of_a_merge_has_its_share(call: Call, built) -> None:
    shown = call("show", built(joined()), "--model", "soup").stdout
    assert "a       merge, 97.0 %, direction 97.0 %, share 0.250 ± 0.010, distance 0.21" in shown
    assert "share -0.500 ± 0.020" in shown


def test_a_model_that_failed_says_why(call: Call, built) -> None:
    shown = call("show", built(demo()), "--model", "evil.pt")
    assert shown.stdout == "broken/evil.pt\n  UnsafePickleError: evil.pt: the pickle asks for posix.system\n"


def test_a_chain_of_300_generations_is_drawn(call: Call, built) -> None:
    lineage = grown(300, 1, generations=300, seed=1)
    shown = call("show", built(lineage), "--all")
    assert shown.exit_code == 0
    assert len(re.findall("[0-9a-f]{8}  ", shown.stdout)) == 300


def test_a_name_that_is_no_model(call: Call, built) -> None:
    refused = call("show", built(demo()), "--model", "soap")
    assert refused.exit_code == 1
    assert "did you mean 'soup'?" in refused.stderr
