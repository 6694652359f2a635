"""Imported by the fork server of the benches: every process forked from it has torch and timm loaded, one thread each.

A measuring process then starts in a tenth of a second, and what importing costs is in none of its figures.
"""

from __future__ import annotations

from lineage_graph.executors.worker import pin_threads

pin_threads()

from lineage_graph.timm_compat import import_timm  # noqa: E402 - the libraries read the settings when they load

import_timm()
