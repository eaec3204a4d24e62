"""The encoding in which a page reads a log: the reader's choice, else what its bytes show."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext, pgettext

from joblogs.logtext.encodings import CHOICES, reading_encoding
from joblogs.query import Text, Window

COOKIE = "encoding"
"""What this reader's browser remembers: it counts where a text is not plainly in another one."""
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


class EncodingChoice(NamedTuple):
    """An encoding that a reader may choose."""

    value: str
    label: str
    selected: bool


def window_encoding(text: Text, window: Window, chosen: str, usual: str) -> str:
    """The encoding of what is shown; `usual` is what the reader's browser remembers."""
    data = b"".join(line.data for line in window.lines)
    head = data if window.start == 0 else text.read(0, min(text.size, HEAD_BYTES))
    return reading_encoding(data, head=head, chosen=chosen, usual=usual if usual in CHOICES else "")


def choice_of(encoding: str) -> str:
    """What in an address stands for an encoding."""
    if encoding.startswith("utf-16"):
        return "utf-16"
    return next(name for name, codec in CHOICES.items() if codec == encoding)


def encoding_choices(encoding: str, chosen: str) -> list[EncodingChoice]:
    """All that may be chosen; of the automatic one what it has come to."""
    automatic = pgettext("encoding", "automatic")
    if not chosen:
        automatic = gettext("automatic (%(encoding)s)") % {"encoding": _LABELS[encoding]}
    return [
        EncodingChoice("", automatic, not chosen),
        *(EncodingChoice(name, _LABELS[CHOICES[name]], name == chosen) for name in CHOICES),
    ]
