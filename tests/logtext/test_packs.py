"""Packs: logs of a step that lie together read back as the same bytes, wherever they are cut."""

from __future__ import annotations

import itertools
import random
import tracemalloc
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from joblogs.logtext import store
from joblogs.logtext.pieces import CHUNK_MAX_BYTES, Hole
from joblogs.logtext.store.spans import PACK_MAX_BYTES
from joblogs.maintenance import packing
from joblogs.models import HostResult, LogChunk, LogPack
from joblogs.query import StepHost, Text, script_text
from tests.builders import job, load, result, step
from tests.queries import text, the_step

pytestmark = pytest.mark.django_db

STEPS = itertools.count(1000)
"""Steps that no example before has met: all examples of a property share one transaction."""
TEXTS = st.one_of(
    st.binary(max_size=80),
    st.text("ab中é\n\r\t\\\0", max_size=40).map(str.encode),
    st.sampled_from([b"", b"\n", b"\n\n\n", b"a\r\nb\r\n", "日志".encode("gbk") * 9]),
)
LONG = b"".join(b"%07d line\n" % number for number in range(3 * CHUNK_MAX_BYTES // 13))


def step_of(*texts: bytes) -> list[HostResult]:
    """The host results of a finished step whose logs are these, in chunks."""
    number = next(STEPS)
    hosts = range(1, len(texts) + 1)
    load(*(job(), step(number, status=3)), *(result(host, step=number, status=9) for host in hosts))
    rows = list(HostResult.objects.for_step(the_step(number)).order_by("pk"))
    day = rows[0].day
    store.append(day, [store.Addition(r.pk, 0, t) for r, t in zip(rows, texts, strict=True)])
    for row, data in zip(rows, texts, strict=True):
        row.held_size = row.received_size = len(data)
        row.lines = data.count(b"\n")
        row.save(update_fields=["held_size", "received_size", "lines"])
    return rows


def packed(*texts: bytes) -> list[HostResult]:
    """The same in packs."""
    return pack(step_of(*texts))


def pack(rows: Sequence[HostResult]) -> list[HostResult]:
    packing.pack_step(rows[0].step)
    return fresh(rows)


def fresh(rows: Sequence[HostResult]) -> list[HostResult]:
    return list(HostResult.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk"))


def read(spans: Sequence[store.Span], row: HostResult) -> list[bytes]:
    return [b"".join(parts) for _, parts in store.read(row.day, spans)]


def lines_at(found: Text, places: Sequence[int]) -> list[tuple[int, ...]]:
    """What a text tells of lines, by bytes and by numbers."""
    lines = range(min(found.newlines, 4) + 2)
    return [(found.newlines_before(place), found.line_end(place)) for place in places] + [
        (found.after_newline(nth),) for nth in (*lines, found.newlines)
    ]


def statements(stream: Iterator[Any]) -> tuple[int, list[Any]]:
    with CaptureQueriesContext(connection) as captured:
        found = list(stream)
    return len(captured), found


@settings(max_examples=25)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.data())
def test_packing_changes_no_byte_of_any_range_of_any_log(texts: list[bytes], more: Any) -> None:
    before = step_of(*texts)
    rows = pack(before)
    assert [text(row) for row in rows] == texts
    assert not LogChunk.objects.filter(host_result_id__in=[row.pk for row in rows]).exists()
    draw, spans, wanted = more.draw, [], []
    for row, data in draw(st.permutations(list(zip(rows, texts, strict=True)))):
        start = draw(st.integers(0, len(data)))
        stop = draw(st.integers(start, len(data)))
        spans.append(store.span_of(row, start, stop))
        wanted += [data[start:stop]] if start < stop else []
    assert read(spans, rows[0]) == wanted
    # A reader that read the rows before they were packed finds the same.
    stale = [span._replace(place=None) for span in spans]
    assert read(stale, rows[0]) == wanted


@settings(max_examples=25)
@given(st.lists(TEXTS, min_size=1, max_size=4), st.data())
def test_packing_changes_no_line_number_and_no_end_of_a_line(texts: list[bytes], more: Any) -> None:
    rows = step_of(*texts)
    index = more.draw(st.integers(0, len(texts) - 1))
    data, hosts = texts[index], StepHost(rows[index], [rows[index]])
    places = [0, *sorted(more.draw(st.sets(st.integers(0, len(data)), max_size=4))), len(data)]
    before = script_text(rows[index].step, hosts)
    told = lines_at(before, places)
    pack(rows)
    assert lines_at(script_text(rows[index].step, hosts), places) == told
    # So does who read the rows before they were packed.
    assert lines_at(before, places) == told


def test_logs_share_packs_of_256_kib_and_a_longer_log_has_packs_of_its_own() -> None:
    share = LONG[: PACK_MAX_BYTES // 2]
    rows = packed(share, LONG, share, b"last\n", b"")
    assert [(row.pack, row.pack_start) for row in rows] == [
        *((1, 0), (3, 0), (1, len(share)), (2, 0), (None, None)),
    ]
    found = LogPack.objects.filter(step_id=rows[0].step_id).order_by("number")
    longer = [len(LONG[at : at + CHUNK_MAX_BYTES]) for at in range(0, len(LONG), CHUNK_MAX_BYTES)]
    assert [pack.number for pack in found] == list(range(1, 3 + len(longer)))
    assert [pack.size for pack in found] == [PACK_MAX_BYTES, 5, *longer]
    assert fresh(rows)[0].step.last_pack == 2 + len(longer)
    assert [text(row) for row in rows] == [share, LONG, share, b"last\n", b""]


def test_any_range_and_line_of_a_long_packed_log_is_that_of_its_chunks() -> None:
    (row,) = step_of(LONG)
    host = StepHost(row, [row])
    before = script_text(row.step, host)
    places = [0, 5, CHUNK_MAX_BYTES - 1, CHUNK_MAX_BYTES, 2 * CHUNK_MAX_BYTES + 77, len(LONG) - 1]
    told, lines = lines_at(before, places), before.after_newline(80_661)
    (row,) = pack([row])
    for found in (script_text(row.step, StepHost(row, [row])), before):
        assert lines_at(found, places) == told
        assert found.after_newline(80_661) == lines
        assert [found.read(p, p + 9) for p in places] == [LONG[p : p + 9] for p in places]


def test_packed_logs_cost_as_many_statements_as_one_and_decode_a_pack_once() -> None:
    rows = packed(*(b"%019d\n" % number * 40 for number in range(50)))
    day = rows[0].day
    one, _ = statements(store.read(day, [store.span_of(rows[0])]))
    many, found = statements(store.read(day, [store.span_of(row) for row in rows]))
    assert one == many == 1
    assert [b"".join(parts) for _, parts in found] == [
        b"%019d\n" % number * 40 for number in range(50)
    ]


def test_logs_in_chunks_and_in_packs_of_several_steps_are_read_together() -> None:
    steps = [packed(b"one\n", b"two\n"), step_of(b"three\n"), packed(b"four\n", LONG)]
    rows = [row for own in steps for row in own]
    spans = [store.span_of(row) for row in reversed(rows)]
    cost, found = statements(store.read(rows[0].day, spans[1:]))
    assert [b"".join(parts) for _, parts in found] == [b"four\n", b"three\n", b"two\n", b"one\n"]
    assert cost == 2
    assert b"".join(read(spans, rows[0])) == LONG + b"four\nthree\ntwo\none\n"


def test_a_reader_that_does_not_know_where_logs_lie_finds_all_in_three_statements() -> None:
    rows = packed(*(b"%d\n" % number for number in range(30)))
    unknown = [store.Span(row.pk, 0, row.held_size) for row in rows]
    cost, found = statements(store.read(rows[0].day, unknown))
    assert b"".join(part for _, parts in found for part in parts) == b"".join(map(text, rows))
    assert cost == 3


@pytest.mark.parametrize("pack_number", [1, 2])
def test_a_pack_that_is_missing_is_an_error_never_a_shorter_text(pack_number: int) -> None:
    short, long = packed(b"short\n", LONG)
    LogPack.objects.filter(step_id=short.step_id, number=pack_number).delete()
    gone, left = (short, long) if pack_number == 1 else (long, short)
    with pytest.raises(Hole):
        text(gone)
    assert text(left) == (LONG if left is long else b"short\n")


def test_bytes_of_a_packed_log_are_replaced_in_place_and_no_others() -> None:
    rows = packed(b"first\n", b"password=hunter2\n", LONG)
    store.replace(rows[1].day, store.span_of(rows[1], 9, 16), b"*******")
    border = CHUNK_MAX_BYTES - 3
    store.replace(rows[2].day, store.span_of(rows[2], border, border + 6), b"******")
    masked = LONG[:border] + b"******" + LONG[border + 6 :]
    assert [text(row) for row in fresh(rows)] == [b"first\n", b"password=*******\n", masked]
    assert [row.pack for row in fresh(rows)] == [row.pack for row in rows]


def test_packs_bring_no_more_into_memory_than_a_group_may_hold() -> None:
    data = random.Random(1).randbytes(PACK_MAX_BYTES)  # noqa: S311 - not to be pressed
    rows = packed(*[data] * 80)
    spans = [store.span_of(row, 7, 9) for row in rows]
    tracemalloc.start()
    found = read(spans, rows[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [data[7:9]] * len(rows)
    assert peak < 2 * store.GROUP_BYTES


def test_packing_again_finds_nothing_to_do() -> None:
    rows = packed(b"one\n", b"two\n")
    assert packing.pack_step(rows[0].step) == 0
    assert [row.pack for row in fresh(rows)] == [1, 1]
