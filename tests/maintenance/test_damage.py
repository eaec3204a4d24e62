"""A log that cannot be read keeps neither maintenance nor senders from the others."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command

from joblogs.ingest import Reason, Report
from joblogs.logtext import codec
from joblogs.models import HostResult, LogChunk, MaintenanceRun
from tests.builders import job, load, result, script_log, send, step
from tests.queries import chunks, log, the_result

pytestmark = pytest.mark.django_db

TEXT = "a line that is told over and over\n" * 10


def _damage(host: int) -> None:
    found = LogChunk.objects.filter(host_result_id=the_result(host).pk)
    found.update(codec=codec.ZSTD, data=b"damaged")


@pytest.mark.parametrize("gone", [False, True])
def test_maintenance_passes_by_what_cannot_be_read(
    gone: bool, caplog: pytest.LogCaptureFixture
) -> None:
    load(job(), step(), result(1, status=9), result(2, status=9))
    for host in (1, 2):
        load(script_log(TEXT, host=host))
        load(script_log(TEXT, host=host, offset=len(TEXT)))
    HostResult.objects.update(fingerprint_size=None)
    _damage(1)
    if gone:
        chunks(the_result(1))[0].delete()
    call_command("maintain_logs", "--every-day")
    assert (len(chunks(the_result(2))), log(2)) == (1, (TEXT * 2).encode())
    sizes = [the_result(host).fingerprint_size for host in (1, 2)]
    assert sizes == [None, 2 * len(TEXT)]
    assert MaintenanceRun.objects.get().finished_at is not None
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said
    assert all(f"host result {the_result(1).pk}: " in line for line in said)
    assert not any("a line" in line for line in said)


@pytest.mark.parametrize("status", [9, 11])
def test_a_host_may_finish_whose_log_cannot_be_read(status: int) -> None:
    load(job(), step(), result(1, status=7), script_log(TEXT, host=1))
    _damage(1)
    said: list[dict[str, Any]] = [result(1, status=status), result(2, status=status)]
    assert load(job(), *said).accepted == 2
    assert the_result(1).fingerprint_size is None


def _refused(report: Report) -> list[tuple[int, Reason, int | None]]:
    return [(entry.line, entry.reason, entry.expected_offset) for entry in report.refused]


def _stored(host: int, chunk: int) -> bytes:
    found = chunks(the_result(host))[chunk]
    return codec.decode(found.codec, found.data)


@pytest.mark.parametrize("gone", [False, True])
def test_a_repeat_of_what_cannot_be_read_keeps_nothing_else_from_being_stored(
    gone: bool, caplog: pytest.LogCaptureFixture
) -> None:
    size = len(TEXT)
    load(job(), step(), result(1), result(2), script_log(TEXT, host=1), script_log(TEXT, host=2))
    _damage(1)
    load(job(), script_log(TEXT, host=1, offset=size))
    if gone:
        chunks(the_result(1))[0].delete()
    report = send(
        job(),
        script_log(TEXT, host=1),
        script_log(TEXT, host=1, offset=size),
        script_log(TEXT * 2, host=1, offset=size - 9),
        script_log("more\n", host=1, offset=2 * size),
        script_log(TEXT + "more\n", host=2),
        result(3),
        script_log(TEXT, host=3),
    )
    assert (report.accepted, report.duplicates, report.refused_total) == (4, 2, 2)
    assert _refused(report) == [(2, Reason.CONFLICT, 2 * size)]
    assert "cannot be read" in report.refused[0].message
    assert (_stored(1, -1), the_result(1).received_size) == (b"more\n", 2 * size + 5)
    assert (log(2), log(3)) == (TEXT.encode() + b"more\n", TEXT.encode())
    (said,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert said.getMessage().startswith(f"host result {the_result(1).pk}: ")
    assert "a line" not in caplog.text


def test_what_may_end_a_secret_is_not_added_to_what_cannot_be_read() -> None:
    begun, rest = "a ghp_0123456789abcdef", "ghijABCDEFGHIJ012345\n"
    load(job(), step(), result(1), result(2), script_log(begun, host=1), script_log(begun, host=2))
    assert the_result(1).mask_pending
    _damage(1)
    pieces = [script_log(rest, host=host, offset=len(begun)) for host in (1, 2)]
    more = script_log("more\n", host=1, offset=len(begun + rest))
    report = send(job(), *pieces, more)
    assert _refused(report) == [(2, Reason.CONFLICT, len(begun))]
    assert (report.accepted, report.refused_total) == (1, 2)
    assert (len(chunks(the_result(1))), the_result(1).received_size) == (1, len(begun))
    assert log(2) == b"a ghp_" + b"*" * 36 + b"\n"


def test_what_had_been_dropped_is_not_added_to_what_cannot_be_read(settings: Any) -> None:
    begun, rest = "a ghp_0123456789abcdef", "ghijABCDEFGHIJ012345\n"
    settings.LOG_MAX_BYTES = 1
    load(job(), step(), result(1), result(2), script_log(begun + rest, host=1))
    settings.LOG_MAX_BYTES = 1000
    load(job(), script_log(begun, host=1))
    _damage(1)
    again = script_log(rest, host=1, offset=len(begun))
    report = send(job(), again, script_log(TEXT, host=2))
    assert _refused(report) == [(2, Reason.CONFLICT, len(begun + rest))]
    assert (the_result(1).held_size, log(2)) == (len(begun), TEXT.encode())


def test_a_secret_that_begins_behind_what_cannot_be_read_is_masked() -> None:
    load(job(), step(), result(1), script_log("what comes is 7", host=1))
    _damage(1)
    token = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
    assert load(job(), script_log(token + "\n", host=1, offset=15)).accepted == 1
    assert _stored(1, 1) == b"ghp_" + b"*" * 36 + b"\n"
