"""Window of a host's log, by lines or by bytes, as text for an agent.

The API returns bytes. To count lines, ranges are read from the start, up to the first 64 MiB of a
large log; the last lines are searched for in its last bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.utils.translation import gettext

from joblogs.logtext.encodings import reading_encoding, utf16_name
from joblogs.logtext.line_texts import Bytes, line_texts
from joblogs.logtext.lines import iter_lines
from joblogs.logtext.terminal import last_seen
from joblogs.logtext.utf16_parts import parts_as_utf8

from .store_api import ApiError, LogPart
from .summary_text import cut

Read = Callable[[int, int], LogPart]
"""Function that reads bytes of a log, given the start (negative: from the end) and the length."""
FIRST_BYTES, NEXT_BYTES, SCAN_BYTES = 64 * 1024, 4 * 1024 * 1024, 64 * 1024 * 1024
END_BYTES = 256 * 1024
TEXT_CHARS, LINE_CHARS = 12_000, 1_000


def byte_window(read: Read, start: int, length: int) -> str:
    """Return bytes as they were printed, from `start` on; the last `-start` if it is negative."""
    part = read(start, length)
    data = part.data[:length]
    text = gettext("Bytes %(start)s to %(end)s:")
    heading = text % {"start": part.offset, "end": part.offset + len(data)}
    return "\n".join([_heading(part), heading, _decoded(data)])


def _decoded(data: bytes) -> str:
    text = parts_as_utf8(data)
    return text.decode(reading_encoding(text), "replace")


def line_window(read: Read, first: int, count: int) -> str:
    """Return lines as a terminal shows them in the end, from line `first` on; the last `-first` if
    it is negative.

    Raise ApiError for lines too far into a large log.
    """
    if first < 0:
        return _last_lines(read, min(-first, count))
    pieces = _Pieces(read)
    utf16 = utf16_name(pieces.part.data)
    shown: list[str] = []
    number, left = 0, TEXT_CHARS
    for line in iter_lines(pieces):
        number = line.number
        if number >= first + count:
            break
        if number < first or line.continued:
            continue
        text = f"{number}: {_text(line.text, line.offset, utf16)}"
        left -= len(text) + 1
        if left < 0:
            break
        shown.append(text)
    else:
        text = gettext("The log has %(n)s lines.") % {"n": number}
        return "\n".join([_heading(pieces.part), *shown, text])
    more = gettext("There is more: go on with from_line=%(n)s.") % {"n": number}
    return "\n".join([_heading(pieces.part), *shown, more])


def _last_lines(read: Read, count: int) -> str:
    """Return the last lines of a log, without numbers, because the text before is not read."""
    part = read(-END_BYTES, END_BYTES)
    utf16 = utf16_name(part.data[part.offset % 2 :])
    end = part.offset + len(part.data.removesuffix(b"\n"))
    lines = part.data.removesuffix(b"\n").split(b"\n")
    if part.offset and len(lines) > 1:
        del lines[0]  # its beginning was not read
    shown: list[str] = []
    left = TEXT_CHARS
    for line in reversed(lines[-count:] if part.data else []):
        text = _text(line, end - len(line), utf16)
        end -= len(line) + 1
        left -= len(text) + 1
        if left < 0:
            break
        shown.append(text)
    text = gettext("The last lines (%(n)s):") % {"n": len(shown)}
    return "\n".join([_heading(part), text, *reversed(shown)])


class _Pieces:
    """Iterable of a log's bytes from its start on; `part` is the last one that was read."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.part = read(0, FIRST_BYTES)

    def __iter__(self) -> Iterator[bytes]:
        attempt, end = self.part.attempt, 0
        while self.part.data:
            yield self.part.data
            end += len(self.part.data)
            if end >= self.part.size:
                return
            if end >= SCAN_BYTES:
                text = gettext("Lines are counted in the first %(n)s bytes only: name bytes.")
                raise ApiError(text % {"n": SCAN_BYTES})
            self.part = self._read(end, NEXT_BYTES)
            if self.part.attempt != attempt:
                raise ApiError(gettext("Another attempt began meanwhile: ask again."))


def _heading(part: LogPart) -> str:
    values = {"size": part.size, "state": part.state or "?", "attempt": part.attempt}
    text = gettext("The log has %(size)s bytes, attempt %(attempt)s, state: %(state)s.") % values
    if not part.size:
        text += " " + gettext("Of a file step search_step searches the logs of its files.")
    return text


def _text(line: bytes, offset: int, utf16: str | None) -> str:
    """Return a line as a terminal shows it in the end; only the beginning of a long line.

    `utf16` is the encoding of a log in UTF-16; other logs may have parts in UTF-16.
    """
    data = line[: 4 * LINE_CHARS]
    encoding = utf16 or reading_encoding(data)
    if utf16:
        # Lines are split at the byte of a newline, which may be half of a character in UTF-16, so
        # the byte before or after the line may belong to it.
        before, after = b"\n" * (offset % 2), b"\n" * (len(data) == len(line))
        offset, data = offset - len(before), before + data + after
    (read,) = line_texts([Bytes(offset, data)], encoding, mixed=True)
    shown = read.text.removeprefix("\n").removesuffix("\n").encode(errors="surrogateescape")
    text = " ".join(last_seen(shown))
    text = text.encode(errors="replace").decode()
    if len(line) > len(data):
        return cut(text, LINE_CHARS - 1) + "…"
    return cut(text, LINE_CHARS)
