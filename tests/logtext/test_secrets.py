"""Masks depend on the text alone: the laws of masking, and every built-in pattern."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joblogs.logtext import secret_scanner
from joblogs.logtext.custom_rules import InvalidRule, literal, rules_of
from joblogs.logtext.mask_ranges import RANGES_APART, RANGES_KEPT, cover
from joblogs.logtext.pieces import Range, union
from joblogs.logtext.secret_rules import LOOK_BACK, RULES, Rule
from joblogs.logtext.secret_scanner import ScanState, Secrets

OWN = rules_of(
    {
        "own-key": {"begins": "itk_", "then": "[^ ]{4}", "more": r"\S"},
        "own-pin": {"begins": "pin", "then": "(?:: |=)([0-9]{2,6})#", "ignore_case": True},
        "own-at": {"begins": "=:=", "then": "(a{0,3})@"},
    }
)
EVERY, BUILT_IN = Secrets((*RULES, *OWN)), Secrets(RULES)
SECRETS = [re.sub("[«»]", "", rule.example).encode() for rule in RULES]
PLANTED = [
    *SECRETS,
    *(rule.other.encode() for rule in RULES),
    *(b"itk_ab*d/x", b"itk_", b"PIN: 12345#", b"=:=aa@", b"=:=@", b"hunter2", b"://u:***@h"),
]
GLUE = [
    b"",
    b" ",
    b"\n",
    b"\r\n",
    b"x",
    b"_",
    b"*",
    b"\0",
    b"\xff",
    b"://",
    b"@",
    b"-----BEGIN ",
    b"eyJ",
]


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Secrets and what is like them, whole, cut off and run together."""
    parts = []
    for _ in range(draw(st.integers(1, 5))):
        part = draw(st.sampled_from(PLANTED))
        start = draw(st.integers(0, 6)) * draw(st.booleans())
        stop = len(part) - draw(st.integers(0, 12)) * draw(st.booleans())
        parts += [part[start:stop], draw(st.sampled_from(GLUE))]
    return b"".join(parts)


class Read:
    """A text as it is kept when it arrives in parts: only the state is remembered between them."""

    def __init__(self, using: Secrets = EVERY) -> None:
        self.using, self.kept, self.state = using, bytearray(), ScanState()
        self.ranges: list[Range] = []
        self.places = 0

    def more(self, part: bytes) -> None:
        state = self.state
        begun = state.prefix if not state.rule else b""
        size = len(begun) or min(len(self.kept), state.pending + 1)
        base = len(self.kept) - size
        if begun:
            assert self.kept[base:] == begun
        text = self.kept[base:] + part
        start = size - state.size
        ahead = [(max(0, a - base), b - base) for a, b in self.ranges if b > base]
        masks = self.using.mask(
            text, start=start, rule=state.rule, prefix=state.prefix, masked=ahead
        )
        self.kept[base:] = text
        self.ranges = cover(self.ranges, [(a + base, b + base) for a, b in masks.ranges])
        self.places, self.state = self.places + masks.places, masks.state


def whole(text: bytes, using: Secrets = EVERY) -> Read:
    read = Read(using)
    read.more(text)
    return read


def cut(text: bytes, cuts: list[int]) -> list[bytes]:
    borders = sorted({0, len(text), *(at for at in cuts if at < len(text))})
    return [text[start:stop] for start, stop in pairwise(borders)]


@settings(max_examples=150)
@given(texts(), st.lists(st.integers(1, 400), max_size=8))
def test_masks_do_not_depend_on_how_a_text_is_cut(text: bytes, cuts: list[int]) -> None:
    at_once, in_parts = whole(text), Read()
    for part in cut(text, cuts):
        in_parts.more(part)
    assert bytes(in_parts.kept) == bytes(at_once.kept)
    assert (in_parts.ranges, in_parts.places) == (at_once.ranges, at_once.places)
    assert in_parts.state.rule == at_once.state.rule


@pytest.mark.parametrize("before", [b"at-445", b"at_", b"at-44\\n", b"at\xff", b"at-"])
@pytest.mark.parametrize("start", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "secret", [b"AKIAIOSFODNN7EXAMPLE", b"mysql -uroot -pTr0ub4dor.3x -e", b"sk-" + b"a1B2" * 12]
)
def test_a_secret_behind_what_is_no_letter_is_found_however_it_comes(
    before: bytes, start: int, secret: bytes
) -> None:
    in_parts, at_once = Read(), whole(before + secret)
    for part in (before, secret[:start], secret[start:]):
        in_parts.more(part)
    assert (bytes(in_parts.kept), in_parts.places) == (bytes(at_once.kept), 1)


@pytest.mark.parametrize(
    "escape", [b"\x1b[0m", b"\x1b[1;31m", b"\x1b(B", "\x1b[0m".encode("utf-16-le")]
)
@pytest.mark.parametrize(
    "before", [b"password: hunter22\n", b"AKIAIOSFODNN7EXAMPLE ", b"no secret\n"]
)
def test_a_secret_behind_a_colour_that_is_cut_is_found(before: bytes, escape: bytes) -> None:
    secret = b"AKIAIOSFODNN7EXAMPLE\n"
    at_once = whole(before + escape + secret)
    for start in range(1, len(escape)):
        in_parts = Read()
        for part in (before + escape[:start], escape[start:] + secret):
            in_parts.more(part)
        assert bytes(in_parts.kept) == bytes(at_once.kept)
    assert at_once.kept.endswith(b"****\n")


@settings(max_examples=40)
@given(texts())
def test_a_text_that_comes_byte_by_byte_is_masked_alike(text: bytes) -> None:
    at_once, bytewise = whole(text), Read()
    for at in range(len(text)):
        bytewise.more(text[at : at + 1])
    assert bytes(bytewise.kept) == bytes(at_once.kept)
    assert (bytewise.ranges, bytewise.places) == (at_once.ranges, at_once.places)


@given(texts())
def test_masks_keep_length_and_lines_and_touch_nothing_beside_their_ranges(text: bytes) -> None:
    read = whole(text)
    assert len(read.kept) == len(text)
    masked = {at for start, stop in read.ranges for at in range(start, stop)}
    for at, byte in enumerate(text):
        expected = byte if at not in masked or byte in b"\0\r\n" else ord("*")
        assert read.kept[at] == expected
    assert EVERY.absent(text) <= (read.places == 0)


@given(texts())
def test_what_is_masked_holds_no_secret_any_more(text: bytes) -> None:
    read = whole(text)
    again = bytearray(read.kept)
    masks = EVERY.mask(again, masked=read.ranges)
    assert (again, masks.ranges) == (read.kept, [])


@given(texts(), texts())
def test_what_follows_never_unmasks_what_came_before(text: bytes, more: bytes) -> None:
    before, after = whole(text).ranges, whole(text + more).ranges
    assert union([*before, *after]) == after


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.name} {rule.begins[0].decode()}")
def test_each_built_in_pattern_masks_its_example_and_leaves_what_is_like_it(rule: Rule) -> None:
    masked = re.sub("«(.*?)»", lambda found: re.sub(".", "*", found[1]), rule.example, flags=re.S)
    read = whole(re.sub("[«»]", "", rule.example).encode(), BUILT_IN)
    assert bytes(read.kept) == masked.encode()
    assert read.places == 1
    assert whole(rule.other.encode(), BUILT_IN).kept == rule.other.encode()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.name} {rule.begins[0].decode()}")
def test_each_built_in_pattern_needs_no_more_than_it_may_look_back(rule: Rule) -> None:
    assert _longest(rule.then) + max(map(len, rule.begins)) <= LOOK_BACK
    assert rule.anywhere or all(begins[:1].isalnum() <= rule.apart for begins in rule.begins)
    assert {other.more for other in RULES if other.name == rule.name} == {rule.more}
    assert not re.search(rb"\\b|\\B|\$(?![^\[]*\])", rule.then)


def _longest(expression: bytes) -> int:
    """The most bytes that an expression takes; every repetition in it has an end."""
    flags = re.sub(rb"\(\?-?i:", b"(?:", expression)
    parser: Any = re._parser
    return int(parser.parse(flags.decode("latin1")).getwidth()[1])


def test_masked_texts_of_others_are_left_alone_and_not_counted() -> None:
    read = whole(b"postgresql://joblogs:******@db/x\nauthorization: bearer ****************")
    assert (read.places, read.ranges) == (0, [])


def test_a_key_is_masked_from_its_first_line_on_whatever_follows() -> None:
    read = Read()
    lines = SECRETS[[rule.name for rule in RULES].index("private-key")].splitlines(keepends=True)
    read.more(lines[0])
    read.more(lines[1])
    assert read.state.rule == "private-key"
    assert bytes(read.kept).splitlines()[1] == b"*" * (len(lines[1]) - 1)
    read.more(b"[08:00:01] done\n")
    assert bytes(read.kept).splitlines()[2] == b"[08:00:01] done"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_byte_before_decides_only_about_what_begins_as_a_word_does(rule: Rule) -> None:
    alone = Secrets([rule])
    for begins in rule.begins:
        cases = {begins, begins.upper(), begins.lower()} if rule.ignore_case else {begins}
        for text in {case[:size] for case in cases for size in (1, 2, len(case))}:
            assert alone.needs_context(text) == alone.needs_context(bytearray(text)) == rule.apart
            assert EVERY.needs_context(text) >= rule.apart
    assert not any(EVERY.needs_context(text) for text in (b"", b"\n", b"\xe4", b"0" * 9))


def test_what_ends_with_a_line_is_settled() -> None:
    assert whole(b"fetching https://example.com/a: ok\n").state == ScanState()
    assert whole(b"fetching https://user:pass").state.pending == len(b"://user:pass")
    assert whole(b"fetching https://example.com/7").state == ScanState()
    assert whole(b"fetching https").state == ScanState(prefix=b"ps")
    assert whole(b"fetching httq").state == ScanState()
    assert whole(b"fetching https:/").state == ScanState(prefix=b":/")
    assert whole(b"> Author").state == ScanState(prefix=b"Author")


def test_a_first_half_whose_rest_is_never_kept_is_masked_too() -> None:
    text = bytearray(b"see postgresql://joblogs:s3cr")
    assert EVERY.cut(text).ranges == [(17, 29)]
    assert text == b"see postgresql://************"
    plain = bytearray(b"fetching https://example.com/a: A")
    assert EVERY.cut(plain).ranges == []


@settings(max_examples=10)
@given(st.lists(st.integers(0, 3 * RANGES_APART // 2), min_size=1, max_size=3), st.integers(0, 3))
def test_very_many_ranges_become_few_however_they_come(gaps: list[int], seed: int) -> None:
    starts = [10 * n for n in range(RANGES_KEPT + 20 * seed)]
    for gap in gaps:
        starts.append(starts[-1] + 7 + gap)
    ranges = [(start, start + 7) for start in starts]
    at_once, one_by_one = cover([], ranges), cover([], ranges[: RANGES_KEPT - 1])
    for span in ranges[RANGES_KEPT - 1 :]:
        one_by_one = cover(one_by_one, [span])
    assert at_once == one_by_one
    assert len(at_once) <= RANGES_KEPT + len(gaps) + 1
    assert all(any(a <= start and stop <= b for a, b in at_once) for start, stop in ranges)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ([], "no JSON object"),
        ({"Own": {}}, "a name is"),
        ({"jwt": {"begins": "abc", "then": "d"}}, "built-in"),
        ({"own": "abc"}, "needs"),
        ({"own": {"begins": "abc", "then": "d", "than": "e"}}, "needs"),
        ({"own": {"begins": "abc", "then": 1}}, "texts"),
        ({"own": {"begins": "abc", "then": "d", "ignore_case": 1}}, "true or false"),
        ({"own": {"begins": "ab", "then": "d"}}, "3 to 200 bytes"),
        ({"own": {"begins": "a\nb", "then": "d"}}, "3 to 200 bytes"),
        ({"own": {"begins": "abc", "then": "(d"}}, "no expression of RE2"),
        ({"own": {"begins": "abc", "then": "d*e"}}, "without end"),
        ({"own": {"begins": "abc", "then": "d{2,}e"}}, "without end"),
        ({"own": {"begins": "abc", "then": "d+?e"}}, "without end"),
        ({"own": {"begins": "abc", "then": r"d\b"}}, "beside it"),
        ({"own": {"begins": "abc", "then": "d$"}}, "beside it"),
        ({"own": {"begins": "abc", "then": "(d{2,9})"}}, "optional"),
        ({"own": {"begins": "abc", "then": "de?"}}, "optional"),
        ({"own": {"begins": "abc", "then": "(d)(e)"}}, "several groups"),
        ({"own": {"begins": "abc", "then": ""}}, "nothing at all"),
        ({"own": {"begins": "abc", "then": "(?:d|)"}}, "nothing at all"),
        ({"own": {"begins": "abc", "then": "((?:[a-f]{1,40}x){30}){20}y"}}, "several|large|RE2"),
        ({"own": {"begins": "abc", "then": "d", "more": "ef"}}, "one class"),
        ({"own": {"begins": "abc", "then": "d", "more": "[e-a]"}}, "no expression of RE2"),
    ],
)
def test_it_refuses_patterns_that_could_not_keep_the_laws(said: object, fault: str) -> None:
    with pytest.raises(InvalidRule, match=fault):
        rules_of(said, taken={rule.name for rule in RULES})


@pytest.mark.parametrize("then", [r"[*+]{2}", r"\*\+\$", r"(?:a|b){3}", r"[^]*]{3}", r"a{1,3}b"])
def test_it_takes_patterns_that_only_look_unbounded(then: str) -> None:
    (rule,) = rules_of({"own": {"begins": "abc", "then": then}})
    assert rule.then == then.encode()


@pytest.mark.parametrize("secret", [b"ab", b"a\nbc", b"a*bc", b"x" * (LOOK_BACK + 1)])
def test_it_refuses_known_secrets_that_it_could_not_find_again(secret: bytes) -> None:
    with pytest.raises(InvalidRule):
        literal("known", secret)


def test_the_same_rules_are_made_ready_once() -> None:
    assert secret_scanner.secrets_of(RULES) is secret_scanner.secrets_of(RULES)


@given(texts(), st.integers(0, 3))
def test_a_known_secret_is_found_anywhere(text: bytes, places: int) -> None:
    known = Secrets([literal("known", b"hunter2")])
    read = whole(text + b"xhunter2y" * places, known)
    assert read.places == places + text.count(b"hunter2")
    assert b"hunter2" not in read.kept
