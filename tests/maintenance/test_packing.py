"""Packing by `maintain_logs`: when, how much, and that a run may end anywhere."""

from __future__ import annotations

import datetime
import io
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import F
from django.utils import timezone

from joblogs import maintenance
from joblogs.logtext import codec
from joblogs.logtext.custom_rules import literal
from joblogs.logtext.secret_scanner import Secrets
from joblogs.logtext.store import packing as laying_out
from joblogs.logtext.store import packs
from joblogs.maintenance import expiry, legal_hold, packing, redaction
from joblogs.maintenance.walk import LogSelection
from joblogs.models import (
    HostResult,
    JobInstance,
    LogChunk,
    LogPack,
    MaintenanceRun,
    Scope,
    StepInstance,
)
from tests.builders import job, load, result, script_log, step
from tests.queries import text

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def ms(days: float) -> int:
    """The moment so many days ago."""
    return int((NOW - datetime.timedelta(days=days)).timestamp() * 1000)


def ship(number: int, *texts: str, days: float = 3, status: int = 3, host_status: int = 9) -> None:
    """A job with a step of that number plus 1000 that ended so many days ago."""
    load(
        job(number, create_time=ms(days), status=status, end_time=ms(days)),
        step(number + 1000, job=number, create_time=ms(days), status=status, end_time=ms(days)),
    )
    for host, data in enumerate(texts, 1):
        place = {"job": number, "step": number + 1000}
        load(
            result(host, **place, status=host_status, end_time=ms(days)),
            script_log(data, host=host, **place),
        )


def texts() -> list[bytes]:
    return [text(row) for row in HostResult.objects.order_by("pk")]


def sweep(**options: Any) -> maintenance.MaintenanceReport:
    """A run that looks for what is to be packed, as the first of a day does."""
    MaintenanceRun.objects.update(swept_at=None)
    return maintenance.maintain(**options)


@pytest.fixture(autouse=True)
def setting(settings: Any) -> None:
    settings.PACK_AFTER_DAYS = 1


def test_steps_that_ended_long_enough_ago_are_packed_and_no_others() -> None:
    ship(1, "old\n", "older\n")
    ship(2, "fresh\n", days=0.5)
    ship(3, "runs\n", status=2)
    ship(4, "one host runs\n", host_status=7)
    before = texts()
    report = sweep()
    assert (report.logs_packed, report.packs_made) == (2, 1)
    assert texts() == before
    packed = HostResult.objects.exclude(pack=None).values_list("step__step_instance_id", flat=True)
    assert set(packed) == {1001}
    assert LogChunk.objects.count() == 3


def test_without_the_setting_nothing_is_packed(settings: Any) -> None:
    settings.PACK_AFTER_DAYS = None
    ship(1, "old\n")
    assert sweep().logs_packed == 0
    assert not LogPack.objects.exists()


def test_a_second_run_finds_nothing_to_do_and_a_run_is_once_a_day() -> None:
    ship(1, "old\n")
    assert sweep().logs_packed == 1
    assert sweep().logs_packed == 0
    ship(2, "old too\n")
    assert maintenance.maintain().logs_packed == 0
    assert sweep().logs_packed == 1


def test_a_dry_run_counts_what_a_run_would_pack() -> None:
    ship(1, "one\n", "two\n", "")
    ship(2, "three\n")
    assert sweep(dry_run=True).logs_packed == 3
    assert not LogPack.objects.exists()
    assert sweep().logs_packed == 3


def test_a_bounded_run_leaves_the_rest_to_the_next() -> None:
    ship(1, *(f"log {number}\n" for number in range(5)))
    before = texts()
    assert [sweep(limit=2).logs_packed for _ in range(4)] == [2, 2, 1, 0]
    assert (texts(), LogChunk.objects.count()) == (before, 0)


def test_many_small_steps_are_packed_each_by_itself() -> None:
    for number in range(1, 6):
        ship(number, f"step {number} a\n", f"step {number} b\n")
    before = texts()
    report = sweep()
    assert (report.logs_packed, report.packs_made) == (10, 5)
    assert texts() == before
    assert sorted(LogPack.objects.values_list("number", flat=True)) == [1] * 5


def test_more_logs_than_a_page_names_are_packed_with_their_step() -> None:
    ship(1)
    place = {"job": 1, "step": 1001}
    load(*(result(host, **place, status=9) for host in range(1, 1101)))
    load(*(script_log(f"{host:05}\n", host=host, **place) for host in range(1, 1101)))
    assert sweep(dry_run=True).logs_packed == 1100
    report = sweep()
    assert (report.logs_packed, report.packs_made) == (1100, 1)
    assert texts() == [b"%05d\n" % host for host in range(1, 1101)]


def test_a_log_that_cannot_be_read_stays_where_it_is_and_keeps_no_other() -> None:
    ship(1, "one\n", "two\n", "three\n")
    bad = HostResult.objects.get(host_id=2)
    LogChunk.objects.filter(host_result_id=bad.pk).update(codec=codec.ZSTD, data=b"damaged")
    report = sweep()
    assert (report.logs_packed, report.packs_made) == (2, 1)
    assert LogChunk.objects.get().host_result_id == bad.pk
    good = HostResult.objects.exclude(pk=bad.pk).order_by("pk")
    assert [text(row) for row in good] == [b"one\n", b"three\n"]


def test_held_jobs_are_packed_and_keep_every_byte(settings: Any) -> None:
    ship(1, "held\n", days=40)
    legal_hold.hold(JobInstance.objects.all(), by="zoe")
    settings.LOG_RETENTION_DAYS = 30
    assert sweep().logs_packed == 1
    assert (texts(), LogPack.objects.count()) == ([b"held\n"], 1)


def test_the_packs_of_an_expired_job_go_with_its_chunks(settings: Any) -> None:
    ship(1, "old\n", days=40)
    ship(2, "young\n")
    assert sweep().logs_packed == 2
    settings.LOG_RETENTION_DAYS = 30
    assert sweep().jobs_expired == 1
    young = StepInstance.objects.get(step_instance_id=1002)
    assert LogPack.objects.get().step_id == young.pk
    assert JobInstance.objects.get(job_instance_id=1).expired_at is not None


def test_removed_jobs_take_their_packs_along() -> None:
    ship(1, "one\n")
    ship(2, "two\n")
    sweep()
    call_command("remove_jobs", "--job", "1")
    assert LogPack.objects.get().step_id == StepInstance.objects.get().pk
    assert texts() == [b"two\n"]


def test_unpacking_brings_every_log_back_and_ends_empty(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ship(1, "one\n", "two\n", "x" * 300_000)
    ship(2, "three\n")
    before = texts()
    assert sweep().logs_packed == 4
    with pytest.raises(CommandError, match="PACK_AFTER_DAYS is set"):
        call_command("maintain_logs", "--unpack")
    settings.PACK_AFTER_DAYS = None
    call_command("maintain_logs", "--unpack", "--dry-run")
    assert "4 logs" in capsys.readouterr().out
    assert not LogChunk.objects.exists()
    call_command("maintain_logs", "--unpack", "--limit", "1")
    call_command("maintain_logs", "--unpack")
    assert (texts(), LogPack.objects.count()) == (before, 0)
    assert not HostResult.objects.exclude(pack=None).exists()
    settings.PACK_AFTER_DAYS = 1
    assert sweep().logs_packed == 4
    assert texts() == before


def test_a_log_that_stays_packed_is_told(settings: Any) -> None:
    ship(1, "one\n")
    ship(2, "two\n")
    sweep()
    settings.PACK_AFTER_DAYS = None
    damaged = LogPack.objects.order_by("step_id")[0]
    LogPack.objects.filter(step_id=damaged.step_id).update(data=b"x")
    with pytest.raises(CommandError, match="1 log left packed"):
        call_command("maintain_logs", "--unpack")
    assert LogPack.objects.count() == 1


LONG = "".join(f"line {number} {number * 7919 % 10007}\n" for number in range(150_000))


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> HostResult:
    """A log of several packs, longer than one transaction packs."""
    monkeypatch.setattr(laying_out, "PART_BYTES", 1_000_000)
    ship(1, LONG)
    row = HostResult.objects.get()
    assert row.held_size > 2 * 1024 * 1024
    return row


def _packed_numbers() -> list[tuple[int, int, int]]:
    rows = LogPack.objects.order_by("number").values_list("number", "size", "newlines")
    return list(rows)


def test_a_long_log_is_packed_and_taken_out_again_whole(long: HostResult) -> None:
    assert sweep().logs_packed == 1
    assert not LogChunk.objects.exists()
    assert texts() == [LONG.encode()]
    numbers = _packed_numbers()
    assert [size for _, size, _ in numbers[:-1]] == [1024 * 1024] * (len(numbers) - 1)
    assert sum(lines for _, _, lines in numbers) == LONG.count("\n")
    load(script_log("late\n", host=long.host_id, offset=len(LONG), **_place(long)))
    assert not LogPack.objects.exists()
    assert texts() == [LONG.encode() + b"late\n"]
    call_command("verify_logs", stdout=io.StringIO())
    assert sweep().logs_packed == 1
    assert maintenance.unpack() == 1
    assert texts() == [LONG.encode() + b"late\n"]
    call_command("verify_logs", stdout=io.StringIO())


@pytest.mark.parametrize("change", ["grown", "redacted"])
def test_a_long_log_that_changed_while_it_was_laid_out_stays_as_it_is(
    long: HostResult, change: str
) -> None:
    part = next(packing.due(timezone.now(), 1))
    steps = ["laid out"]

    def change_then(execute: Any, sql: str, *arguments: Any) -> Any:
        # The first row lock comes once it is laid out.
        if steps and sql.startswith("SELECT") and "last_pack" in sql:
            steps.clear()
            _change(long, change)
        return execute(sql, *arguments)

    with connection.execute_wrapper(change_then):
        assert packing.pack(part).logs == 0
    assert not steps
    assert not LogPack.objects.exists()
    (now,) = texts()
    assert now != LONG.encode()
    assert packing.pack(part).logs == 1
    assert texts() == [now]


def _change(long: HostResult, change: str) -> None:
    if change == "grown":
        load(script_log("late\n", host=long.host_id, offset=len(LONG), **_place(long)))
        return
    secrets = Secrets([literal("text", b"line 149999 ")])
    redaction.redact(LogSelection(jobs=JobInstance.objects.all()), secrets, by="zoe", selection="")


def _place(row: HostResult) -> dict[str, int]:
    return {"job": row.step.job.job_instance_id, "step": row.step.step_instance_id}


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="partitions are PostgreSQL's")
class TestPartitions:
    """Each test makes days of its own and leaves none."""

    def teardown_method(self) -> None:
        Scope.objects.update(retention_days=None)
        LogPack.objects.all().delete()
        for day in packs.PARTITIONS.days():
            assert packs.PARTITIONS.drop_empty(day)

    def test_packing_makes_the_partition_of_the_day(self) -> None:
        ship(1, "old\n")
        sweep()
        day = JobInstance.objects.get().day
        assert (packs.PARTITIONS.days(), packs.PARTITIONS.days_in_default()) == ([day], [])
        assert texts() == [b"old\n"]

    def test_a_whole_day_expires_at_once_chunks_and_packs(self, settings: Any) -> None:
        for number in range(1, 9):
            ship(number, f"old {number}\n", days=31)
        sweep()
        ship(9, "late job\n", days=31)
        legal_hold.hold(JobInstance.objects.filter(job_instance_id=8), by="zoe")
        settings.LOG_RETENTION_DAYS = 30
        day = JobInstance.objects.first()
        assert day is not None
        assert expiry.expire_day(day.day, NOW.date()) == 8
        assert (LogPack.objects.count(), LogChunk.objects.count()) == (1, 0)
        kept = HostResult.objects.get(step__step_instance_id=1008)
        assert text(kept) == b"old 8\n"

    def test_a_day_of_packs_keeps_its_partition_for_chunks(self, settings: Any) -> None:
        ship(1, "old\n", days=31)
        maintenance.maintain()
        sweep()
        assert not LogChunk.objects.exists()
        settings.LOG_RETENTION_DAYS = 30
        day = JobInstance.objects.get().day
        assert expiry.expire_day(day, NOW.date()) == 1
        assert not LogPack.objects.exists()
        sweep()
        assert day not in packs.PARTITIONS.days()


class Killed(Exception):
    """The process ended here: its transaction is rolled back, and nothing after it was done."""


def test_a_run_that_is_killed_between_any_two_steps_loses_and_doubles_no_byte() -> None:
    ship(1, "one\n", "x" * 300_000, "three\n")
    before = texts()
    for statements in range(1, 60):
        left = [None] * statements

        def until_killed(execute: Any, *arguments: Any, left: list[None] = left) -> Any:
            if len(left) == 1:
                left.clear()
                raise Killed
            if left:
                left.pop()
            # What comes after it is the rollback.
            return execute(*arguments)

        try:
            with connection.execute_wrapper(until_killed):
                packing.pack_step(StepInstance.objects.get())
        except Killed:
            assert texts() == before
            assert _bytes_held() == sum(map(len, before))
        else:
            break
    assert statements > 5
    assert texts() == before
    assert (_bytes_held(), LogChunk.objects.count()) == (sum(map(len, before)), 0)


def _bytes_held() -> int:
    """Bytes of text in chunks and packs."""
    return sum(LogChunk.objects.values_list("size", flat=True)) + sum(
        LogPack.objects.values_list("size", flat=True)
    )


def test_an_export_of_packed_logs_is_that_of_chunks_and_imports_whole(tmp_path: Path) -> None:
    ship(1, "one\n", "two\n", "x" * 300_000)
    ship(2, "three\n")
    written = [tmp_path / name for name in ("chunks", "packs", "late")]
    _export(written[0])
    sweep()
    _export(written[1])
    place = {"job": 1, "step": 1001}
    load(result(1, execute_count=1, status=9, **place))
    assert _records(written[0]) == _records(written[1])
    _export(written[2])
    for number in ("1", "2"):
        call_command("remove_jobs", "--job", number)
    assert not LogPack.objects.exists()
    call_command("import_logs", str(written[2]), stdout=io.StringIO(), stderr=io.StringIO())
    again = tmp_path / "again"
    _export(again)
    assert _records(again) == _records(written[2])


def _records(path: Path) -> list[bytes]:
    """All lines but the first, which says when it was written."""
    return path.read_bytes().splitlines()[1:]


def _export(path: Path) -> None:
    where = ("--format", "ndjson", "--attempt", "all", "--output", str(path))
    call_command("export_logs", *where, stderr=io.StringIO())


@pytest.mark.django_db(transaction=True)
def test_two_redactions_of_two_hosts_in_one_pack_at_once_mask_both() -> None:
    ship(1, *(f"host {host} says secret-{host}\n" for host in range(1, 5)))
    sweep()

    def mask(host: int) -> None:
        try:
            secrets = Secrets([literal("text", b"secret-%d" % host)])
            selection = LogSelection(jobs=JobInstance.objects.all(), hosts=frozenset([host]))
            redaction.redact(selection, secrets, by="zoe", selection="all")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=mask, args=(host,)) for host in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts() == [b"host %d says ********\n" % host for host in range(1, 5)]
    assert set(HostResult.objects.values_list("pack", flat=True)) == {1}


def test_a_run_whose_time_is_over_says_how_much_is_left_and_the_next_one_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(packing, "PACKING_SECONDS", -1.0)
    monkeypatch.setattr(packing, "LOGS_AT_ONCE", 1)
    for number in range(1, 4):
        ship(number, f"log {number}\n")
    before = texts()
    assert (sweep().logs_packed, texts()) == (1, before)
    # It is no first run of a day.
    call_command("maintain_logs")
    told = capsys.readouterr().out
    assert "1 log packed" in told
    assert "The next run goes on: 1 log to pack." in told
    assert [maintenance.maintain().logs_packed for _ in range(2)] == [1, 0]
    assert HostResult.objects.filter(pack=None).count() == 0
    assert texts() == before
    call_command("maintain_logs")
    assert "goes on" not in capsys.readouterr().out


def test_a_program_that_knows_no_packs_cannot_add_to_a_packed_log() -> None:
    ship(1, "one\n", "two\n")
    assert sweep().logs_packed == 2
    packed = HostResult.objects.exclude(pack=None)
    assert packed.filter(packed_size=F("held_size")).count() == 2
    # It writes a chunk and how much the log holds now, and nothing of packs.
    with pytest.raises(IntegrityError), transaction.atomic():
        packed.update(held_size=F("held_size") + 5)


@pytest.mark.parametrize("expired", [True, False])
def test_packs_of_jobs_that_an_older_program_let_go_are_deleted_with_every_day(
    expired: bool,
) -> None:
    ship(1, "gone\n")
    ship(2, "kept\n")
    assert sweep().logs_packed == 2
    gone = JobInstance.objects.filter(job_instance_id=1)
    if expired:
        gone.update(expired_at=1)
    else:
        HostResult.objects.filter(step__job__in=gone).delete()
        StepInstance.objects.filter(job__in=gone).delete()
        gone.delete()
    sweep()
    assert LogPack.objects.count() == 2
    sweep(every_day=True)
    assert LogPack.objects.count() == 1
    assert text(HostResult.objects.get(step__job__job_instance_id=2)) == b"kept\n"
