"""A small real Hub over loopback: repositories in folders or in memory, with faults on demand."""

from hub.faults import Fault, Kind, OneIn
from hub.record import Request
from hub.repositories import Repository, card_text
from hub.server import Hub

__all__ = ["Fault", "Hub", "Kind", "OneIn", "Repository", "Request", "card_text"]
