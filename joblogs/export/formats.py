"""Formats of an export, with the properties that command, pages and API need."""

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
    """NamedTuple of the properties of a format."""

    content_type: str
    write: Writer
    write_bare: Writer | None = None
    """Writer without line prefixes, for a format that has them."""
    holds_records: bool = False
    """It can be imported: it has every attempt unless one is named, and jobs without hosts."""
    is_binary: bool = False
    """It must not be written to a terminal."""


class Format(StrEnum):
    """Choices of the format of an export. The first is the default of the pages."""

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
        """Return the format with this name, or None."""
        return next((one for one in cls if one == name), None)

    @property
    def content_type(self) -> str:
        return self.traits.content_type

    @property
    def default_attempt(self) -> str:
        """The attempts that it contains by default: "all" or "latest"."""
        return "all" if self.traits.holds_records else "latest"
