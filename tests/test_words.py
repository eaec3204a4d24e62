"""Names and prose in the code are the field's words: none of these comes back."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("joblogs", "jobplatform", "benchmarks")
UNWANTED = frozenset(
    [
        "room",
        "rooms",
        "door",
        "doors",
        "windows",
        "told",
        "said",
        "asked",
        "drawn",
        "upkeep",
        "sisters",
        "looking",
        "patience",
        "unseen",
        "unhurried",
        "strips",
        "odd",
        "shelf",
        "shelves",
        "slice",
        "slices",
        "frame",
        "frames",
        "standing",
    ]
)
"""Each with what stands for it: package, endpoint, field, request, maintenance, batch, chunk…"""
MEANT = {
    "joblogs/ingest/stream.py": {"frame"},  # of zstd
    "joblogs/logtext/codec.py": {"frame"},  # of zstd
    "joblogs/management/output.py": {"frame"},  # of Python, in a signal handler
    "joblogs/api/v3/step_detail.py": {"windows"},  # of BlueKing JOB: windows_interpreter
    "joblogs/shippers/ship_log.py": {"frame"},  # of Python, in a signal handler
    "jobplatform/settings.py": {"frame"},  # X_FRAME_OPTIONS
    "benchmarks/journeys.py": {"frame"},  # of Python, in a profiler
}
UNWANTED_IN_PROSE = frozenset(
    ["told", "said", "doors", "door", "upkeep", "patience", "unseen", "unhurried", "sisters"]
    + ["shelf", "shelves", "drawn", "let go", "lets go"]
)
"""Things are reported, returned, requested, printed, deleted; nobody tells or lets go of them."""
_PROSE = re.compile(rf"\b({'|'.join(sorted(UNWANTED_IN_PROSE))})\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts
)


def _names(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each identifier that a module binds or uses."""
    for node in ast.walk(ast.parse(source)):
        for attribute in ("id", "name", "attr", "arg", "asname"):
            name = getattr(node, attribute, None)
            if isinstance(name, str):
                yield getattr(node, "lineno", 1), name


def unwanted(file: str, source: str) -> list[str]:
    """The names of a file that hold an unwanted word, as `line: name`."""
    words = UNWANTED - MEANT.get(file, set())
    names = [(1, Path(file).stem), *_names(source)]
    return [
        f"{line}: {name}"
        for line, name in names
        if not words.isdisjoint(word.lower() for word in _WORD.findall(name))
    ]


def unwanted_prose(source: str) -> list[str]:
    """The comments, docstrings and texts that hold an unwanted word, as `line: word`."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [
        f"{token.start[0]}: {match[0]}"
        for token in tokens
        if token.type in (tokenize.COMMENT, tokenize.STRING)
        for match in _PROSE.finditer(token.string)
    ]


@pytest.mark.parametrize("file", [file for file in FILES if not file.startswith("benchmarks/")])
def test_no_comment_docstring_or_text_holds_an_old_word(file: str) -> None:
    assert unwanted_prose((ROOT / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", ["# said so\n", '"""Told to end."""\n', "a = 'Lets go'\n"])
def test_an_old_word_is_found_in_prose(source: str) -> None:
    assert unwanted_prose(source)


@pytest.mark.parametrize("file", FILES)
def test_no_name_holds_an_old_word(file: str) -> None:
    assert unwanted(file, (ROOT / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    ["said = 1", "def told_by(x): ...", "class OddLine: ...", "f(door=1)", "a.FRAME_BYTES"],
)
def test_an_old_word_is_found_in_any_name(source: str) -> None:
    assert unwanted("joblogs/a.py", source)


def test_a_word_within_another_is_none() -> None:
    assert unwanted("joblogs/a.py", "framework = bedroom = oddity") == []
