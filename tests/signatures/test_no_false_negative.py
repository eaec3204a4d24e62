"""A signature never denies what the search of a step finds."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext.encodings import LATIN1, LEGACY, recoded
from joblogs.search import InvalidPattern, Pattern, occurs
from joblogs.search.signed_texts import SignedTexts
from joblogs.signatures import Bitmap, PatternPlaces, Signature

WORDS = (
    *(
        "disk",
        "Kernel",
        "ſtate",
        "ERROR",
        "10.0.3.17",
        "9f2c11d0ab34",
        "ab",
        "磁盘已满",
        "エラー",
        "é",
    ),
    *(
        "ÄÖ",
        "fail",
        "0",
        "17:03",
        "\u212a",
        "aaaaaa",
        " ",
        " ",
        "\t",
        "x-y_z",
        "dead:beef",
        "오류",
        ";1m",
    ),
)
CODES = (
    *(
        "\x1b[31m",
        "\x1b[0m",
        "\x1b[",
        "\x1b]0;title\x07",
        "\x1b]8;;http://x/\x1b\\",
        "\x1b(B",
        "\x1b=",
    ),
    *(
        "\x07",
        "\x00",
        "\x1b",
        "\x1b[2D",
        "\x08",
        "\r",
        "\r",
        "\r\n",
        "\x1b[K",
        "\x1bPabc",
        "\ufeff",
        "\x9b1m",
    ),
)
ENCODINGS = ("utf-8", *LEGACY, LATIN1, "utf-16-le", "utf-16")
BYTES = st.sampled_from((b"\xff", b"\xc2\x9b", b"\x81", b"\xe7\xa3", b"\x9b", b"\xd8\xa5"))
LINES = st.lists(st.sampled_from((*WORDS, *WORDS, *CODES, "\n")), min_size=1, max_size=24)


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    """Text in an encoding, with codes and with bytes that are none."""
    pieces = draw(st.lists(LINES, min_size=1, max_size=3))
    name = draw(st.sampled_from(ENCODINGS))
    log = b"".join("".join(piece).encode(name, "replace") for piece in pieces)
    return (
        log + draw(BYTES) + b"".join("".join(p).encode() for p in pieces)
        if draw(st.booleans()) and not name.startswith("utf-16")
        else log
    )


def signature_of(*logs: bytes) -> Signature:
    bitmap, texts = Bitmap(), SignedTexts()
    for log in logs:
        for text in texts.of([log]):
            bitmap.mark(text)
    return bitmap.signature()


def _denies(signature: Signature, text: str, *, regex: bool, ignore_case: bool) -> bool:
    places = PatternPlaces.of(text, regex=regex, ignore_case=ignore_case)
    return not places.columns(signature.row, 1)


def _texts(log: bytes) -> list[str]:
    """The log as it may be read, from which needles are cut."""
    names = ("utf-8", *LEGACY)
    plain = [recoded(log, name).decode() for name in names]
    return [*plain, *(t.decode(errors="ignore") for t in SignedTexts().of([log]))]


@given(st.data(), logs(), st.booleans(), st.booleans())
def test_what_is_found_is_never_denied(
    data: st.DataObject, log: bytes, regex: bool, ignore_case: bool
) -> None:
    read = data.draw(st.sampled_from(_texts(log)))
    start = data.draw(st.integers(0, len(read)))
    needle = read[start : start + data.draw(st.integers(1, 14))]
    if ignore_case:
        needle = data.draw(st.sampled_from((needle, needle.upper(), needle.lower())))
    if regex:
        needle = re2.escape(needle)
        if data.draw(st.booleans()):
            needle += data.draw(
                st.sampled_from((".*", "|abc", "?", "+", "{2}", "[a-c]", "$", "\\d"))
            )
    try:
        pattern = Pattern.of(needle, regex=regex, ignore_case=ignore_case)
    except InvalidPattern:
        return
    if occurs(pattern, [log]):
        assert not _denies(signature_of(log), needle, regex=regex, ignore_case=ignore_case)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("title", ["\x1b]0;zoe@web: ~\x07", "\x1b[0m\x1b]2;zoe@web: ~\x07"])
def test_a_title_with_the_text_after_it_is_not_denied(title: str, encoding: str) -> None:
    log = f"begun\n{title}磁盘 lost\n".encode(encoding)
    for needle in ("~磁盘", "web: ~磁盘 lo", "磁盘 lost"):
        assert occurs(Pattern.of(needle), [log])
        assert not _denies(signature_of(log), needle, regex=False, ignore_case=False)


@given(st.lists(st.binary(max_size=12), max_size=6), st.sampled_from((*LEGACY, LATIN1)))
def test_lines_recoded_together_hold_what_each_holds_by_itself(
    lines: list[bytes], name: str
) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    together = recoded(b"".join(line + b"\n" for line in lines), name).split(b"\n")
    for line, whole in zip(lines, together, strict=False):
        # A letter that its end cut takes what is there of it along.
        assert whole.startswith(recoded(line + b"\n", name).removesuffix(b"\n"))


def test_letters_beyond_ascii_that_expressions_take_for_ascii_are_not_asked_for() -> None:
    signature = signature_of("a diſK here".encode())
    assert occurs(Pattern.of("disk 磁?", regex=True, ignore_case=True), ["a diſK 磁".encode()])
    assert not _denies(
        signature_of("a diſK 磁盘".encode()), "disk 磁盘", regex=False, ignore_case=True
    )
    assert _denies(signature, "never printed", regex=False, ignore_case=True)


def test_of_letters_without_case_all_are_asked_for() -> None:
    options = re2.Options()
    options.case_sensitive = False
    caseless = [*range(0x2E80, 0xA4D0), *range(0xAC00, 0xD7A4)]
    letters = "".join(map(chr, caseless))
    pattern = re2.compile(
        "[\u0000-\u2e7f\ua4d0-\uabff\ud7a4-\ud7ff\ue000-\U0010ffff]".encode(), options
    )
    assert pattern.search(letters.encode()) is None
    assert PatternPlaces.of("磁盘已满", ignore_case=True) == PatternPlaces.of("磁盘已满")


@pytest.mark.parametrize("ascii_letter", "abcdefghijklmnopqrstuvwxyz")
def test_an_ascii_pattern_without_case_matches_ascii_only(ascii_letter: str) -> None:
    pattern = Pattern.of(ascii_letter, ignore_case=True)
    found = {byte for byte in range(256) if pattern.find(bytes([byte]))}
    assert found == {ord(ascii_letter), ord(ascii_letter.upper())}


@pytest.mark.parametrize(
    ("held", "absent"),
    [
        ("9F2C11D0AB34", "9f2c11d0ab35"),
        ("10.0.3.17:443", "10.0.3.18:443"),
        ("No space left", "no space, left"),
        ("磁盘已满", "磁盘未满"),
        ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf7"),
    ],
)
def test_what_is_not_there_is_told_from_what_is(held: str, absent: str) -> None:
    signature = signature_of(f"at 3: {held}, then nothing\n".encode() * 3, b"other\n")
    assert not _denies(signature, held, regex=False, ignore_case=False)
    assert _denies(signature, absent, regex=False, ignore_case=False)


@pytest.mark.parametrize(
    "braces", ["{01}", "{00}", "{003}", "{1,02}", "{00,}", "{,3}", "{}", "{a}"]
)
def test_braces_that_repeat_nothing_are_found_as_they_are(braces: str) -> None:
    expression = f"retry{braces}of"
    log = f"{expression}\n".encode()
    assert occurs(Pattern.of(expression, regex=True), [log])
    assert not _denies(signature_of(log), expression, regex=True, ignore_case=False)


@pytest.mark.parametrize(
    "expression",
    [
        r"disk\x{78c1}",
        r"disk\p{Han}",
        r"disk\pL",
        r"disk[\x{4e00}-\x{9fff}]",
        r"(disk|\PLabc)\x{0078C1}",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_letters_named_by_number_or_class_are_found(expression: str, encoding: str) -> None:
    log = "at 3: diſK磁盘已满\n".encode(encoding)
    assert occurs(Pattern.of(expression, regex=True, ignore_case=True), [log])
    assert not _denies(signature_of(log), expression, regex=True, ignore_case=True)


@pytest.mark.parametrize("expression", [r"C:\\part.x", r"\x{ff}?a.x", r"\x41?a.x"])
def test_other_expressions_in_ascii_take_each_byte_as_a_letter(expression: str) -> None:
    log = b"C:\\part\xffx a\x80x\n"
    assert occurs(Pattern.of(expression, regex=True), [log])
