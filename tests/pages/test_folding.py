"""Folded names stand for exactly the names that went in."""

from __future__ import annotations

import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.grouping.host_ranges import fold

NAMES = st.lists(
    st.from_regex(r"(web|db-|10\.0\.|a1b)?[0-9]{1,4}(\.[a-z]{1,2}|-[0-9]{1,3})?", fullmatch=True)
    | st.text(max_size=8)
)
RANGES = re.compile(r"\[([0-9,-]+)\]")


def unfold(part: str) -> list[str]:
    """What a part stands for, by the words of `fold` alone."""
    found = RANGES.search(part)
    if not found or RANGES.fullmatch(part, found.start(), found.end()) is None:
        return [part]
    names = []
    for words in found[1].split(","):
        first, _, last = words.partition("-")
        last = last or first
        width = len(first) if len(first) == len(last) else 0
        numbers = range(int(first), int(last) + 1) if last != first else [int(first)]
        texts = [first] if last == first else [str(number).zfill(width) for number in numbers]
        names += [part[: found.start()] + text + part[found.end() :] for text in texts]
    return names


@given(NAMES.map(lambda names: [name for name in names if not re.search(r"[\[\],]", name)]))
def test_unfolded_it_is_what_went_in(names: list[str]) -> None:
    found = [name for part in fold(names) for name in unfold(part)]
    assert sorted(found) == sorted(set(names))


def test_a_name_of_nothing_but_numbers_costs_no_more_than_another() -> None:
    names = [f"{n:06d}" + "a1" * 125 for n in range(500)]
    tracemalloc.start()
    assert fold(names) == names
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@given(NAMES)
def test_it_is_never_longer_than_the_names_and_never_depends_on_their_order(
    names: list[str],
) -> None:
    parts = fold(names)
    assert len(parts) <= len(set(names))
    assert parts == fold(reversed(names))


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        ([f"shop-a-{n:03}" for n in range(1, 81)], ["shop-a-[001-080]"]),
        ([f"web-{n}" for n in range(8, 13)], ["web-[8-12]"]),
        (["a-08", "a-09", "a-10", "a-12"], ["a-[08-10,12]"]),
        (["n1.eu", "n2.eu", "n3.us"], ["n[1-2].eu", "n3.us"]),
        (["rack1-web", "rack2-web", "db"], ["db", "rack[1-2]-web"]),
        (["one[1]", "one[2]"], ["one[1]", "one[2]"]),
        (["web-99", "web-100", "web-0100"], ["web-[99-100,0100]"]),
        ([], []),
    ],
)
def test_examples(names: list[str], folded: list[str]) -> None:
    assert fold(names) == folded
