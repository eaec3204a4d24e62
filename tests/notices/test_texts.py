"""Texts that are searched together are found as each by itself is."""

from __future__ import annotations

import random

import pytest

from joblogs.notices.texts import Place, Texts
from joblogs.search import InvalidPattern, Pattern, occurs

WORDS = [
    "",
    "a",
    "ab",
    "error",
    "Error 7",
    "x" * 30,
    "磁盘",
    "\x1b[31mred",
    "one\rtwo",
    "win\r",
    "k",
]
EXPRESSIONS = [
    *("error", "^a", "b$", "^$", "x*", "", "(?i)ERROR [0-9]", "a|b", "\\bab\\b", "[^a]", "."),
    *("(?-m)^a", "(?i-m:b$)", "(?s)a.b", "(?m)^a", "[[:^alpha:]]", "a?"),
    *("\\Aa", "b\\z", "^error.*7$", "磁盘", "red", "two", "n$", "\\x61", "K", "ſ", "(a)(b)?"),
]


def _text(dice: random.Random) -> bytes:
    lines = "\n".join(dice.choice(WORDS) for _ in range(dice.randrange(1, 5)))
    return (lines + dice.choice(["", "\n"])).encode(dice.choice(["utf-8", "gb18030"]))


@pytest.mark.parametrize("is_regex", [True, False])
@pytest.mark.parametrize("ignore_case", [True, False])
def test_each_text_is_found_as_by_itself(is_regex: bool, ignore_case: bool) -> None:
    dice = random.Random(7)  # noqa: S311 - the same every time is what is wanted
    for _ in range(60):
        texts = [(Place(n, 0, 9), data) for n in range(6) if (data := _text(dice))]
        for expression in EXPRESSIONS:
            try:
                pattern = Pattern.of(expression, regex=is_regex, ignore_case=ignore_case)
            except InvalidPattern:
                continue
            alone = {place for place, data in texts if occurs(pattern, [data])}
            found = set(Texts(texts).holding(pattern))
            assert found == alone, (expression, texts)
