"""Maintenance looks at the logs of steps that changed, and once a day at what is recent."""

from __future__ import annotations

import datetime
import io
import itertools
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from joblogs import maintenance
from joblogs.ingest import changed_steps as told
from joblogs.maintenance import changed_steps, expiry, logs
from joblogs.models import (
    ChangedStep,
    FailureRun,
    FailureSeen,
    Host,
    HostResult,
    JobInstance,
    LogChunk,
    LogFeatures,
    MaintenanceRun,
    StepInstance,
)
from tests.builders import CREATED, HOST, job, load, result, script_log, step
from tests.queries import the_result

pytestmark = pytest.mark.django_db
LOGS = ("joblogs_hostresult", "joblogs_logchunk", "joblogs_logfeatures", "joblogs_host")


@pytest.fixture(autouse=True)
def swept() -> None:
    """The day's sweep is behind us."""
    maintenance.maintain()


def a_day_later() -> None:
    MaintenanceRun.objects.update(swept_at=F("swept_at") - datetime.timedelta(days=1))


def load_in_chunks(host: int = HOST, *, chunks: int = 3, status: int = 9, **fields: int) -> None:
    """A log that lies in several chunks."""
    load(result(host, **fields))
    for number in range(chunks):
        load(script_log("a line\n", host=host, offset=7 * number, **fields))
    load(result(host, status=status, **fields))


def test_what_changed_since_the_last_run_is_merged_and_fingerprinted() -> None:
    load(job(), step())
    load_in_chunks()
    report = maintenance.maintain()
    assert (report.logs_merged, report.chunks_saved, report.fingerprints) == (1, 2, 1)
    assert (LogChunk.objects.count(), LogFeatures.objects.count()) == (1, 1)
    assert not ChangedStep.objects.exists()
    load(script_log("late\n", offset=21))
    report = maintenance.maintain()
    assert (report.logs_merged, report.fingerprints) == (1, 1)


def test_a_run_with_nothing_to_do_asks_no_table_of_logs() -> None:
    load(job(), step())
    load_in_chunks()
    maintenance.maintain()
    maintenance.maintain()  # what the first one computed is in its day's partition
    with CaptureQueriesContext(connection) as made:
        maintenance.maintain()
    assert [q["sql"] for q in made if any(f'FROM "{table}"' in q["sql"] for table in LOGS)] == []


def test_a_log_that_still_grows_is_looked_at_with_each_change() -> None:
    load(job(), step())
    load_in_chunks(chunks=64, status=5)
    assert maintenance.maintain().logs_merged == 0
    assert not ChangedStep.objects.exists()
    load(script_log("more\n", offset=7 * 64))
    assert maintenance.maintain().logs_merged == 1


def test_a_finish_that_comes_by_itself_is_told() -> None:
    load(job(), step(), result(status=5), script_log("one\n"))
    maintenance.maintain()
    load(result(status=9))
    assert ChangedStep.objects.count() == 1
    LogFeatures.objects.all().delete()
    assert maintenance.maintain().fingerprints == 1


def test_a_result_without_a_log_that_runs_is_not_told() -> None:
    load(job(), step(), result(status=5))
    assert not ChangedStep.objects.exists()


def test_a_redaction_is_told(tmp_path: Path) -> None:
    load(job(), step(), result(status=9), script_log("is it hunter2\n"))
    maintenance.maintain()
    texts = tmp_path / "texts"
    texts.write_text("hunter2")
    call_command("redact_logs", "--texts", str(texts), stdout=io.StringIO())
    assert list(ChangedStep.objects.values_list("step_id", flat=True)) == [the_result().step_id]


def test_what_nobody_told_waits_for_the_sweep_of_a_day() -> None:
    load(job(), step(), result(status=9), script_log("one\n"))
    maintenance.maintain()
    HostResult.objects.update(digest=None, fingerprint_size=None)
    assert maintenance.maintain().fingerprints == 0
    a_day_later()
    assert maintenance.maintain().fingerprints == 1
    HostResult.objects.update(digest=None, fingerprint_size=None)
    assert maintenance.maintain(every_day=True).fingerprints == 1


def test_a_limit_forgets_nothing_and_is_no_sweep() -> None:
    load(job(), step())
    for host in (1, 2, 3):
        load_in_chunks(host)
    a_day_later()
    assert maintenance.maintain(limit=2).logs_merged == 2
    assert ChangedStep.objects.exists()
    assert maintenance.maintain(limit=2).logs_merged == 1
    maintenance.maintain(limit=9)
    assert not ChangedStep.objects.exists()
    HostResult.objects.update(digest=None, fingerprint_size=None)
    assert maintenance.maintain().fingerprints == 3


def test_a_dry_run_counts_each_log_once_and_leaves_what_it_was_told() -> None:
    load(job(), step())
    load_in_chunks()
    before = ChangedStep.objects.count()
    for _ in range(2):  # beside a sweep, then without
        report = maintenance.maintain(dry_run=True)
        assert (report.logs_merged, ChangedStep.objects.count()) == (1, before)
        a_day_later()
    assert MaintenanceRun.objects.get().swept_at is not None


def test_what_changes_while_a_batch_is_looked_at_is_not_forgotten() -> None:
    load(job(), step(), result(status=5), script_log("one\n"))
    first = next(changed_steps.batches())
    load(script_log("two\n", offset=4))
    assert ChangedStep.objects.count() == 2
    first.forget()
    assert ChangedStep.objects.count() == 1


def test_what_changes_during_a_run_is_left_to_the_next_one() -> None:
    told.add([1])
    runs = 0
    for batch in itertools.islice(changed_steps.batches(), 10):
        told.add([1])  # ingest is faster than the run
        batch.forget()
        runs += 1
    assert (runs, ChangedStep.objects.count()) == (1, 1)


def test_steps_of_many_rows_come_in_batches_by_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changed_steps, "ROWS_AT_ONCE", 4)
    monkeypatch.setattr(changed_steps, "STEPS_AT_ONCE", 2)
    load(*itertools.chain.from_iterable((job(n), step(n, job=n)) for n in (1, 2, 3)))
    load(job(4, create_time=CREATED + 3 * 86_400_000), step(4, job=4))
    keys = list(StepInstance.objects.order_by("step_instance_id").values_list("pk", flat=True))
    told.add(keys)
    told.add([keys[0]])
    told.add([keys[-1] + 1])  # it was removed since
    first, second = changed_steps.batches()
    assert [steps for _, steps in first.steps] == [keys[:2], [keys[2]], [keys[3]]]
    assert [steps for _, steps in second.steps] == [[keys[0]]]
    first.forget()
    second.forget()
    assert not ChangedStep.objects.exists()


def test_steps_whose_logs_expired_are_left_alone(settings: object) -> None:
    settings.LOG_RETENTION_DAYS = 1  # type: ignore[attr-defined]
    load(job(status=3), step(), result(status=9), script_log("one\n"))
    told.add([the_result().step_id])
    assert expiry.expire_job(JobInstance.objects.get())
    report = maintenance.maintain()
    assert (report.fingerprints, ChangedStep.objects.count()) == (0, 0)


def test_identities_of_removed_jobs_go_with_the_sweep() -> None:
    load(job(status=3), step(), result(status=9))
    call_command("remove_jobs", "--job", "100", stdout=io.StringIO(), stderr=io.StringIO())
    assert maintenance.maintain().hosts_forgotten == 0
    assert Host.objects.exists()
    a_day_later()
    assert maintenance.maintain().hosts_forgotten == 1


def test_identities_of_jobs_that_a_run_forgets_go_with_it(settings: object) -> None:
    load(job(status=3), step(), result(status=9))
    settings.HISTORY_RETENTION_DAYS = 1  # type: ignore[attr-defined]
    report = maintenance.maintain()
    assert (report.jobs_forgotten, report.hosts_forgotten) == (1, 1)


def test_a_step_that_was_not_signed_in_time_is_signed_by_the_next_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load(job(status=3), step(status=3))
    load_in_chunks()
    monkeypatch.setattr(logs, "SIGNING_SECONDS", -1.0)
    report = maintenance.maintain()
    assert (report.fingerprints, report.steps_signed) == (1, 0)
    assert set(ChangedStep.objects.values_list("step_id", flat=True)) == {the_result().step_id}
    monkeypatch.setattr(logs, "SIGNING_SECONDS", 600.0)
    report = maintenance.maintain()
    assert (report.fingerprints, report.steps_signed) == (0, 1)
    assert not ChangedStep.objects.exists()


def test_failures_of_steps_that_an_older_program_deleted_go_with_the_sweep() -> None:
    load(job(status=4), step(status=4), result(status=104, exit_code=1), script_log("no space\n"))
    maintenance.maintain()
    assert FailureRun.objects.exists()
    for model in (LogChunk, HostResult, StepInstance, JobInstance):
        model.objects.all().delete()
    maintenance.maintain()
    assert FailureRun.objects.exists()
    a_day_later()
    maintenance.maintain()
    assert not FailureRun.objects.exists()
    assert not FailureSeen.objects.exists()


def test_a_sweep_that_takes_long_leaves_outcomes_to_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load(job(status=4), step(status=4), result(status=104, exit_code=1), script_log("no space\n"))
    ChangedStep.objects.all().delete()  # by a program of an earlier release
    monkeypatch.setattr(logs, "RECORDING_SECONDS", -1.0)
    a_day_later()
    assert maintenance.maintain().steps_recorded == 0
    monkeypatch.setattr(logs, "RECORDING_SECONDS", 600.0)
    a_day_later()
    assert maintenance.maintain().steps_recorded == 1
