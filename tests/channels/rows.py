"""What a row of the table of channels says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.channels.security_world import AUDITOR, STAFF, SUPERUSER, Ask, Place

Asks = Callable[[Place], list[Ask]]
READERS = frozenset({SUPERUSER, STAFF, AUDITOR})


@dataclass(frozen=True)
class Row:
    """Addresses that answer alike. Who is in neither set sees nothing of the store."""

    title: str
    routes: tuple[str, ...]
    """By the names that they are reversed by; by their patterns where they have none."""
    asks: Asks
    text: frozenset[str] = frozenset()
    """Who sees log text, and what it is about."""
    facts: frozenset[str] = frozenset()
    """Who sees names, addresses, states and sizes, but no text."""
    recorded: str = ""
    """The channel under which each of these reads is recorded."""


def at(*paths: str) -> Asks:
    """Addresses that name nothing of the store."""
    return lambda where: [Ask(path, shows=False) for path in paths]
