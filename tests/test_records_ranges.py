"""The masked ranges that a record names: how many, at what cost, and what is kept of them."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs import record_json
from joblogs.ingest import file_logs, results
from joblogs.ingest.batching import batches
from joblogs.ingest.stream import Block
from joblogs.logtext.mask_ranges import HELD_RANGE_BYTES, RANGES_APART, RANGES_MAX, cover, declared
from joblogs.models import FileLog, HostResult
from tests.builders import Fields, file_log, job, load, result, script_log, step
from tests.export.exporting import comes_back
from tests.queries import the_result

MOST = record_json.LISTS_MAX
MASKED = [result(), file_log()]


def _ranges(number: int) -> list[list[int]]:
    return [[3 * n, 3 * n + 1] for n in range(number)]


def _line(said: Fields, ranges: object) -> bytes:
    return json.dumps(said | {"redacted": ranges}, separators=(",", ":")).encode()


def _refusal(line: bytes) -> str:
    with pytest.raises(record_json.InvalidRecord) as error:
        record_json.decode(line)
    assert record_json.decode_all([line]) is None
    return str(error.value)


@pytest.mark.parametrize("said", MASKED, ids=lambda said: said["type"])
def test_a_record_names_at_most_50000_ranges(said: Fields) -> None:
    assert len(record_json.decode(_line(said, _ranges(MOST))).redacted) == MOST  # type: ignore[union-attr, arg-type]
    assert "`redacted` has at most 50000 ranges" in _refusal(_line(said, _ranges(MOST + 1)))
    assert "`redacted`" in _refusal(_line(said, [[0, 1]] * (MOST + 1)))


def test_a_doubled_key_hides_none_of_them() -> None:
    one, many = b'"redacted":[[1,2]]', b'"redact\\u0065d":' + json.dumps([[0, 1]] * 60_000).encode()
    line = json.dumps(result()).encode()
    assert "`redacted`" in _refusal(line[:-1] + b"," + one + b"," + many + b"}")
    last = record_json.decode(line[:-1] + b"," + many + b"," + one + b"}")
    assert last.redacted == [(1, 2)]  # type: ignore[union-attr]


def test_brackets_in_texts_are_no_ranges() -> None:
    content = "[2026-11-30 08:00:00] [main] done\n" * 40_000
    said = file_log(offset=0, content=content, redacted=[[0, 2]], x_more=[[1]] * 60_000)
    record = record_json.decode(json.dumps(said).encode())
    assert (record.content, record.redacted) == (content, [(0, 2)])  # type: ignore[union-attr]
    printed = json.dumps(script_log(content)).encode()
    assert record_json.decode(printed) == record_json.decode(
        json.dumps(script_log(content)).encode()
    )


def test_nothing_is_built_of_ranges_that_are_too_many() -> None:
    line = _line(result(), [[0, 1]] * (15 * 1024 * 1024 // 6))
    assert len(line) > 14 * 1024 * 1024
    tracemalloc.start()
    try:
        assert _refusal(line)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The line once more, without what is not its own, and the value of its key.
    assert peak < 3.5 * len(line)


def test_records_of_many_ranges_are_applied_a_few_at_a_time() -> None:
    told = [_line(result(n), _ranges(MOST)) for n in range(1, 6)]
    sizes = [len(some.entries) for some in batches([Block(1, told)])]
    assert sizes == [1, 1, 1, 1, 1, 0]


@given(st.lists(st.integers(0, 2 * RANGES_APART), max_size=4), st.integers(0, 3))
def test_no_log_holds_more_than_2000_ranges(gaps: list[int], more: int) -> None:
    starts = [0]
    for gap in [*gaps, *[RANGES_APART] * (RANGES_MAX - 4 + more)]:
        starts.append(starts[-1] + 9 + gap)
    ranges = [(start, start + 7) for start in starts]
    for kept in (declared(ranges), cover([], ranges), cover(declared(ranges), ranges)):
        assert len(kept) <= RANGES_MAX
        assert declared(kept) == kept == cover(kept, [])
        assert kept[-1][1] == ranges[-1][1]


@pytest.mark.django_db
def test_a_batch_about_many_masked_logs_reads_the_ranges_of_a_few_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(results, "RANGES_AT_ONCE", 5 * RANGES_MAX)
    monkeypatch.setattr(file_logs, "GROUP_BYTES", 5 * RANGES_MAX * HELD_RANGE_BYTES)
    hosts, ranges = range(1, 41), _ranges(RANGES_MAX)
    load(job(), step(), *(result(host, status=7) for host in hosts))
    load(*(file_log(host, src_path=str(host), status=1) for host in hosts))
    for model in (HostResult, FileLog):
        model.objects.update(redacted=ranges, masked=RANGES_MAX)
    records = [
        *(result(host, status=9, update_time=1) for host in hosts),
        *(script_log("next\n", host=host) for host in hosts),
        *(file_log(host, src_path=str(host), offset=0, content="next\n") for host in hosts),
    ]
    tracemalloc.start()
    try:
        assert load(*records).accepted == 3 * len(hosts)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * 1024 * 1024
    for model in (HostResult, FileLog):
        assert {len(log.redacted or ()) for log in model.objects.iterator(1)} == {RANGES_MAX}


@pytest.mark.django_db
def test_what_is_held_of_very_many_ranges_comes_back() -> None:
    ranges = _ranges(RANGES_MAX + 50)
    text = "*b\n" * len(ranges)
    masked = result(redacted=ranges, status=9)
    file = file_log(offset=0, content=text, redacted=ranges)
    load(job(), step(), masked, script_log(text), file)
    held = [*ranges[: RANGES_MAX - 1], [ranges[RANGES_MAX - 1][0], ranges[-1][1]]]
    assert the_result().redacted == FileLog.objects.get().redacted == held
    assert load(job(), script_log(text)).duplicates == 2
    first = comes_back()
    assert json.dumps(held, separators=(",", ":")).encode() in first
