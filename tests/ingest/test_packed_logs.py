"""Late pieces of logs that lie in packs: judged as before, and no other log of the pack changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from joblogs.logtext import codec, store
from joblogs.logtext.store.spans import PACK_MAX_BYTES
from joblogs.maintenance import packing
from joblogs.models import HostResult, LogChunk, LogPack
from tests.builders import job, load, result, script_log, send, step
from tests.queries import chunks, text, the_result, the_step

pytestmark = pytest.mark.django_db


def pack(*texts: str, number: int = 200, **fields: Any) -> list[HostResult]:
    """The host results of a finished step whose logs are these, in packs."""
    load(job(status=3), step(number, status=3))
    for host, data in enumerate(texts, 1):
        load(
            result(host, step=number, **({"status": 9} | fields)),
            script_log(data, host=host, step=number),
        )
    packing.pack_step(the_step(number))
    rows = HostResult.objects.for_step(the_step(number)).order_by("pk")
    assert not LogChunk.objects.filter(host_result_id__in=rows.values("pk")).exists()
    return list(rows)


def late(content: str, *, host: int, offset: int, step: int = 200) -> Any:
    return script_log(content, host=host, offset=offset, step=step)


def fresh(rows: list[HostResult]) -> list[HostResult]:
    return list(HostResult.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk"))


def packed_bytes() -> int:
    """Bytes of text in packs."""
    return sum(LogPack.objects.values_list("size", flat=True))


def test_a_late_piece_takes_its_log_out_of_the_pack_and_leaves_the_others_there() -> None:
    rows = pack("one\n", "two\n", "three\n")
    load(late("more\n", host=2, offset=4))
    now = fresh(rows)
    assert [text(row) for row in now] == [b"one\n", b"two\nmore\n", b"three\n"]
    assert [row.pack is None for row in now] == [False, True, False]
    assert packed_bytes() == len("one\nthree\n")
    # A pack of that number stays away for ever: who named it asks again.
    assert LogPack.objects.get().number == 2
    assert [text(row) for row in rows] == [b"one\n", b"two\n", b"three\n"]


def test_the_last_log_of_a_pack_leaves_none_and_its_number_is_not_given_again() -> None:
    rows = pack("one\n")
    load(late("more\n", host=1, offset=4))
    assert not LogPack.objects.exists()
    packing.pack_step(the_step())
    assert LogPack.objects.get().number == 2
    assert text(fresh(rows)[0]) == b"one\nmore\n"


def test_a_long_log_with_packs_of_its_own_goes_back_to_chunks() -> None:
    data = "".join(f"{number:07}\n" for number in range(PACK_MAX_BYTES))
    rows = pack(data, "other\n")
    load(late("more\n", host=1, offset=len(data)))
    (long, other) = fresh(rows)
    assert text(long) == data.encode() + b"more\n"
    assert [chunk.offset for chunk in chunks(long)] == [0, 2**20, 2 * 2**20]
    assert (text(other), packed_bytes()) == (b"other\n", 6)


def test_repeats_and_contradictions_of_a_packed_log_are_judged_and_move_nothing() -> None:
    rows = pack("one line\n", "two lines\n")
    assert send(late("one line\n", host=1, offset=0)).duplicates == 1
    assert send(late("line", host=1, offset=4)).duplicates == 1
    refused = send(late("LINE", host=1, offset=4), late("gap", host=2, offset=99)).refused
    assert [(r.reason, r.expected_offset) for r in refused] == [("conflict", 9), ("gap", 10)]
    assert [row.pack for row in fresh(rows)] == [1, 1]


def test_an_overlap_is_compared_with_packed_bytes_and_its_tail_is_appended() -> None:
    rows = pack("one line\n", "two lines\n")
    assert send(late("line\nand more\n", host=1, offset=4)).accepted == 1
    assert text(fresh(rows)[0]) == b"one line\nand more\n"


def test_a_mask_that_begins_in_packed_bytes_ends_in_a_late_piece(settings: Any) -> None:
    settings.MASK_SECRETS = True
    rows = pack("first\n", "password=hun", "third\n", status=7)
    load(late("ter2\n", host=2, offset=12))
    assert [text(row) for row in fresh(rows)] == [
        *(b"first\n", b"password=" + b"*" * 7 + b"\n", b"third\n")
    ]
    assert b"hun" not in b"".join(bytes(chunk.data) for chunk in LogChunk.objects.all())
    assert packed_bytes() == len("first\nthird\n")


def test_a_second_attempt_of_a_packed_step_is_another_log() -> None:
    rows = pack("first try\n", "fine\n")
    load(
        result(1, execute_count=1, status=9),
        script_log("second try\n", host=1, execute_count=1),
    )
    again = the_result(1, execute_count=1)
    assert (text(again), again.pack) == (b"second try\n", None)
    assert packing.pack_step(the_step()) == 1
    assert [text(row) for row in fresh([*rows, again])] == [
        *(b"first try\n", b"fine\n", b"second try\n")
    ]


def test_several_late_pieces_of_one_request_leave_their_packs_together() -> None:
    rows = pack(*(f"log {host}\n" for host in range(1, 9)))
    load(*(late("more\n", host=host, offset=6) for host in (7, 2, 5)))
    wanted = [f"log {host}\n" + "more\n" * (host in (2, 5, 7)) for host in range(1, 9)]
    assert [text(row).decode() for row in fresh(rows)] == wanted
    assert packed_bytes() == 5 * 6


def test_a_late_piece_of_a_log_in_a_damaged_pack_is_refused_and_others_are_taken() -> None:
    rows = pack("one\n", "two\n")
    load(result(3), script_log("three\n", host=3))
    LogPack.objects.update(data=b"damaged", codec=codec.ZSTD)
    report = send(late("more\n", host=1, offset=4), late("more\n", host=3, offset=6))
    assert [(r.reason, r.expected_offset) for r in report.refused] == [("conflict", 4)]
    assert (report.accepted, text(the_result(3))) == (1, b"three\nmore\n")
    assert [row.pack for row in fresh(rows)] == [1, 1]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.text("ab\n", max_size=9), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), st.text("xy\n", min_size=1, max_size=9)), max_size=6),
    st.data(),
)
def test_any_late_pieces_between_any_packings_read_back_as_all_that_was_sent(
    texts: list[str], pieces: list[tuple[int, str]], more: Any
) -> None:
    with transaction.atomic():
        sid = transaction.savepoint()
        rows = pack(*texts)
        held = {row.host_id: data for row, data in zip(rows, texts, strict=True)}
        for index, data in pieces:
            host = rows[index % len(rows)].host_id
            load(late(data, host=host, offset=len(held[host])))
            held[host] += data
            if more.draw(st.booleans()):
                packing.pack_step(the_step())
            assert [text(row).decode() for row in fresh(rows)] == list(held.values())
            # Every byte once: in chunks, or in packs.
            in_chunks = sum(LogChunk.objects.values_list("size", flat=True))
            assert in_chunks + packed_bytes() == sum(map(len, held.values()))
        transaction.savepoint_rollback(sid)


def together(*works: Callable[[], object]) -> None:
    """Run these at once, each with a connection of its own."""

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_late_pieces_of_all_logs_of_a_pack_at_once_lose_none() -> None:
    rows = pack(*(f"log {host}\n" for host in range(1, 5)))
    together(
        *(lambda host=host: load(late("more\n", host=host, offset=6)) for host in (4, 2, 1, 3))
    )
    assert [text(row).decode() for row in fresh(rows)] == [
        f"log {host}\nmore\n" for host in range(1, 5)
    ]
    assert not LogPack.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_reader_beside_packing_and_late_pieces_meets_all_bytes_at_any_moment() -> None:
    texts = [f"log {host} " * 500 + "\n" for host in range(1, 7)]
    rows = pack(*texts)
    done, wrong, reads = threading.Event(), list[bytes](), 0

    def read() -> None:
        nonlocal reads
        # With the rows as they were read at first: all they say of places is old soon.
        while not done.is_set() or not reads:
            spans = [store.span_of(row) for row in rows]
            found = [b"".join(parts).decode() for _, parts in store.read(rows[0].day, spans)]
            wrong.extend(a.encode() for a, b in zip(found, texts, strict=True) if a != b)
            reads += 1

    def change() -> None:
        try:
            ends = [len(data) for data in texts]
            for turn in range(12):
                host = turn % len(rows)
                load(late("more\n", host=host + 1, offset=ends[host]))
                ends[host] += 5
                packing.pack_step(the_step())
        finally:
            done.set()

    together(read, change)
    assert reads and wrong == []
