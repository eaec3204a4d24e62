"""Merging changes which rows hold a log, and nothing else."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from joblogs.logtext import store
from joblogs.logtext.pieces import CHUNK_MAX_BYTES
from joblogs.maintenance import compaction
from joblogs.models import HostResult, JobInstance, LogChunk
from tests.builders import job, load, result, script_log, send, step

pytestmark = pytest.mark.django_db


def _text(size: int, seed: int = 0) -> str:
    lines = (f"line {seed} {number} {number * 7919 % 10007}\n" for number in range(size // 12))
    return "".join(lines)[:size]


def _ship(text: str, *, pieces: int, host: int = 1, **fields: Any) -> None:
    """Send a log in pieces that each make a chunk of their own."""
    load(job(), step(), result(host, **fields))
    size = -(-len(text) // pieces)
    for start in range(0, len(text), size):
        load(script_log(text[start : start + size], host=host, offset=start))


def _stored(row: HostResult) -> bytes:
    span = store.Span(row.pk, 0, row.held_size)
    return b"".join(part for _, parts in store.read(row.day, [span]) for part in parts)


def test_chunks_of_a_finished_log_become_full_ones_and_no_byte_changes() -> None:
    text = _text(3_000_000)
    _ship(text, pieces=40, status=9)
    row = HostResult.objects.get()
    assert LogChunk.objects.count() == 40
    call_command("maintain_logs")
    assert _stored(row) == text.encode()
    sizes = list(LogChunk.objects.order_by("offset").values_list("size", flat=True))
    assert sizes == [CHUNK_MAX_BYTES, CHUNK_MAX_BYTES, len(text) - 2 * CHUNK_MAX_BYTES]
    newlines = sum(LogChunk.objects.values_list("newlines", flat=True))
    assert newlines == row.lines == text.count("\n")


def test_a_log_longer_than_a_group_is_merged_in_several_runs() -> None:
    text = _text(20_000_000)
    _ship(text, pieces=30, status=9)
    row = HostResult.objects.get()
    assert compaction.merge(row.day, row.pk) == 30 - 20
    assert _stored(row) == text.encode()


def test_a_log_of_whole_mebibytes_in_one_chunk_more_than_it_needs_is_merged() -> None:
    text = "x" * (2 * CHUNK_MAX_BYTES)
    load(job(), step(), result(1, status=9))
    cuts = (0, CHUNK_MAX_BYTES, CHUNK_MAX_BYTES + 10, len(text))
    for start, stop in zip(cuts, cuts[1:], strict=False):
        load(script_log(text[start:stop], host=1, offset=start))
    call_command("maintain_logs", "--every-day")
    row = HostResult.objects.get()
    assert LogChunk.objects.count() == 2
    assert _stored(row) == text.encode()


def test_merging_again_finds_nothing_to_do() -> None:
    _ship(_text(100_000), pieces=10, status=9)
    row = HostResult.objects.get()
    assert compaction.merge(row.day, row.pk) == 9
    assert list(compaction.due([row.day])) == []
    assert compaction.merge(row.day, row.pk) == 0


def test_a_running_log_is_merged_only_when_it_is_badly_scattered() -> None:
    _ship(_text(64_000), pieces=64, status=7)
    row = HostResult.objects.get()
    assert list(compaction.due([row.day])) == []
    load(script_log("more\n", host=1, offset=64_000))
    assert list(compaction.due([row.day])) == [(row.day, row.pk)]


def test_late_repeats_and_more_pieces_are_judged_as_before() -> None:
    text = _text(50_000)
    _ship(text, pieces=10, status=9)
    row = HostResult.objects.get()
    compaction.merge(row.day, row.pk)
    assert send(script_log(text[5000:9000], host=1, offset=5000)).duplicates == 1
    refused = send(script_log("not what was there", host=1, offset=5000)).refused
    assert [(entry.reason, entry.expected_offset) for entry in refused] == [("conflict", 50_000)]
    load(script_log("tail\n", host=1, offset=50_000))
    row.refresh_from_db()
    assert _stored(row) == text.encode() + b"tail\n"


def test_the_logs_of_an_expired_job_are_left_alone() -> None:
    _ship(_text(5_000), pieces=5, status=9)
    JobInstance.objects.update(expired_at=1)
    row = HostResult.objects.get()
    assert list(compaction.due([row.day])) == []
    assert compaction.merge(row.day, row.pk) == 0


def test_a_dry_run_counts_the_same_logs_and_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _ship(_text(5_000), pieces=5, status=9)
    call_command("maintain_logs", "--dry-run")
    assert "1 log merged" in capsys.readouterr().out
    assert LogChunk.objects.count() == 5
    call_command("maintain_logs")
    assert "1 log merged (saving 4 chunks)" in capsys.readouterr().out


def test_a_bounded_run_leaves_the_rest() -> None:
    for host in (1, 2, 3):
        _ship(_text(3_000, host), pieces=3, host=host, status=9)
    call_command("maintain_logs", "--limit", "2")
    assert LogChunk.objects.count() == 1 + 1 + 3


def test_logs_of_a_day_are_merged_together() -> None:
    counts = []
    for hosts in (range(1, 4), range(4, 34)):
        load(job(), step(), *(result(host, status=9) for host in hosts))
        for start in range(0, 600, 200):
            load(*(script_log(_text(200, start), host=host, offset=start) for host in hosts))
        rows = list(HostResult.objects.filter(host_id__in=hosts))
        before = [_stored(row) for row in rows]
        with CaptureQueriesContext(connection) as made:
            saved = compaction.merge(rows[0].day, *(row.pk for row in rows))
        assert saved == 2 * len(rows)
        assert [_stored(row) for row in rows] == before
        counts.append(len(made))
    assert counts[0] == counts[1]


def test_short_and_long_logs_of_a_day_are_merged_alike() -> None:
    texts = {1: _text(3_000_000, 1), 2: _text(500, 2), 3: _text(CHUNK_MAX_BYTES, 3), 4: ""}
    for host, text in texts.items():
        load(job(), step(), result(host, status=9))
        for start in range(0, len(text), -(-len(text) // 5) if text else 1):
            size = -(-len(text) // 5)
            load(script_log(text[start : start + size], host=host, offset=start))
    rows = {row.host_id: row for row in HostResult.objects.all()}
    keys = [row.pk for row in rows.values()]
    assert compaction.merge(rows[1].day, *keys) == (5 - 3) + (5 - 1) + (5 - 1)
    assert compaction.merge(rows[1].day, *keys) == 0
    for host, text in texts.items():
        assert _stored(rows[host]) == text.encode()


@pytest.mark.django_db(transaction=True)
def test_readers_see_the_same_bytes_while_a_log_is_merged() -> None:
    text = _text(12_000_000).encode()
    _ship(text.decode(), pieces=60, status=9)
    row = HostResult.objects.get()
    wrong: list[int] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                found = _stored(row)
                if found != text:
                    wrong.append(len(found))
        finally:
            connections.close_all()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert compaction.merge(row.day, row.pk) == 60 - 12
    finally:
        done.set()
        reader.join()
    assert wrong == []
    assert connection.vendor in ("sqlite", "postgresql")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_log_grows_and_is_repeated_while_it_is_merged() -> None:
    text, pieces, size = _text(200_000), 100, 2_000
    _ship(text[: 70 * size], pieces=70, status=7)
    row = HostResult.objects.get()
    verdicts: list[tuple[int, int, int]] = []

    def write() -> None:
        try:
            for at in range(70, pieces):
                own = script_log(text[at * size : (at + 1) * size], host=1, offset=at * size)
                early = at % 70
                old = script_log(text[early * size :][:size], host=1, offset=early * size)
                report = send(own, old)
                verdicts.append((report.accepted, report.duplicates, report.refused_total))
        finally:
            connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    saved = 0
    while writer.is_alive():
        saved += compaction.merge(row.day, row.pk)
    writer.join()
    assert verdicts == [(1, 1, 0)] * 30
    assert saved + compaction.merge(row.day, row.pk) >= pieces - 1
    row.refresh_from_db()
    assert _stored(row) == text.encode()
