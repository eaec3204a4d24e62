"""Conversion of bytes that a machine printed to safe HTML.

ANSI colours and styles (SGR) become classes. Nothing else that a terminal obeys has any effect:
cursor movements, titles, hyperlinks, other controls, bidirectional marks, NUL and undecodable bytes
are made visible in `<i class="ctl">…</i>`. Text is escaped. No input raises an error, and the time
is linear.

Classes: `f0`…`f15` and `b0`…`b15` for the 16 colours of a terminal, to the nearest of which the
256-colour table and true colours are rounded, `onl` and `ond` for a light and a dark background,
`bold`, `dim`, `ital`, `undl`, `strk`. No inline style: a strict Content-Security-Policy forbids
them. Text that would be hidden (concealed, or in the colour of its background) is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape
from typing import NamedTuple

# Invisible characters: controls, formats (direction marks, zero widths), line separators, and the
# lone surrogates into which `surrogateescape` decodes invalid bytes. A test compares them with the
# Unicode database. The tab is the only control that counts as text.
_INVISIBLE = (
    "\x00-\x08\x0a-\x1a\x1c-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Letters of scripts in which joiners and non-joiners are part of the spelling; viramas, after which
# one may end a word; and the characters that are joined to emoji.
_SCRIPTS = (
    "\u0600-\u0605\u0610-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\u1b00-\u1bbf"
    "\ufb50-\ufdff\ufe70-\ufefc\U00011000-\U000116ff"
)
_VIRAMAS = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca"
_EMOJI = "\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe0f\u20e3\U0001f000-\U0001faff"
_JOINED = (
    f"(?<=[{_SCRIPTS}])[\u200c\u200d](?=[{_SCRIPTS}])|(?<=[{_VIRAMAS}])[\u200c\u200d]"
    f"|(?<=[{_EMOJI}])\u200d(?=[{_EMOJI}])"
)
_TOKEN = re.compile(
    "\x1b\\[(?P<sgr>[0-9;:]*+)m"
    "|(?P<shown>"
    "\x1b\\[[0-?]*+[ -/]*+[@-~]"  # cursor, erase, modes
    "|\x1b[\\]PX^_][^\x07\x1b\n]*+(?:\x07|\x1b\\\\)?"  # titles, links, strings for the terminal
    "|\x1b[ -/]*+[0-~]"
    f"|\x1b|(?P<joined>{_JOINED})|[{_INVISIBLE}]++)"
)
_INVISIBLE_ONE = re.compile(f"[\x1b{_INVISIBLE}]")
_HIDDEN = re.compile(f"(?P<joined>{_JOINED})|[\x1b{_INVISIBLE}]+")


class Style(NamedTuple):
    """Style of text; colours are numbers from 0 to 15, None is the page's default."""

    front: int | None = None
    back: int | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    inverse: bool = False

    def classes(self) -> str:
        """Return the value of the class attribute."""
        front, back = (self.back, self.front) if self.inverse else (self.front, self.back)
        if self.inverse and self.back is None:
            front, back = None, 7 if self.front is None else self.front
        if front == back:
            back = None  # text must not be hidden by its colours
        names = [] if front is None else [f"f{front}"]
        if back is not None:
            names += [f"b{back}", "onl" if _is_light(back) else "ond"]
        given = (self.bold, self.dim, self.italic, self.underline, self.strike)
        names += [n for n, on in zip(_CLASSES, given, strict=True) if on]
        return " ".join(names)


_CLASSES = ("bold", "dim", "ital", "undl", "strk")
PLAIN = Style()
_SWITCHES: dict[int, dict[str, bool]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    7: {"inverse": True},
    9: {"strike": True},
    21: {"underline": True},
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underline": False},
    27: {"inverse": False},
    29: {"strike": False},
}


class Mark(NamedTuple):
    """Range [start, end) of a line, in bytes or characters, to be marked with a class."""

    start: int
    end: int
    name: str


class Painter:
    """Painter of consecutive lines; a colour applies until it is changed."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self._encoding = encoding
        self._style = PLAIN

    def line(self, data: bytes, marks: Sequence[Mark] = ()) -> str:
        """Return the bytes of a line as HTML. `marks` ascend and do not overlap."""
        if not marks:
            return "".join(self._painted(data))
        parts: list[str] = []
        at = 0
        for start, end, name in marks:
            parts += self._painted(data[at:start])
            inner = "".join(self._painted(data[start:end]))
            parts.append(f'<mark class="{escape(name)}">{inner}</mark>')
            at = end
        return "".join([*parts, *self._painted(data[at:])])

    def _painted(self, data: bytes) -> Iterator[str]:
        text = data.decode(self._encoding, "surrogateescape")
        at = 0
        for token in _TOKEN.finditer(text):
            if token["joined"] is not None:
                continue
            yield self._styled(text[at : token.start()])
            at = token.end()
            if (codes := token["sgr"]) is not None:
                self._style = styled(self._style, codes)
            else:
                yield f'<i class="ctl">{escape(visible(token["shown"]))}</i>'
        yield self._styled(text[at:])

    def _styled(self, text: str) -> str:
        return _spanned(escape(text), self._style) if text else ""


def shown(text: str, style: Style) -> str:
    """Return text without codes in one style as HTML, with invisible characters made visible."""
    return _spanned(_HIDDEN.sub(_marked, escape(text)), style)


def _marked(hidden: re.Match[str]) -> str:
    if hidden["joined"] is not None or hidden[0] == "\xad":
        return hidden[0]
    return f'<i class="ctl">{visible(hidden[0])}</i>'


def _spanned(html: str, style: Style) -> str:
    classes = _classes(style)
    return f'<span class="{classes}">{html}</span>' if classes else html


@lru_cache(1024)
def _classes(style: Style) -> str:
    return style.classes()


def visible(text: str) -> str:
    """Return the text with names for invisible characters: \\x00, \\r, \\xff, ⟨U+202E⟩.

    The names use letters that every font has: many fonts lack the control pictures (from U+2400).
    """
    return _INVISIBLE_ONE.sub(_named, text)


def _named(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code == 0x0D:
        return "\\r"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"⟨U+{code:04X}⟩"


def styled(style: Style, codes: str) -> Style:
    """Return the style after an SGR sequence with these parameters; unknown ones are ignored."""
    left = codes.split(";")
    left.reverse()
    while left:
        code, *details = left.pop().split(":")
        number = _number(code)
        if number in (38, 48, 58):
            colour = _extended(details, left)
            if colour is not None and number != 58:  # the colour of underlines has no class
                front = number == 38
                style = style._replace(front=colour) if front else style._replace(back=colour)
        elif number == 0:
            style = PLAIN
        elif number == 4 and details and _number(details[0]) == 0:
            style = style._replace(underline=False)
        elif number in _SWITCHES:
            style = style._replace(**_SWITCHES[number])
        else:
            style = _coloured(style, number)
    return style


def _coloured(style: Style, number: int) -> Style:
    tens, unit = divmod(number, 10)
    if number == 39:
        return style._replace(front=None)
    if number == 49:
        return style._replace(back=None)
    if unit < 8 and tens in (3, 9):
        return style._replace(front=unit if tens == 3 else unit + 8)
    if unit < 8 and tens in (4, 10):
        return style._replace(back=unit if tens == 4 else unit + 8)
    return style


def _extended(details: list[str], left: list[str]) -> int | None:
    """Return the colour after 38 or 48: 5;n or 2;r;g;b, or with colons 5:n, 2:r:g:b, 2::r:g:b."""
    if details:
        kind, values = _number(details[0]), [_number(value) for value in details[1:]]
        values = values[-3:] if kind == 2 and len(values) > 3 else values
    else:
        kind = _number(left.pop()) if left else -1
        wanted = {5: 1, 2: 3}.get(kind, 0)
        values = [_number(left.pop()) for _ in range(min(wanted, len(left)))]
    if any(not 0 <= value <= 255 for value in values):
        return None
    if kind == 5 and values:
        return _TABLE[values[0]]
    return _nearest(*values[:3]) if kind == 2 and len(values) >= 3 else None


def _number(text: str) -> int:
    """Return a parameter as a number: 0 for an empty one, -1 for an invalid one.

    After 38 or 48 a parameter may itself have colons (`38;5:1`), which is invalid.
    """
    if not text:
        return 0
    return int(text) if len(text) <= 4 and text.isdecimal() else -1


_SIXTEEN = (
    *((0, 0, 0), (205, 49, 49), (13, 138, 79), (181, 137, 0)),
    *((36, 114, 200), (188, 63, 188), (17, 153, 176), (215, 215, 215)),
    *((102, 102, 102), (241, 76, 76), (35, 209, 139), (245, 245, 67)),
    *((59, 142, 234), (214, 112, 214), (41, 184, 219), (255, 255, 255)),
)
"""Red, green and blue of the 16 colours, the same as in static/joblogs/ansi.css."""
_STEPS = (0, 95, 135, 175, 215, 255)
"""Levels of the 6×6×6 cube in the 256-colour table."""


def _nearest(red: int, green: int, blue: int) -> int:
    """Return the closest of the 16 colours."""
    distances = [(red - r) ** 2 + (green - g) ** 2 + (blue - b) ** 2 for r, g, b in _SIXTEEN]
    return distances.index(min(distances))


_TABLE: tuple[int, ...] = (
    *range(16),
    *(_nearest(red, green, blue) for red in _STEPS for green in _STEPS for blue in _STEPS),
    *(_nearest(grey, grey, grey) for grey in range(8, 248, 10)),
)
"""For each colour of the 256-colour table, the nearest of the 16 colours."""


def _is_light(colour: int) -> bool:
    return colour in (3, 6, 7) or colour > 9
