"""What is refused, with line and reason, while the rest goes in (RECORDS, Over HTTP)."""

from __future__ import annotations

import json

import pytest

from joblogs.errors import BadRequest
from joblogs.models import HostResult, JobInstance, LogChunk
from tests.builders import HOST, STEP, file_log, job, lines, load, result, script_log, send, step
from tests.queries import log

pytestmark = pytest.mark.django_db


def test_each_bad_line_is_named_and_the_others_go_in() -> None:
    report = send(
        job(),
        step(),
        result(),
        script_log("hello\n"),
        "{broken",
        script_log("late", offset=10),
        script_log("HELLO\n"),
        script_log("x", host=7),
        step(5, job=77),
        result(8, surprise=1),
        "",
        result(9, x_own=[1, {"deep": True}]),
        {"type": "strange"},
        script_log("world\n", offset=6),
        job(create_time=5),
        step(step_type=2),
        result(10, ip=None),
    )
    assert [(entry.line, entry.type, entry.reason.value) for entry in report.refused] == [
        (5, None, "invalid"),
        (6, "script_log", "gap"),
        (8, "script_log", "unknown_parent"),
        (9, "step", "unknown_parent"),
        (10, "host_result", "invalid"),
        (13, "strange", "invalid"),
        (15, "job", "conflict"),
        (16, "step", "conflict"),
        (17, "host_result", "invalid"),
    ]
    # Line 7 contradicts the log that line 6 left a gap in: one refusal of a log is listed.
    assert (report.accepted, report.duplicates, report.refused_total) == (6, 0, 10)
    assert report.refused[1].expected_offset == 6
    assert "`surprise`" in report.refused[4].message
    assert HostResult.objects.get(host_id=HOST).received_size == 12


def test_the_counts_add_up_to_the_lines_that_are_not_blank_or_the_archive() -> None:
    archive = {"type": "archive", "format": "joblogs", "version": 1}
    report = send(archive, "", job(), "  ", "nonsense", step(), job(), script_log())
    assert report.total == 5
    assert (report.accepted, report.duplicates, report.refused_total) == (2, 1, 2)


def test_a_conflict_says_which_offset_is_expected_and_writes_nothing() -> None:
    load(job(), step(), result(), script_log("hello\n"))
    (entry,) = send(script_log("help!\nmore")).refused
    assert (entry.reason, entry.expected_offset) == ("conflict", 6)
    assert HostResult.objects.get().received_size == 6


def test_at_most_500_refusals_are_listed_and_all_are_counted() -> None:
    report = send(*(script_log(host=host) for host in range(1, 702)))
    assert (len(report.refused), report.refused_total) == (500, 701)
    assert [entry.line for entry in report.refused] == list(range(1, 501))


def test_of_one_logs_refused_pieces_only_the_first_is_listed() -> None:
    load(job(), step(), step(201, step_type=2))
    load(result(1), result(2), result(1, step=201))
    report = send(
        *(script_log("x", host=1, offset=n) for n in range(5, 10)),
        script_log("x", host=2, offset=5),
        *(file_log(1, step=201, content="x", offset=n) for n in (5, 6)),
    )
    assert [entry.line for entry in report.refused] == [1, 6, 7]
    assert report.refused_total == 8


def test_an_archive_of_another_version_is_refused_and_the_rest_left_alone() -> None:
    report = send({"type": "archive", "format": "joblogs", "version": 9}, job())
    assert [(e.line, e.type, e.reason.value) for e in report.refused] == [(1, "archive", "invalid")]
    assert "version 9" in report.refused[0].message
    assert JobInstance.objects.count() == 0


def test_an_archive_record_elsewhere_is_refused_and_the_rest_goes_in() -> None:
    report = send(job(), {"type": "archive", "format": "joblogs", "version": 1}, step())
    assert [(e.line, e.reason.value) for e in report.refused] == [(2, "invalid")]
    assert report.accepted == 2


@pytest.mark.parametrize(
    "body", [b"", b"\n \n", lines({"type": "archive", "format": "joblogs", "version": 1})]
)
def test_a_stream_without_a_record_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        send(body.decode())


def test_a_line_over_16_mb_is_too_large_and_the_next_goes_in() -> None:
    report = send(job(), json.dumps(step(name="x" * (16 * 1024 * 1024))), step(7))
    assert [(e.line, e.type, e.reason.value) for e in report.refused] == [(2, None, "too_large")]
    assert report.accepted == 2


def test_a_child_before_its_parent_is_refused_though_both_are_in_one_slice() -> None:
    report = send(job(), result(), step(), script_log(), result(), script_log())
    assert [(e.line, e.reason.value) for e in report.refused] == [
        (2, "unknown_parent"),
        (4, "unknown_parent"),
    ]


def test_each_of_the_pieces_that_come_in_turn_is_refused_by_its_own_line() -> None:
    load(job(), step(), result(1))
    turns = [
        script_log(letter, host=host, offset=at, step=number)
        for at, letter in enumerate("abc")
        for host, number in ((1, STEP), (8, STEP), (1, 999))
    ]
    report = send(*turns)
    assert [entry.line for entry in report.refused] == [2, 3, 5, 6, 8, 9]
    assert {entry.reason.value for entry in report.refused} == {"unknown_parent"}
    assert {entry.type for entry in report.refused} == {"script_log"}
    assert (report.accepted, log(1)) == (3, b"abc")


def test_pieces_of_an_expired_job_are_refused_and_nothing_is_stored() -> None:
    load(job(expired={"at": 5, "policy": "30 days"}), step(), result())
    (entry,) = send(script_log()).refused
    assert entry.reason == "expired"
    assert LogChunk.objects.count() == 0


def test_sending_a_stream_again_accepts_nothing_and_refuses_the_same() -> None:
    stream = [
        job(),
        step(),
        result(),
        script_log("a"),
        script_log("c", offset=2),
        script_log("b", offset=1),
    ]
    first, second = send(*stream), send(*stream)
    assert (first.accepted, first.refused_total) == (5, 1)
    # What was a gap the first time is the next piece now: nothing is ever lost by sending again.
    assert (second.accepted, second.duplicates, second.refused_total) == (1, 5, 0)
    third = send(*stream)
    assert (third.accepted, third.duplicates) == (0, 6)
