"""Names in the code are the field's words: none of these comes back as part of one."""

from __future__ import annotations

import ast
import re
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
    "jobplatform/settings.py": {"frame"},  # X_FRAME_OPTIONS
    "benchmarks/journeys.py": {"frame"},  # of Python, in a profiler
}
LATER = ("joblogs/shippers/",)
"""Still named in the old words; take a folder out once it is clean."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts and not path.relative_to(ROOT).as_posix().startswith(LATER)
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
