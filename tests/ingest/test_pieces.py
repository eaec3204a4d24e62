"""Pieces of script logs on the real database: gaps, contradictions, limits, masks, expiry."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from joblogs.ingest import Report
from joblogs.maintenance import expiry
from joblogs.models import JobInstance, LogChunk
from tests.builders import HOST, job, load, result, script_log, send, step
from tests.queries import chunks, facts, log, recut, text, the_result

pytestmark = pytest.mark.django_db

BEGUN = (job(), step(), result(status=7))


def reasons(report: Report) -> list[tuple[str, int | None]]:
    return [(entry.reason.value, entry.expected_offset) for entry in report.refused]


def test_a_gap_is_refused_with_the_offset_expected_and_nothing_is_written() -> None:
    load(*BEGUN, script_log("12345"))
    before = facts(the_result()), [facts(chunk) for chunk in chunks(the_result())]
    report = send(job(), script_log("x", offset=6))
    assert reasons(report) == [("gap", 5)]
    assert (facts(the_result()), [facts(chunk) for chunk in chunks(the_result())]) == before


def test_a_contradiction_is_refused_with_the_offset_expected_and_nothing_is_written() -> None:
    load(*BEGUN, script_log("12345"))
    before = facts(the_result()), [facts(chunk) for chunk in chunks(the_result())]
    report = send(job(), script_log("2X456789", offset=1))
    assert reasons(report) == [("conflict", 5)]
    assert (facts(the_result()), [facts(chunk) for chunk in chunks(the_result())]) == before


def test_a_refused_piece_does_not_poison_the_others_of_its_slice() -> None:
    report = send(
        *BEGUN,
        script_log("abc"),
        script_log("XX", offset=2),
        script_log("later", offset=9),
        script_log("def", offset=3),
    )
    assert reasons(report) == [("conflict", 3)]
    assert (report.accepted, report.refused_total) == (5, 2)
    assert log() == b"abcdef"


def test_an_overlap_that_agrees_is_accepted_and_only_its_tail_is_added() -> None:
    load(*BEGUN, script_log("12345"))
    assert load(job(), script_log("45678", offset=3)).accepted == 1
    assert log() == b"12345678"


def test_a_repeat_is_compared_with_chunks_that_were_recut_meanwhile() -> None:
    load(*BEGUN, *(script_log("abc", offset=3 * n) for n in range(5)))
    recut(the_result(), [1, 8, 11])
    report = send(job(), script_log("bcabca", offset=4), script_log("bcabcX", offset=7))
    assert (report.duplicates, reasons(report)) == (2, [("conflict", 15)])


def test_offsets_count_bytes_not_characters() -> None:
    load(*BEGUN, script_log("日志"))
    report = send(job(), script_log("!", offset=2), script_log("!", offset=6))
    assert reasons(report) == [("conflict", 6)]
    assert log() == "日志!".encode()


@settings(max_examples=15)
@given(st.binary(min_size=1, max_size=40), st.integers(1, 30), st.lists(st.integers(1, 39)))
def test_past_the_limit_pieces_are_accepted_counted_and_not_kept(
    data: bytes, limit: int, cuts: list[int]
) -> None:
    expiry.forget(list(JobInstance.objects.all()))
    text_of = data.hex()
    borders = sorted({0, len(text_of), *(cut for cut in cuts if cut < len(text_of))})
    pieces = [
        script_log(text_of[start:stop], offset=start)
        for start, stop in zip(borders, borders[1:], strict=False)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.LOG_MAX_BYTES", limit)
        load(*BEGUN)
        assert load(job(), *pieces).accepted == len(pieces)
        assert send(job(), *pieces).accepted == 0
    row = the_result()
    assert log() == text_of[:limit].encode()
    assert row.received_size == len(text_of)
    assert row.truncated == (len(text_of) > limit)


def test_the_expected_offset_of_a_truncated_log_is_what_was_received(
    settings: Settings,
) -> None:
    settings.LOG_MAX_BYTES = 4
    load(*BEGUN, script_log("123456"))
    assert reasons(send(job(), script_log("9", offset=8))) == [("gap", 6)]
    assert load(job(), script_log("78", offset=6)).accepted == 1
    row = the_result()
    assert (row.received_size, row.held_size, row.truncated) == (8, 4, True)


@pytest.mark.parametrize("cut", [0, 1, 3, 5])
def test_an_import_of_a_truncated_log_goes_on_after_any_cut(cut: int) -> None:
    exported = [
        job(),
        step(),
        result(status=9, truncated=True, received_size=50),
        *(script_log("abcd", offset=4 * n) for n in range(5)),
    ]
    load(*exported[: 3 + cut])
    again = load(*exported)
    row = the_result()
    assert again.accepted == 5 - cut
    assert log() == b"abcd" * 5
    assert (row.received_size, row.held_size, row.truncated) == (50, 20, True)
    assert load(*exported).accepted == 0


def test_a_truncated_log_is_appended_as_far_as_this_store_keeps(settings: Settings) -> None:
    settings.LOG_MAX_BYTES = 6
    load(job(), step(), result(truncated=True, received_size=50), script_log("abcd"))
    assert load(job(), script_log("efgh", offset=4)).accepted == 1
    assert log() == b"abcdef"
    assert the_result().received_size == 50


def test_over_a_masked_range_a_repeat_is_accepted_on_its_length() -> None:
    load(*BEGUN, script_log("user=root pw=****** ok\n"))
    row = the_result()
    row.redacted = [[13, 19]]
    row.save(update_fields=["redacted"])
    same = send(job(), script_log("user=root pw=secret ok\n"))
    assert (same.duplicates, same.refused) == (2, [])
    other = send(job(), script_log("user=ROOT pw=secret ok\n"))
    assert reasons(other) == [("conflict", 23)]
    assert log() == b"user=root pw=****** ok\n"


def test_a_masked_export_comes_in_with_its_masks() -> None:
    load(job(), step(), result(redacted=[[2, 4]]), script_log("ab**ef"))
    assert load(job(), script_log("abcdef")).duplicates == 2
    assert the_result().redacted == [[2, 4]]


def test_an_expired_job_takes_no_pieces_and_stores_nothing() -> None:
    load(*BEGUN, script_log("abc"))
    JobInstance.objects.update(expired_at=1, expired_policy="90 days")
    report = send(job(), script_log("abc"), script_log("def", offset=3), result(tag="seen"))
    assert {entry.reason.value for entry in report.refused} == {"expired"}
    assert (report.accepted, report.duplicates, report.refused_total) == (1, 1, 2)
    assert the_result().received_size == 3


def test_an_expired_job_comes_in_without_logs() -> None:
    expired = {"at": 1_800_000_000_000, "policy": "90 days"}
    report = send(job(expired=expired), step(), result(status=9), script_log("x"))
    assert reasons(report) == [("expired", None)]
    assert JobInstance.objects.get().expired_policy == "90 days"
    assert not LogChunk.objects.exists()


def test_expiry_said_of_a_job_that_is_held_does_not_take_its_logs() -> None:
    load(*BEGUN, script_log("abc"))
    load(job(expired={"at": 1, "policy": "90 days"}))
    assert JobInstance.objects.get().expired_at is None
    assert load(job(), script_log("def", offset=3)).accepted == 1


def test_attempts_batches_and_roles_have_logs_of_their_own() -> None:
    places = [(0, 0), (0, 1), (1, 0)]
    load(
        job(),
        step(),
        result(role="source"),
        *(result(execute_count=count, batch=batch) for count, batch in places),
        *(
            script_log(f"{count}/{batch}", execute_count=count, batch=batch)
            for count, batch in places
        ),
    )
    for count, batch in places:
        assert log(HOST, execute_count=count, batch=batch) == f"{count}/{batch}".encode()


def test_logs_of_one_slice_that_touch_become_one_chunk() -> None:
    load(*BEGUN, *(script_log("abc\n", offset=4 * n) for n in range(100)))
    row = the_result()
    assert [(chunk.offset, chunk.size, chunk.newlines) for chunk in chunks(row)] == [(0, 400, 100)]
    assert text(row) == b"abc\n" * 100
