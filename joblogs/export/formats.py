"""Formats of an export: one entry each, from which command, pages and API know the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from .archive import archived
from .ndjson import lines
from .table import rows
from .text import stream
from .walk import Walk

Writer = Callable[[Walk], Iterator[bytes]]


class Traits(NamedTuple):
    """What sets a format apart."""

    content_type: str
    write: Writer
    write_bare: Writer | None = None
    """Without what leads its lines, where something does."""
    holds_records: bool = False
    """An import reads it: it has every attempt unless one is named, and jobs without a host."""
    is_binary: bool = False
    """Not for a terminal."""


class Format(StrEnum):
    """What an export looks like. The first one is what a page gives if none is named."""

    traits: Traits

    def __new__(cls, value: str, traits: Traits) -> Format:
        member = str.__new__(cls, value)
        member._value_, member.traits = value, traits
        return member

    ZIP = "zip", Traits("application/zip", archived, is_binary=True)
    TXT = (
        "txt",
        Traits(
            "text/plain; charset=utf-8",
            partial(stream, prefix=True),
            write_bare=partial(stream, prefix=False),
        ),
    )
    CSV = "csv", Traits("text/csv; charset=utf-8", rows)
    NDJSON = "ndjson", Traits("application/x-ndjson", lines, holds_records=True)

    @classmethod
    def named(cls, name: str) -> Format | None:
        """The format of this name."""
        return next((one for one in cls if one == name), None)

    @property
    def content_type(self) -> str:
        return self.traits.content_type

    @property
    def default_attempt(self) -> str:
        """Which attempts it has if none is named."""
        return "all" if self.traits.holds_records else "latest"
