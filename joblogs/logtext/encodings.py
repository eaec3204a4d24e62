"""Which encodings a text of bytes may be in. Pure.

A script prints in whatever its machine is set to, and no record says in which. The encodings here
write ASCII as itself, but for UTF-16, and none of them but UTF-16 a line's end as part of a letter.
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterable, Iterator

UTF8 = "utf-8"
LEGACY = ("gb18030", "cp932", "cp949")
"""GB18030, Shift-JIS and EUC-KR, the latter two as Windows extends them."""
_UTF16 = ("utf-16-le", "utf-16-be")
_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_LOOKED_AT = 4096
_NULS_MIN = 2


def encodings(data: bytes, *, start: bool = True) -> tuple[str, ...]:
    """The encodings that bytes may be in, the likelier ones first; never none.

    `start`: the text begins with them. Only there UTF-16 is told: by its mark, or by the zeros that
    it writes for line ends and spaces.
    """
    if start and (found := _utf16(data[:_LOOKED_AT])):
        return (found,)
    if data.isascii() or _is(data, UTF8):
        return (UTF8,)
    # A text may be in several of them by its bytes alone, or broken in a place in each of them.
    return (UTF8, *sorted(LEGACY, key=lambda name: not _is(data, name)))


def _utf16(start: bytes) -> str | None:
    if found := _BOMS.get(start[:2]):
        return found
    low, high = start[1::2].count(0), start[::2].count(0)
    if max(low, high) < _NULS_MIN or min(low, high) * 10 > max(low, high):
        return None
    name = _UTF16[high > low]
    # Binary data has zeros too, and much else that is no text.
    decoded = start[: len(start) // 2 * 2].decode(name, errors="replace")
    unprintable = sum(
        not (char.isprintable() or char.isspace() or char == "\x1b") for char in decoded
    )
    return name if unprintable * 10 <= len(decoded) else None


def _is(data: bytes, name: str) -> bool:
    try:
        # The last letter may be cut.
        codecs.getincrementaldecoder(name)().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def recoded(data: bytes, name: str) -> bytes:
    """Bytes of another encoding as UTF-8; line ends stay where they are."""
    return data.decode(name, errors="replace").encode(errors="replace")


def without_utf16(parts: Iterable[bytes]) -> Iterator[bytes]:
    """A text that comes in parts: as UTF-8 if it is UTF-16, else as it is."""
    source, first = iter(parts), b""
    while len(first) < _LOOKED_AT and (part := next(source, None)) is not None:
        first += part
    name = _utf16(first[:_LOOKED_AT])
    whole = itertools.chain([first], source)
    if name is None:
        yield from whole
        return
    decoder = codecs.getincrementaldecoder(name)(errors="replace")
    for part in whole:
        yield decoder.decode(part).encode(errors="replace")
    yield decoder.decode(b"", final=True).encode(errors="replace")
