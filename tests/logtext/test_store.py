"""Log text in the database: what is appended is read back, however it lies there."""

from __future__ import annotations

import base64
import itertools
import random
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given, settings
from hypothesis import strategies as st

from joblogs.logtext import store
from joblogs.logtext.pieces import CHUNK_MAX_BYTES, Hole
from joblogs.models import HostResult, LogChunk
from tests.builders import job, load, result, script_log, send, step
from tests.queries import chunks, recut, text, the_result

pytestmark = pytest.mark.django_db

FRESH = itertools.count(1)
"""Hosts that no example before has met: all examples of a property share one transaction."""
TEXTS = st.one_of(
    st.binary(max_size=80),
    st.text("ab中é\n\r\t\\\0", max_size=40).map(str.encode),
    st.sampled_from([b"", b"\n", b"\n\n\n", b"a\r\nb\r\n", "日志".encode("gbk") * 9]),
)
BIG = 20 * CHUNK_MAX_BYTES


def fresh_row() -> HostResult:
    host = next(FRESH)
    load(job(), step(), result(host, status=7))
    return the_result(host)


def hold(data: bytes) -> HostResult:
    """A host result whose log is `data`, appended at once."""
    row = fresh_row()
    store.append(row.day, [store.Addition(row.pk, 0, data)])
    row.held_size = row.received_size = len(data)
    row.save(update_fields=["held_size", "received_size"])
    return row


def big_log() -> bytes:
    return b"".join(b"%07d line\n" % number for number in range(BIG // 13 + 1))[:BIG]


def window(row: HostResult, start: int, stop: int) -> bytes:
    found = store.read(row.day, [store.Span(row.pk, start, stop, row.held_size)])
    return b"".join(part for _, parts in found for part in parts)


@settings(max_examples=25)
@given(TEXTS, st.data())
@example(b"\xe4\xb8", None)
def test_any_split_sent_in_any_requests_with_any_repeats_reads_back_as_the_same_bytes(
    data: bytes, more: Any
) -> None:
    row = fresh_row()
    draw = more.draw if more else lambda _: []
    borders = sorted({0, len(data), *draw(st.lists(st.integers(0, len(data)), max_size=5))})
    pieces = [
        script_log(
            None,
            host=row.host_id,
            offset=start,
            content_base64=base64.b64encode(data[start:stop]).decode(),
        )
        for start, stop in pairwise(borders)
    ]
    request: list[dict[str, Any]] = []
    for index, piece in enumerate(pieces):
        request.append(piece)
        request += draw(st.lists(st.sampled_from(pieces[: index + 1]), max_size=2))
        if draw(st.booleans()):
            load(*request)
            request = []
    load(job(), *request)
    row.refresh_from_db()
    assert text(row) == data
    assert row.received_size == row.held_size == len(data)
    assert row.lines == data.count(b"\n")
    assert send(job(), *pieces).accepted == 0


def test_every_chunk_of_one_huge_line_is_within_the_limit() -> None:
    line = b"x" * (5 * CHUNK_MAX_BYTES + 1)
    row = fresh_row()
    load(job(), script_log(line.decode(), host=row.host_id))
    row.refresh_from_db()
    sizes = [chunk.size for chunk in chunks(row)]
    assert max(sizes) <= CHUNK_MAX_BYTES
    assert sum(sizes) == len(line) == row.held_size
    assert text(row) == line


def test_50000_short_lines_become_few_chunks_within_the_limit() -> None:
    row = fresh_row()
    pieces = [
        script_log(f"{number:05}\n", host=row.host_id, offset=6 * number)
        for number in range(50_000)
    ]
    assert load(job(), *pieces).accepted == 50_000
    row.refresh_from_db()
    found = chunks(row)
    assert len(found) <= 50_000 // 4000 + 1
    assert all(chunk.size <= CHUNK_MAX_BYTES for chunk in found)
    assert all(left.offset + left.size == right.offset for left, right in pairwise(found))
    assert sum(chunk.newlines for chunk in found) == row.lines == 50_000
    assert text(row) == "".join(f"{number:05}\n" for number in range(50_000)).encode()


@settings(max_examples=25)
@given(TEXTS, st.lists(st.lists(st.integers(1, 79), max_size=6), max_size=3), st.data())
def test_recutting_the_chunks_changes_no_byte_of_any_range(
    data: bytes, cuts: list[list[int]], more: Any
) -> None:
    row = hold(data)
    for own in cuts:
        recut(row, own)
        assert text(row) == data
        start = more.draw(st.integers(0, len(data)))
        stop = more.draw(st.integers(start, len(data)))
        assert window(row, start, stop) == data[start:stop]


@pytest.mark.parametrize("size", [CHUNK_MAX_BYTES, 700_001, 65_536])
@pytest.mark.slow
def test_recutting_between_two_statements_of_one_read_changes_no_byte(size: int) -> None:
    data = big_log()
    row, other = hold(data), hold(data[:5000])
    spans = [store.Span(other.pk, 0, 5000), store.Span(row.pk, 0, BIG)]
    found: dict[int, bytes] = {row.pk: b"", other.pk: b""}
    for runs, (span, parts) in enumerate(store.read(row.day, spans), 1):
        found[span.log] += b"".join(parts)
        recut(row, range(runs, BIG, size))
        recut(other, [runs, 4999])
    assert runs == 1 + BIG // store.GROUP_BYTES + 1
    assert found[row.pk] == data
    assert found[other.pk] == data[:5000]


def test_a_log_that_grows_while_it_is_read_ends_at_the_size_that_the_reader_took() -> None:
    data = big_log()
    row = hold(data)
    parts: list[bytes] = []
    for _, found in store.read(row.day, [store.Span(row.pk, 0, BIG)]):
        parts += found
        size = len(b"".join(parts))
        store.append(row.day, [store.Addition(row.pk, BIG + size, b"more")])
    assert b"".join(parts) == data


def test_a_large_log_comes_in_runs_of_bounded_size() -> None:
    row = hold(big_log())
    runs = [sum(map(len, parts)) for _, parts in store.read(row.day, [store.Span(row.pk, 0, BIG)])]
    assert sum(runs) == BIG
    assert max(runs) <= store.GROUP_BYTES


@pytest.mark.parametrize("chunk", [0, 1, 4])
def test_a_hole_is_an_error_never_a_shorter_text(chunk: int) -> None:
    row = hold(b"line\n" * CHUNK_MAX_BYTES)
    gone = chunks(row)[chunk]
    LogChunk.objects.filter(day=row.day, host_result_id=row.pk, offset=gone.offset).delete()
    with pytest.raises(Hole):
        text(row)
    with pytest.raises(Hole):
        window(row, gone.offset + 5, gone.offset + 6)
    untouched = 0 if chunk else CHUNK_MAX_BYTES
    assert window(row, untouched, untouched + 10) == (b"line\n" * 3)[untouched % 5 :][:10]


def test_a_log_without_any_chunk_is_an_error_unless_it_is_empty() -> None:
    row, empty = fresh_row(), hold(b"")
    with pytest.raises(Hole):
        list(store.read(row.day, [store.Span(row.pk, 0, 1)]))
    assert list(store.read(row.day, [store.Span(empty.pk, 0, 0)])) == []


def test_a_chunk_that_is_there_already_is_loud_and_changes_nothing() -> None:
    row = hold(b"first")
    with pytest.raises(IntegrityError), transaction.atomic():
        store.append(row.day, [store.Addition(row.pk, 0, b"other")])
    assert text(row) == b"first"


def spread(count: int, size: int) -> tuple[list[HostResult], dict[int, bytes]]:
    hosts = [next(FRESH) for _ in range(count)]
    load(job(), step(), *(result(host) for host in hosts))
    rows = list(HostResult.objects.filter(host_id__in=hosts))
    texts = {row.pk: b"%d " % row.pk * size for row in rows}
    added = [store.Addition(key, 0, data) for key, data in texts.items() if data]
    store.append(rows[0].day, added)
    return rows, texts


def statements(read: Iterator[Any]) -> tuple[int, list[Any]]:
    with CaptureQueriesContext(connection) as captured:
        found = list(read)
    return len(captured), found


def test_50_logs_cost_as_many_statements_as_one() -> None:
    rows, texts = spread(50, size=20)
    spans = [store.Span(row.pk, 0, len(texts[row.pk])) for row in rows]
    one, _ = statements(store.read(rows[0].day, spans[:1]))
    many, found = statements(store.read(rows[0].day, spans))
    assert one == many == 1
    assert {span.log: b"".join(parts) for span, parts in found} == texts


def test_more_spans_than_a_statement_takes_come_in_their_order() -> None:
    rows, texts = spread(store.PARTIAL_SPANS + 30, size=3)
    ends = {row.pk: len(texts[row.pk]) for row in rows}
    spans = [store.Span(row.pk, 1 + row.pk % 4, ends[row.pk] - 1, ends[row.pk]) for row in rows]
    spans.reverse()
    _, found = statements(store.read(rows[0].day, spans))
    assert [span for span, _ in found] == spans
    assert all(b"".join(p) == texts[s.log][s.start : s.stop] for s, p in found)


def parts_of(rows: list[HostResult], size: int) -> dict[str, list[store.Span]]:
    """Little of each log, of which only the store knows how much else it has to fetch."""
    parts = {"first": (0, 100), "middle": (size // 2, size // 2 + 100), "last": (size - 100, size)}
    return {
        part: [store.Span(row.pk, start, stop, size) for row in rows]
        for part, (start, stop) in parts.items()
    }


def test_parts_of_500_ordinary_logs_take_as_many_statements_as_spans_need() -> None:
    rows, _ = spread(500, size=0)
    size, day = 20_000, rows[0].day
    store.append(day, [store.Addition(row.pk, 0, b"%019d\n" % row.pk * 1000) for row in rows])
    for spans in parts_of(rows, size).values():
        cost, found = statements(store.read(day, spans))
        assert cost == 500 // store.PARTIAL_SPANS + 1 == 2
        for span, parts in found:
            text = b"%019d\n" % span.log * 1000
            assert b"".join(parts) == text[span.start : span.stop]


def test_parts_of_many_logs_bring_no_more_chunks_into_memory_than_a_group_may_hold() -> None:
    rows, _ = spread(40, size=0)
    data = random.Random(1).randbytes(CHUNK_MAX_BYTES)  # noqa: S311 - not to be pressed
    store.append(rows[0].day, [store.Addition(row.pk, 0, data) for row in rows])
    for spans in parts_of(rows, len(data)).values():
        tracemalloc.start()
        found = [b"".join(parts) for _, parts in store.read(rows[0].day, spans)]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == [data[spans[0].start : spans[0].stop]] * len(rows)
        assert peak < 2 * store.GROUP_BYTES


def test_the_rest_of_a_large_log_may_stand_before_very_many_small_ones() -> None:
    rows, texts = spread(store.PARTIAL_SPANS + 200, size=3)
    first = rows[0]
    more = bytes(range(256)) * (9 * 4096)
    store.append(first.day, [store.Addition(first.pk, len(texts[first.pk]), more)])
    texts[first.pk] += more
    spans = [store.Span(row.pk, 0, len(texts[row.pk])) for row in rows]
    found: dict[int, bytes] = {}
    for span, parts in store.read(first.day, spans):
        found[span.log] = found.get(span.log, b"") + b"".join(parts)
    assert found == texts
