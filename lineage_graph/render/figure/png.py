"""A figure as pixels, through resvg, which draws with the fonts of the system."""

from __future__ import annotations

from lineage_graph.errors import LineageGraphError, MissingExtraError

DPI = 300
"""Dots per inch: what journals ask of a picture with lines and text in colour."""


def rasterized(svg: str) -> bytes:
    """The figure as PNG. Raises MissingExtraError where resvg is not installed."""
    try:
        import resvg_py
    except ImportError as error:
        raise MissingExtraError("a PNG figure needs resvg_py; run: pip install 'lgraph[figure]'") from error
    try:
        return bytes(resvg_py.svg_to_bytes(svg_string=svg, dpi=DPI))
    except ValueError as error:
        raise LineageGraphError(f"the figure cannot be drawn as PNG: {error}") from error
