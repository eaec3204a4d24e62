"""What is kept no longer: by setting, by scope, not while it is held."""

from __future__ import annotations

import datetime
import json
import re
import threading
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from joblogs import database
from joblogs.ingest import changed_steps
from joblogs.logtext import store
from joblogs.maintenance import expiry
from joblogs.models import (
    FileLog,
    HostResult,
    JobInstance,
    LogChunk,
    MaintenanceRun,
    Scope,
    StepInstance,
)
from tests import builders
from tests.builders import asking, file_log, job, load, result, script_log, send, step

pytestmark = pytest.mark.django_db


def _created(days_ago: int) -> int:
    return int((timezone.now() - datetime.timedelta(days=days_ago)).timestamp() * 1000)


def _job(number: int, days_ago: int, **fields: Any) -> None:
    load(
        job(number, create_time=_created(days_ago), **{"status": 3} | fields),
        step(number + 1000, job=number),
        result(job=number, step=number + 1000, status=9),
        script_log(f"job {number}\n", job=number, step=number + 1000),
        step(number + 2000, job=number, step_type=2),
        result(job=number, step=number + 2000, status=9),
        file_log(job=number, step=number + 2000, offset=0, content="moved\n", status=4),
    )


def _answer(number: int, step: int) -> Any:
    body = json.dumps(asking(number, step))
    headers = builders.credentials()
    response = Client().post(builders.BATCH, body, content_type="application/json", headers=headers)
    return response.json()["data"]


@pytest.fixture(autouse=True)
def _policy(settings: Any) -> None:
    settings.LOG_RETENTION_DAYS, settings.HISTORY_RETENTION_DAYS = 30, 60


def test_logs_older_than_the_setting_go_and_younger_ones_stay() -> None:
    _job(1, 31)
    _job(2, 29)
    call_command("maintain_logs")
    old, young = JobInstance.objects.order_by("job_instance_id")
    assert old.expired_at is not None
    assert old.expired_policy == "LOG_RETENTION_DAYS 30"
    assert young.expired_at is None
    assert [bytes(row.content) for row in FileLog.objects.order_by("pk")] == [b"", b"moved\n"]
    assert set(LogChunk.objects.values_list("day", flat=True)) == {young.day}


def test_an_expired_log_reads_as_empty_and_says_nothing_in_its_place() -> None:
    _job(1, 31)
    call_command("maintain_logs")
    assert _answer(1, 1001)["script_task_logs"][0]["log_content"] == ""
    assert _answer(1, 2001)["file_task_logs"][0]["file_logs"] == []


def test_pieces_for_expired_logs_are_refused_and_store_nothing() -> None:
    _job(1, 31)
    call_command("maintain_logs")
    late = send(
        script_log("job 1\nmore\n", job=1, step=1001),
        file_log(job=1, step=2001, offset=0, content="x"),
    )
    assert [entry.reason for entry in late.refused] == ["expired", "expired"]
    assert LogChunk.objects.count() == 0


def test_a_scopes_own_policy_wins_over_the_setting() -> None:
    _job(1, 8)
    _job(2, 100, bk_scope_id="3")
    Scope.objects.filter(scope_id="2").update(retention_days=7)
    Scope.objects.filter(scope_id="3").update(retention_days=400, history_days=500)
    call_command("maintain_logs")
    expired = JobInstance.objects.exclude(expired_at=None)
    assert [(row.job_instance_id, row.expired_policy) for row in expired] == [
        (1, "biz:2 retention 7")
    ]


def test_a_held_job_keeps_its_logs_and_its_rows() -> None:
    _job(1, 500)
    JobInstance.objects.update(held_at=timezone.now())
    call_command("maintain_logs")
    assert _answer(1, 1001)["script_task_logs"][0]["log_content"] == "job 1\n"
    JobInstance.objects.update(held_at=None)
    call_command("maintain_logs")
    assert JobInstance.objects.count() == 0


def test_a_hold_that_comes_while_the_list_is_worked_off_still_holds() -> None:
    _job(1, 31)
    row = JobInstance.objects.get()
    JobInstance.objects.update(held_at=timezone.now())
    assert expiry.expire_job(row) is False
    assert expiry.forget([row]) == 0
    assert _answer(1, 1001)["script_task_logs"][0]["log_content"] == "job 1\n"


def test_a_job_that_runs_keeps_its_logs_and_what_it_prints_next() -> None:
    _job(1, 31, status=2)
    load(step(1001, job=1, status=2), result(job=1, step=1001, status=7, update_time=1))
    call_command("maintain_logs")
    load(script_log("and then\n", job=1, step=1001, offset=6))
    call_command("maintain_logs")
    assert _answer(1, 1001)["script_task_logs"][0]["log_content"] == "job 1\nand then\n"
    created = JobInstance.objects.get().create_time
    load(job(1, create_time=created, status=3, update_time=1))
    load(result(job=1, step=1001, status=9, update_time=2))
    call_command("maintain_logs")
    assert JobInstance.objects.get().expired_policy == "LOG_RETENTION_DAYS 30"


@pytest.mark.parametrize("said", [{"status": status} for status in (1, 2, 7, 10, 15)])
def test_a_job_in_any_status_that_is_not_its_end_is_running(said: dict[str, int]) -> None:
    _job(1, 59, **said)
    call_command("maintain_logs")
    assert JobInstance.objects.get().expired_at is None


@pytest.mark.parametrize("status", [5, 7])
def test_a_job_of_which_a_host_is_still_at_work_is_running(status: int) -> None:
    _job(1, 59)
    load(result(2, job=1, step=1001, status=status))
    call_command("maintain_logs")
    assert JobInstance.objects.get().expired_at is None


def test_a_job_that_never_ends_expires_later_and_says_that_it_was_running(settings: Any) -> None:
    settings.HISTORY_RETENTION_DAYS = None
    _job(1, 61, status=2)
    _job(2, 60, status=2)
    Scope.objects.create(scope_type="biz", scope_id="3", retention_days=20)
    _job(3, 51, status=2, bk_scope_id="3")
    _job(4, 50, status=2, bk_scope_id="3")
    call_command("maintain_logs")
    assert list(JobInstance.objects.order_by("pk").values_list("expired_policy", flat=True)) == [
        *("LOG_RETENTION_DAYS 30, still running when it expired", ""),
        *("biz:3 retention 20, still running when it expired", ""),
    ]


def test_the_rows_of_a_job_that_runs_are_kept_as_much_longer() -> None:
    _job(1, 91, status=2)
    _job(2, 90, status=2)
    call_command("maintain_logs")
    assert [row.job_instance_id for row in JobInstance.objects.all()] == [2]


def test_days_of_none_keep_what_runs_for_as_long_as_it_runs(settings: Any) -> None:
    settings.RUNNING_RETENTION_DAYS = None
    _job(1, 5000, status=2)
    call_command("maintain_logs")
    assert _answer(1, 1001)["script_task_logs"][0]["log_content"] == "job 1\n"


def test_a_job_that_runs_again_while_the_list_is_worked_off_keeps_its_logs(
    settings: Any,
) -> None:
    settings.LOG_RETENTION_DAYS = 40
    _job(1, 61)
    row = JobInstance.objects.get()
    due = expiry.history_due(timezone.now().date())
    load(result(2, job=1, step=1001, status=7))
    assert expiry.expire_job(row) is False
    assert expiry.forget([row], due=due) == 0
    assert LogChunk.objects.count() == 1


def test_a_scope_may_keep_for_longer_than_the_calendar_goes_back() -> None:
    _job(1, 31)
    Scope.objects.update(retention_days=2_000_000_000, history_days=2_000_000_000)
    call_command("maintain_logs")
    assert JobInstance.objects.get().expired_at is None


def test_file_content_that_came_while_the_logs_went_is_swept() -> None:
    _job(1, 31)
    call_command("maintain_logs")
    for told in (True, False):  # by the writer; by one of an earlier release, that tells nobody
        FileLog.objects.update(content=b"late", held_size=4)
        if told:
            changed_steps.add([FileLog.objects.get().step_id])
        else:
            MaintenanceRun.objects.update(swept_at=timezone.now() - datetime.timedelta(days=1))
        call_command("maintain_logs")
        swept = FileLog.objects.get()
        assert (bytes(swept.content), swept.held_size) == (b"", 0)


def test_nothing_expires_without_a_policy(settings: Any) -> None:
    settings.LOG_RETENTION_DAYS = settings.HISTORY_RETENTION_DAYS = None
    _job(1, 5000)
    call_command("maintain_logs")
    assert _answer(1, 1001)["script_task_logs"][0]["log_content"] == "job 1\n"


def test_history_goes_with_all_that_is_below_it() -> None:
    _job(1, 61)
    _job(2, 59)
    call_command("maintain_logs")
    assert list(JobInstance.objects.values_list("job_instance_id", flat=True)) == [2]
    assert StepInstance.objects.count() == 2
    assert HostResult.objects.count() == 2
    assert FileLog.objects.count() == 1


def test_history_alone_takes_the_logs_along(settings: Any) -> None:
    settings.LOG_RETENTION_DAYS = None
    _job(1, 61)
    call_command("maintain_logs")
    assert (JobInstance.objects.count(), LogChunk.objects.count()) == (0, 0)


def test_a_dry_run_counts_what_the_run_then_does(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(1, 6):
        _job(number, 31)
    call_command("maintain_logs", "--dry-run")
    assert "the logs of 5 jobs expired" in capsys.readouterr().out
    assert JobInstance.objects.filter(expired_at=None).count() == 5
    call_command("maintain_logs")
    assert "the logs of 5 jobs expired" in capsys.readouterr().out
    call_command("maintain_logs")
    assert "the logs of 0 jobs expired" in capsys.readouterr().out


def test_a_bounded_run_leaves_the_rest() -> None:
    for number in range(1, 6):
        _job(number, 31)
    call_command("maintain_logs", "--limit", "2")
    assert JobInstance.objects.filter(expired_at=None).count() == 3
    assert LogChunk.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_do_not_meet() -> None:
    with database.only_one("maintain") as free:
        assert free
        if connection.vendor == "sqlite":
            with pytest.raises(CommandError, match="Another maintain_logs is running"):
                call_command("maintain_logs")
    call_command("maintain_logs")


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="partitions are PostgreSQL's")
class TestPartitions:
    """Days as partitions. Each test makes its own and the next run drops them when empty."""

    def _partitions(self) -> database.Partitions:
        return database.Partitions(LogChunk)

    def teardown_method(self) -> None:
        LogChunk.objects.all().delete()
        for day in self._partitions().days():
            assert self._partitions().drop_empty(day)

    def test_old_days_are_drained_from_the_default_one_and_coming_ones_made(self) -> None:
        _job(1, 3)
        today = timezone.now().date()
        call_command("maintain_logs")
        days = self._partitions().days()
        assert today - datetime.timedelta(days=3) in days
        assert days[-7:] == [today + datetime.timedelta(days=ahead) for ahead in range(7)]
        assert self._partitions().days_in_default() == []
        assert _answer(1, 1001)["script_task_logs"][0]["log_content"] == "job 1\n"

    def test_a_read_looks_at_one_partition_only(self) -> None:
        _job(1, 3)
        call_command("maintain_logs")
        day = JobInstance.objects.get().day
        plan = LogChunk.objects.filter(day=day, host_result_id__in=[1, 2]).explain()
        assert f"joblogs_logchunk_{day:%Y%m%d}" in plan
        assert plan.count("joblogs_logchunk_2") == plan.count(f"logchunk_{day:%Y%m%d}")
        assert "default" not in plan

    @pytest.mark.parametrize("whole", [True, False])
    def test_what_reads_text_plans_for_the_days_own_partition(self, whole: bool) -> None:
        _job(1, 3)
        _job(2, 5)
        call_command("maintain_logs")
        row = HostResult.objects.get(step__step_instance_id=1001)
        with CaptureQueriesContext(connection) as captured:
            list(
                store.read(
                    row.day, [store.Span(row.pk, 0, row.held_size - (not whole), row.held_size)]
                )
            )
        (statement,) = captured.captured_queries
        assert "joblogs_logchunk" in statement["sql"]
        values: list[Any] = [row.day, row.held_size, [row.pk]]
        if not whole:
            values = [0, row.day, row.pk, row.held_size - 1, row.day, row.pk, 0]
        plan = "\n".join(line for (line,) in database.fetch("EXPLAIN " + statement["sql"], values))
        # Of a distributed table the plan names shards: the partition's name and a number.
        assert set(re.findall(r"on (joblogs_logchunk\w*?)(?:_\d{6})?\b", plan)) == {
            f"joblogs_logchunk_{row.day:%Y%m%d}"
        }

    def test_a_whole_day_goes_at_once_and_its_table_later(self) -> None:
        _job(1, 31)
        _job(2, 31)
        _job(3, 3)
        day = JobInstance.objects.get(job_instance_id=1).day
        assert self._partitions().make(day)
        assert expiry.expire_day(day, timezone.now().date()) == 2
        assert self._partitions().empty([day]) == [day]
        assert _answer(3, 1003)["script_task_logs"][0]["log_content"] == "job 3\n"
        call_command("maintain_logs")
        assert day not in self._partitions().days()

    def test_a_day_is_rewritten_around_the_little_that_stays(self) -> None:
        for number in range(1, 9):
            _job(number, 31)
        JobInstance.objects.filter(job_instance_id=8).update(held_at=timezone.now())
        day = JobInstance.objects.get(job_instance_id=1).day
        assert self._partitions().make(day)
        assert expiry.expire_day(day, timezone.now().date()) == 7
        assert _answer(8, 1008)["script_task_logs"][0]["log_content"] == "job 8\n"
        assert LogChunk.objects.count() == 1

    def test_a_day_of_which_just_a_quarter_stays_is_rewritten_around_it(self) -> None:
        for number in range(1, 5):
            _job(number, 31, status=2 if number == 4 else 3)
        day = JobInstance.objects.get(job_instance_id=1).day
        assert self._partitions().make(day)
        assert expiry.expire_day(day, timezone.now().date()) == 3
        assert _answer(4, 1004)["script_task_logs"][0]["log_content"] == "job 4\n"

    def test_a_day_that_somebody_reads_expires_job_by_job(self) -> None:
        _job(1, 31)
        day = JobInstance.objects.get().day
        assert self._partitions().make(day)
        reader = connection.copy()
        try:
            reader.set_autocommit(False)
            with reader.cursor() as cursor:
                cursor.execute("SELECT COUNT(*) FROM joblogs_logchunk WHERE day = %s", [day])
            assert expiry.expire_day(day, timezone.now().date()) == 0
            assert JobInstance.objects.get().expired_at is None
            call_command("maintain_logs", "--limit", "5")
        finally:
            reader.close()
        assert JobInstance.objects.get().expired_at is not None
        assert LogChunk.objects.count() == 0

    def test_a_day_goes_but_for_what_runs(self) -> None:
        for number in range(1, 9):
            _job(number, 31, status=2 if number == 8 else 3)
        day = JobInstance.objects.get(job_instance_id=1).day
        assert self._partitions().make(day)
        assert expiry.expire_day(day, timezone.now().date()) == 7
        assert _answer(8, 1008)["script_task_logs"][0]["log_content"] == "job 8\n"

    def test_a_day_that_a_host_begins_to_run_in_meanwhile_keeps_its_job(self) -> None:
        for number in range(1, 9):
            _job(number, 31)
        day = JobInstance.objects.get(job_instance_id=1).day
        assert self._partitions().make(day)
        begun = threading.Event()

        def begin() -> None:
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    load(result(7, job=8, step=1008, status=7))
                    begun.set()
                    cursor.execute("SELECT 1 WHERE false")
                    while not cursor.fetchone():  # until it is waited for
                        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
            finally:
                begun.set()
                connections.close_all()

        writer = threading.Thread(target=begin)
        writer.start()
        begun.wait()
        assert expiry.expire_day(day, timezone.now().date()) == 7
        writer.join()
        contents = [log["log_content"] for log in _answer(8, 1008)["script_task_logs"]]
        assert contents == ["", "job 8\n"]

    def test_a_day_of_which_much_stays_expires_job_by_job(self) -> None:
        _job(1, 31)
        _job(2, 31)
        JobInstance.objects.filter(job_instance_id=2).update(held_at=timezone.now())
        day = JobInstance.objects.get(job_instance_id=1).day
        assert self._partitions().make(day)
        assert expiry.expire_day(day, timezone.now().date()) == 0
        call_command("maintain_logs")
        assert JobInstance.objects.get(job_instance_id=1).expired_at is not None
        assert _answer(2, 1002)["script_task_logs"][0]["log_content"] == "job 2\n"
