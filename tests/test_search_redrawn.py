"""Lines that are redrawn are found together as each of them is found by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from joblogs.search import Pattern, occurs, spans
from joblogs.search.readings import Matches

WORDS = (
    "a",
    "bc",
    "10%",
    " ",
    "磁盘",
    "é",
    "\t",
    "\r",
    "\r",
    "\r",
    "\x08",
    "\x1b[K",
    "\x1b[2K",
    "\x1b[1K",
)
CODES = ("\x1b[31m", "\x1b[1G", "\x1b[3C", "\x1b[1A", "\x1b[1B", "\x1b]0;t\x07", "\x9b1m")
LINE = st.lists(st.sampled_from((*WORDS, *WORDS, *CODES)), max_size=16).map("".join)
NEEDLES = st.one_of(
    st.lists(
        st.sampled_from(("a", "b", "c", "1", "%", " ", "盘", "é")), min_size=1, max_size=4
    ).map("".join),
    st.sampled_from(("^$", "a$", "^bc", "[^a]b", ".%", r"\bbc")),
)


@given(st.lists(LINE, max_size=6), NEEDLES, st.booleans())
def test_a_line_is_found_among_others_as_by_itself(
    lines: list[str], needle: str, ignore_case: bool
) -> None:
    is_expression = not needle.isalnum() and needle[0] in "^a[\\c.("
    pattern = Pattern.of(needle, regex=is_expression, ignore_case=ignore_case)
    alone = [f"{line}\n".encode() for line in lines]
    data = b"".join(alone)
    matches, position, found = Matches(pattern, data), 0, set()
    while position < len(data) and (match := matches.after(position)):
        found.add(match.start)
        position = match.end
    starts = [sum(map(len, alone[:number])) for number in range(len(alone))]
    expected = {
        start
        for start, line in zip(starts, alone, strict=True)
        if spans(pattern, line.removesuffix(b"\n"), 1)
    }
    assert expected <= found


def test_text_behind_a_part_of_the_line_that_was_erased_is_found() -> None:
    for erased in ("\x1b[2K", "\x1b[1K", "\x1b[2J", "\x9b2K"):
        log = f"a{erased}bc\n".encode() * 3
        assert occurs(Pattern.of(r"\bbc", regex=True), [log]), erased
        assert occurs(Pattern.of(" bc"), [log]), erased


def test_text_over_the_rest_of_a_longer_state_is_found() -> None:
    log = "下载 10 of 99\r下载 20\n".encode() * 3
    assert occurs(Pattern.of("20 of 99"), [log])
    assert not occurs(Pattern.of("20 of 98"), [log])
