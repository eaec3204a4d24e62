"""Encoding in which a page decodes a log: the reader's choice, otherwise detected."""

from __future__ import annotations

import re
from typing import NamedTuple

from django.utils.translation import gettext, ngettext, pgettext

from joblogs.logtext.encodings import CHOICES, UTF8, is_in, reading_encoding
from joblogs.logtext.line_texts import Bytes, line_texts
from joblogs.pages.formats import number
from joblogs.query import Text, Window

COOKIE = "encoding"
"""Cookie with the reader's usual encoding, used for a text that is not clearly in another one."""
HEAD_BYTES = 4096
_LABELS = {
    "utf-8": "UTF-8",
    "gb18030": "GB18030",
    "cp932": "Shift-JIS",
    "cp949": "EUC-KR",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Latin-1",
}


_ALSO = " + "
_UNREAD = re.compile("[\udc80-\udcff\ufffd]")


class EncodingChoice(NamedTuple):
    """Option of the encoding menu."""

    value: str
    label: str
    selected: bool


class DecodedLines(NamedTuple):
    """Encodings in which the lines of a window are decoded."""

    labels: list[str]
    """Display names of the encodings."""
    unread: int
    """Number of lines with bytes that are invalid in their encoding."""

    @property
    def unread_label(self) -> str:
        """Number of undecodable lines in words."""
        count = self.unread
        text = ngettext(
            "%(n)s line shown holds bytes that are no text in %(encoding)s.",
            "%(n)s of the lines shown hold bytes that are no text in %(encoding)s.",
            count,
        )
        return text % {"n": number(count), "encoding": _ALSO.join(self.labels)}


def window_encoding(text: Text, window: Window, chosen: str, usual: str) -> str:
    """Return the encoding of a window; `usual` is the reader's usual encoding from the cookie."""
    data = b"".join(line.data for line in window.lines)
    head = data if window.start == 0 else text.read(0, min(text.size, HEAD_BYTES))
    usual = usual if usual in CHOICES else ""
    name = reading_encoding(data, head=head, chosen=chosen, usual=usual)
    if chosen or name != UTF8 or data.isascii():
        return name
    # Some lines are in UTF-8: without these, the encoding of the others may be clear.
    others = b"".join(line.data for line in window.lines if not is_in(line.data, UTF8))
    return reading_encoding(others, usual=usual) if others else name


def reading_of(window: Window, encoding: str, *, mixed: bool) -> DecodedLines:
    """Return how a window's lines are decoded: in one encoding, or with `mixed`, each line in its
    own one if that is clear."""
    lines = [Bytes(line.offset, line.data) for line in window.lines]
    texts = line_texts(lines, encoding, mixed=mixed)
    labels = dict.fromkeys(_LABELS[name] for line in texts for name in line.encodings)
    unread = sum(_UNREAD.search(line.text) is not None for line in texts)
    return DecodedLines(list(labels) or [_LABELS[encoding]], unread)


def choice_of(encoding: str) -> str:
    """Return the value that stands for an encoding in an address."""
    if encoding.startswith("utf-16"):
        return "utf-16"
    return next(name for name, codec in CHOICES.items() if codec == encoding)


def encoding_choices(reading: DecodedLines, chosen: str) -> list[EncodingChoice]:
    """Return the options of the encoding menu; the automatic one names the detected encodings."""
    automatic = pgettext("encoding", "automatic")
    if not chosen:
        automatic = gettext("automatic (%(encoding)s)") % {"encoding": _ALSO.join(reading.labels)}
    return [
        EncodingChoice("", automatic, not chosen),
        *(EncodingChoice(name, _LABELS[CHOICES[name]], name == chosen) for name in CHOICES),
    ]
