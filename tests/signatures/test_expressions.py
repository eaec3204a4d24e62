"""An expression never denies a text in which RE2 finds it, whatever of its grammar it uses."""

from __future__ import annotations

import re2
from hypothesis import given
from hypothesis import strategies as st

from joblogs.search import InvalidPattern, Pattern, occurs
from joblogs.signatures import PatternPlaces

from .test_no_false_negative import signature_of

WORDS = st.sampled_from(("disk", "Kelvin", "err", "10.0", "a", "ms", "磁盘", "é", "x=", " ", "_"))
CLASSES = (
    *(("[abc]", "b"), ("[^a]", "z"), ("[Kk]", "k"), ("[0-9]", "7"), (r"[a\d]", "4"), ("[]-]", "]")),
    *(("[[:alpha:]]", "q"), ("[^[:space:]x]", "-"), ("[[:]", ":"), (r"\d", "3"), (r"\w", "_")),
    *((r"\s", " "), (".", "磁"), (r"\pL", "é"), (r"\p{Han}", "盘"), (r"\PL", "5")),
)
ESCAPES = (
    *((r"\Qa.b\E", "a.b"), (r"\Q\(\E", r"\("), (r"\Qx", "x"), (r"\\Q", r"\Q"), (r"\101", "A")),
    *((r"\x41", "A"), (r"\x{212a}", "\u212a"), (r"\x{78c1}", "磁"), (r"\t", "\t"), (r"\.", ".")),
    *((r"\b", ""), ("^", ""), ("$", ""), ("(?i)", ""), ("(?s-m)", ""), ("(?U)", ""), ("", "")),
)
REPEATS = (
    *(("", 1), ("*", 0), ("*?", 2), ("+", 1), ("+", 3), ("?", 0), ("?", 1), ("{2}", 2), ("{0}", 0)),
    *(("{1,3}", 2), ("{2,}?", 4), ("{0,2}", 1), ("{01}", 1), ("+?", 2)),
)
Written = tuple[str, str]
"""An expression, and a text that may match it."""


def _word(text: str) -> Written:
    return re2.escape(text), text


def _repeated(part: Written, repeat: tuple[str, int]) -> Written:
    return f"(?:{part[0]}){repeat[0]}", part[1] * repeat[1]


def _sequence(parts: list[Written]) -> Written:
    return "".join(part[0] for part in parts), "".join(part[1] for part in parts)


def _one_of(parts: list[Written], index: int) -> Written:
    return "|".join(part[0] for part in parts), parts[index % len(parts)][1]


def _group(part: Written, opening: str) -> Written:
    return f"{opening}{part[0]})", part[1].swapcase() if "i:" in opening else part[1]


LEAVES = st.one_of(WORDS.map(_word), st.sampled_from(CLASSES), st.sampled_from(ESCAPES))
EXPRESSIONS: st.SearchStrategy[Written] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(_sequence, st.lists(inner, min_size=2, max_size=4)),
        st.builds(_repeated, inner, st.sampled_from(REPEATS)),
        st.builds(
            _group,
            st.builds(_one_of, st.lists(inner, min_size=1, max_size=3), st.integers(0, 2)),
            st.sampled_from(("(", "(?:", "(?i:", "(?P<i>", "(?<n>", "(?s:", "(?-i:")),
        ),
    ),
    max_leaves=12,
)


@given(EXPRESSIONS, st.booleans(), st.sampled_from(("", "x", "disk ", "磁")), st.booleans())
def test_an_expression_denies_nothing_that_it_matches(
    written: Written, ignore_case: bool, around: str, as_it_is: bool
) -> None:
    expression, text = written
    text = text if as_it_is else text.swapcase()
    try:
        pattern = Pattern.of(expression, regex=True, ignore_case=ignore_case)
    except InvalidPattern:
        return
    log = f"first line\n{around}{text}{around}\nlast line\n".encode()
    if occurs(pattern, [log]):
        places = PatternPlaces.of(expression, regex=True, ignore_case=ignore_case)
        assert places.columns(signature_of(log).row, 1)
