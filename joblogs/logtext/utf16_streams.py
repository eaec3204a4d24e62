"""Conversion of UTF-16 texts that arrive in parts to UTF-8. Pure."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterable, Iterator

from .encodings import UTF16_HEAD_BYTES, holds_other_text, utf16_name
from .utf16_parts import parts_as_utf8


def without_utf16(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Return the parts of a text as UTF-8 if it begins in UTF-16, otherwise unchanged."""
    return recoded_parts(parts)[1]


def recoded_parts(parts: Iterable[bytes]) -> tuple[bool, Iterator[bytes]]:
    """Return whether a text begins in UTF-16, and its parts: as UTF-8 if so, else unchanged.

    Parts are read at once until there are UTF16_HEAD_BYTES.
    """
    source, first = iter(parts), b""
    while len(first) < UTF16_HEAD_BYTES and (part := next(source, None)) is not None:
        first += part
    name = utf16_name(first)
    whole = itertools.chain([first], source)
    return name is not None, whole if name is None else _as_utf8(whole, name)


def _as_utf8(parts: Iterable[bytes], name: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(name)(errors="replace")
    for part in parts:
        if holds_other_text(part, name):
            # The held-back half of a character belongs to this part.
            yield parts_as_utf8(decoder.getstate()[0] + part)
            decoder.reset()
        else:
            yield decoder.decode(part).encode(errors="replace")
    yield decoder.decode(b"", final=True).encode(errors="replace")
