"""Lines with codes that only colour are read as lines with any other codes are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from joblogs.search.coloured_lines import coloured

COLOURS = (
    "\x1b[31m",
    "\x1b[0m",
    "\x1b[m",
    "\x1b[?25l",
    "\x1b[K",
    "\x1b(B",
    "\x1b=",
    "\x1b[1;38;5;9m",
)
OTHERS = (
    "\x1b]0;t\x07",
    "\x1b[",
    "\x1b",
    "\x1b[31\x1b[0m",
    "\x1b[1 q",
    "\x1b(",
    f"\x1b[{'0;' * 40}m",
)
WORDS = ("INFO", "ab", "1234567", " ", "\t", "\r", "磁盘", "x")
TEXTS = st.lists(st.sampled_from((*WORDS, *COLOURS)), max_size=8).map("".join)


@given(st.lists(st.lists(st.sampled_from((*WORDS, *COLOURS)), max_size=8)))
def test_lines_are_left_without_their_codes(lines: list[list[str]]) -> None:
    text, others = coloured("".join(line).encode() for line in lines)
    plain = ["".join(part for part in line if part not in COLOURS) for line in lines]
    assert text.plain.tobytes().decode() == "\n".join(plain)
    assert others == []


@given(TEXTS, st.sampled_from(OTHERS), TEXTS)
def test_a_line_with_another_code_is_given_back(before: str, code: str, after: str) -> None:
    line = f"{before}{code} {after}".encode()
    text, others = coloured([b"\x1b[1mbold\x1b[0m", line, b"plain"])
    assert others == [line]
    assert text.plain.tobytes() == b"bold\nplain"


def test_of_codes_near_each_other_the_letters_are_told_with_those_after_them() -> None:
    text, _ = coloured([b"\x1b[31mab\x1b[0mcd\x1b[1m\x1b[4mefghijk", b"\x1b[7mend\x1b[0m"])
    letters = b"".join(text.letters_of_codes(5)).split()
    assert sorted(letters) == [b"[0mcdefg", b"[1mefghi", b"[31mabcde", b"[7mend"]
