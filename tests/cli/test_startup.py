"""Help answers at once: nothing heavy is imported for it."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

# Typer itself takes pydantic to read the arguments of a command, but not for the help of the whole.
PYDANTIC = ["pydantic"]
HEAVY = "torch torchvision timm faiss pyvis IPython networkx numpy scipy yaml rich jinja2 safetensors".split()

ASK = """
import sys
from lgraph.__main__ import main
sys.argv = ["lgraph", *{arguments!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("\\nLOADED", *sys.modules)
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["build", "--help"], ["evaluate", "--help"], ["bench", "--help"]],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", ASK.format(arguments=arguments)], capture_output=True, text=True, check=True
    )
    shown, _, loaded = asked.stdout.partition("\nLOADED ")
    assert "lgraph" in shown
    assert "lgraph.__main__" in loaded.split()
    heavy = HEAVY + PYDANTIC if len(arguments) == 1 else HEAVY
    assert [name for name in heavy if name in loaded.split()] == []


def seconds(program: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def test_help_takes_little_longer_than_typer_itself() -> None:
    # The best of several, in turn: other work on the machine only ever adds.
    ours = typer = 60.0
    for _ in range(40):
        typer = min(typer, seconds("import typer"))
        ours = min(ours, seconds("from lgraph.__main__ import app; app(['--help'])"))
        if ours <= 1.5 * typer:
            return
    pytest.fail(f"lgraph --help takes {ours / typer:.2f} times as long as importing typer")


def test_it_runs_as_a_module() -> None:
    asked = subprocess.run([sys.executable, "-m", "lgraph", "--version"], capture_output=True, text=True, check=True)
    assert asked.stdout.startswith("lgraph ")
