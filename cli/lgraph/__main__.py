"""The command ``lgraph``, also as ``python -m lgraph``."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from lgraph.assemble import assemble
from lgraph.audit import audit
from lgraph.bench import bench
from lgraph.build import build
from lgraph.calibrate import calibrate
from lgraph.crawl import crawl
from lgraph.errors import reported
from lgraph.evaluate import evaluate
from lgraph.explain import explain
from lgraph.export import export
from lgraph.show import show
from lgraph.trace import trace
from lgraph.train_detector import train_detector
from lineage_graph import __version__

# Help as plain text: rich would double the time that `lgraph --help` takes.
app = typer.Typer(
    name="lgraph",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lgraph {__version__}")
        raise typer.Exit


@app.callback()
def lgraph(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Reads where models come from out of their weights: a directed lineage graph of a zoo of checkpoints."""


for command in (
    build,
    crawl,
    assemble,
    trace,
    show,
    explain,
    export,
    evaluate,
    audit,
    bench,
    train_detector,
    calibrate,
):
    app.command()(reported(command))


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal's encoding lacks is shown as an escape, rather than ending the program.
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="lgraph")


if __name__ == "__main__":
    main()
