"""Imported by the fork server before anything else: every worker forked from it has these settings and modules."""

from __future__ import annotations

from lineage_graph.executors.worker import pin_threads

pin_threads()
