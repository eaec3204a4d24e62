"""Search in a step, against what Python finds in the joined text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs import query
from joblogs.models import StepInstance
from joblogs.search import Budget, Hits, InvalidPattern, Pattern, Search
from joblogs.search.blocks import Block, blocks
from joblogs.search.finder import Finder, Shown
from tests import builders
from tests.builders import job, load, result, script_log, step


def _found(text: bytes, cuts: list[int], needle: str, context: int = 0, **how: Any) -> Hits:
    """Search a text that comes in pieces."""
    borders = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    parts = [text[a:b] for a, b in zip(borders, borders[1:], strict=False)]
    hits = Hits(host=None, label="")  # type: ignore[arg-type]
    finder = Finder(hits, Pattern.of(needle, **how), Shown(context, 1000))
    for block in blocks(parts):
        finder.search(block)
    return hits


def _expected(text: bytes, needle: bytes, context: int) -> list[tuple[int, bytes, bool]]:
    lines = text.splitlines(keepends=True) if b"\r" not in text else text.split(b"\n")
    wanted = {n for n, line in enumerate(lines) if needle in line}
    shown = {m for n in wanted for m in range(n - context, n + context + 1) if 0 <= m < len(lines)}
    return [(n + 1, lines[n], n in wanted) for n in sorted(shown)]


@given(
    st.lists(st.sampled_from([b"a", b"b", b"ab", b"\n", b"x"]), max_size=60).map(b"".join),
    st.lists(st.integers(0, 10_000), max_size=6),
    st.integers(0, 3),
)
def test_hits_and_context_do_not_depend_on_how_the_text_was_split(
    text: bytes, cuts: list[int], context: int
) -> None:
    hits = _found(text, cuts, "ab", context)
    assert [tuple(line[:3]) for line in hits.lines] == _expected(text, b"ab", context)
    assert hits.count == sum(matches for _, _, matches in _expected(text, b"ab", context))


def test_case_may_be_ignored_and_expressions_used() -> None:
    text = b"Error: one\nok\nERROR 42\n"
    assert _found(text, [], "error").count == 0
    assert _found(text, [], "error", ignore_case=True).count == 2
    assert _found(text, [], r"^ERROR \d+$", regex=True).count == 1  # the ends of a line, as in grep
    assert _found(text, [], r"\AERROR \d+$", regex=True).count == 0
    assert _found(text, [], "e.*", regex=True, ignore_case=True).count == 2


def test_a_literal_is_not_read_as_an_expression() -> None:
    assert _found(b"a.c\nabc\n", [], "a.c").count == 1


def test_text_of_any_alphabet_and_bytes_that_are_no_text_are_searched() -> None:
    text = "磁盘已满\n".encode() + b"\xff\xfe denied\n"
    assert [line.number for line in _found(text, [4], "已满").lines] == [1]
    assert _found(text, [], ".. denied", regex=True).count == 1


def test_an_expression_that_would_explode_elsewhere_is_answered() -> None:
    assert _found(b"a" * 200_000 + b"b\n", [], "(a+)+$", regex=True).count == 0


@pytest.mark.parametrize(
    "text", ["(", "a" * 1025, "", "a\nb", "(?<=a)b", "\ud800", "x{2000}{2000}"]
)
def test_what_is_no_pattern_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(InvalidPattern, match="."):
        Pattern.of(text, regex=True)


def test_a_huge_line_is_searched_in_bounded_blocks_and_counts_once() -> None:
    size = 5 * 1024 * 1024
    text = b"first\n" + b"x" * size + b"needle" + b"y" * size + b"needle\nlast needle\n"
    parts = [text[n : n + 300_000] for n in range(0, len(text), 300_000)]
    cut = list(blocks(parts))
    assert max(len(block.data) for block in cut) < 2 * 1024 * 1024
    hits = Hits(host=None, label="")  # type: ignore[arg-type]
    finder = Finder(hits, Pattern.of("needle"), Shown())
    for block in cut:
        finder.search(Block(*block))
    assert [line.number for line in hits.lines] == [2, 3]
    assert max(len(line.data) for line in hits.lines) <= 4096


@pytest.mark.django_db
def test_counts_come_per_host_and_only_of_hosts_that_have_any() -> None:
    load(
        job(),
        step(),
        *(result(host) for host in (1, 2, 3)),
        script_log("disk full\nok\ndisk fu", host=1),
        script_log("ll\n", host=1, offset=20),
        script_log("ok\n", host=2),
        script_log("disk full", host=3),
    )
    found = StepInstance.objects.select_related("job").get()
    hosts, _ = query.hosts_of(found)
    search = Search(found, hosts, Pattern.of("disk full"), context=1)
    hits = list(search)
    assert [(hit.host.bk_host_id, hit.count) for hit in hits] == [(1, 2), (3, 1)]
    assert [line.number for line in hits[0].lines] == [1, 2, 3]
    assert (search.searched_logs, search.searched_bytes, search.stopped) == (3, 35, "")


@pytest.mark.django_db
def test_the_contents_of_file_logs_are_searched_too() -> None:
    load(
        job(),
        step(step_type=2),
        result(),
        builders.file_log(offset=0, content="State: no space left\n", status=5),
    )
    found = StepInstance.objects.select_related("job").get()
    hosts, _ = query.hosts_of(found)
    (hits,) = Search(found, hosts, Pattern.of("no space"))
    assert (hits.label, hits.count) == ("/tmp/1.log", 1)  # noqa: S108 - a path in a record


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("budget", "why"), [(Budget(size=5), "size"), (Budget(seconds=1e-9), "time")]
)
def test_a_search_beyond_its_budget_says_so(budget: Budget, why: str) -> None:
    logs = (script_log("hello\n", host=host) for host in (1, 2, 3))
    load(job(), step(), *(result(host) for host in (1, 2, 3)), *logs)
    found = StepInstance.objects.select_related("job").get()
    hosts, _ = query.hosts_of(found)
    search = Search(found, hosts, Pattern.of("hello"), budget=budget)
    assert len(list(search)) == 1
    assert (search.stopped, search.searched_logs) == (why, 0)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4))
def test_every_line_of_any_bytes_is_found_once(text: bytes, cuts: list[int]) -> None:
    lines = text.count(b"\n") + (not text.endswith(b"\n") and bool(text))
    found = _found(text, cuts, "(?s:.?)", regex=True)
    assert [line.number for line in found.lines] == list(range(1, lines + 1))
