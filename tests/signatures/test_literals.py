"""Which literals a text needs so that an expression matches in it."""

from __future__ import annotations

import pytest

from joblogs.signatures import literals_of


@pytest.mark.parametrize(
    ("expression", "literals"),
    [
        (r"authentication failure; .*rhost=\S+", [{"authentication failure; "}, {"rhost="}]),
        (r"(timeout|timed out) after \d+ ?ms", [{"timeout after ", "timed out after "}]),
        (r"ORA-\d{5}", [{"ORA-"}]),
        (r"a{3}b{2,}cde+f", [{"aaa"}]),
        (r"ab(?:cd|ef)?gh", [{"abcdgh", "abefgh", "abgh"}]),
        (r"x*y+abc{0}def", [{"abdef"}]),
        (r"[]a]bcd", [{"]bcd", "abcd"}]),
        (r"[\]x]yzw", [{"]yzw", "xyzw"}]),
        (r"[a\d]bcd", [{"bcd"}]),
        (r"[^a]bcd", [{"bcd"}]),
        (r"abc{,3}", [{"abc{,3}"}]),
        (r"abc{03}", [{"abc{03}"}]),
        (r"abc{1,02}d", [{"abc{1,02}d"}]),
        (r"abc{00,}", [{"abc{00,}"}]),
        (r"abc{0,}def", [{"def"}]),
        (r"abc{0,1}def", [{"abdef", "abcdef"}]),
        (r"磁盘.满了", [{"磁盘"}, {"满了"}]),
        (r"\x41\x{42}\x43\.", [{"ABC."}]),
        (r"(?P<name>hello) world\b", [{"hello world"}]),
        (r"(?<name>hello) world$", [{"hello world"}]),
        (r"(foo|bar+)baz", [{"baz"}]),
        (r"(first|second \d+) third", [{"first", "second "}, {" third"}]),
        (r"(abcdef)+", [{"abcdef"}]),
    ],
)
def test_an_expression_needs(expression: str, literals: list[set[str]]) -> None:
    assert literals_of(expression, regex=True) == literals


@pytest.mark.parametrize(
    "expression",
    [
        *(
            r"[A-F0-9]{8}",
            r"a|",
            r"(abc)*",
            r"(abc)?",
            r".",
            r"\d+",
            r"ab",
            r"abc|\w+",
            r"(?:abc){0}",
        ),
        # What is not known of RE2's grammar.
        *(
            r"[[:digit:]]abcdef",
            r"\Qabc.def\E",
            r"(?i)error",
            r"(?i:error)",
            r"\pNabcd",
            r"\p{Greek}abcd",
        ),
        *(r"abcdef\C", r"\101abcd", r"[\101]abcd", r"(?-s)abcdef", r"[^[:space:]]abcdef"),
    ],
)
def test_an_expression_without_a_literal(expression: str) -> None:
    assert literals_of(expression, regex=True) == []


def test_a_text_is_its_own_literal_without_the_codes_in_it() -> None:
    assert literals_of("(a|b)*") == [{"(a|b)*"}]
    assert literals_of("abc\x1b[31mdef") == [{"abc"}, {"[31mdef"}]
    assert literals_of("ab") == []
    assert literals_of("磁") == [{"磁"}]


def test_groups_within_each_other_are_read_to_a_depth() -> None:
    assert literals_of("(" * 10 + "abc" + ")" * 10, regex=True) == [{"abc"}]
    assert literals_of("(" * 500 + "abc" + ")" * 500, regex=True) == []
