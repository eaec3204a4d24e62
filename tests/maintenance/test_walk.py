"""What goes through logs costs what is selected, however much else there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from joblogs.logtext.custom_rules import literal
from joblogs.logtext.secret_scanner import Secrets
from joblogs.maintenance import identities, redaction, verification
from joblogs.maintenance.walk import LogSelection
from joblogs.models import FileLog, HostResult, JobInstance, StepInstance
from tests.builders import CREATED, file_log, job, load, result, script_log, step

pytestmark = pytest.mark.django_db
DAY = 86_400_000


def load_jobs(*numbers: int, apart: int = DAY) -> None:
    """Jobs, so many milliseconds apart, with a script step of two hosts and a file step of one."""
    for n in numbers:
        load(
            job(n, create_time=CREATED + n * apart),
            *(step(n, job=n), step(n + 5000, job=n, step_type=2)),
            *(result(host, job=n, step=n, status=9) for host in (1, 2)),
            *(script_log(f"job {n}", host=host, job=n, step=n) for host in (1, 2)),
            result(1, job=n, step=n + 5000, status=9),
            file_log(1, job=n, step=n + 5000, content=f"file {n}", offset=0),
        )


def walked(selection: LogSelection) -> tuple[set[int], set[int]]:
    results: set[int] = set()
    files: set[int] = set()
    for steps in selection.steps_by_jobs():
        results.update(row.pk for row in selection.results(steps))
        files.update(row.pk for row in selection.files(steps))
    return results, files


def test_a_walk_meets_each_log_that_is_selected() -> None:
    load_jobs(*range(1, 6))
    every = HostResult.objects.all()
    assert walked(LogSelection.every()) == (
        set(every.values_list("pk", flat=True)),
        set(FileLog.objects.values_list("pk", flat=True)),
    )
    jobs = JobInstance.objects.filter(job_instance_id__in=[2, 3])
    results, files = walked(LogSelection(jobs=jobs))
    assert results == set(every.filter(step__job__in=jobs).values_list("pk", flat=True))
    assert len(files) == 2
    steps = StepInstance.objects.filter(step_type=2)
    assert len(walked(LogSelection(jobs=jobs, steps=steps))[0]) == 2
    assert [len(keys) for keys in walked(LogSelection(jobs=jobs, hosts=frozenset([2])))] == [2, 0]


Run = Callable[[LogSelection], object]


@pytest.mark.parametrize(
    "run",
    [
        verification.verify,
        lambda chosen: redaction.redact(
            chosen, Secrets([literal("text", b"nothing")]), by="zoe", selection="x", dry_run=True
        ),
    ],
    ids=["verify", "redact"],
)
def test_more_jobs_cost_a_selected_one_no_more_statements(run: Run) -> None:
    counts: list[int] = []
    for others in (range(2, 4), range(4, 24)):
        load_jobs(*([1] if not counts else []), *others)
        with CaptureQueriesContext(connection) as made:
            run(LogSelection(jobs=JobInstance.objects.filter(job_instance_id=1)))
        counts.append(len(made))
    assert counts[0] == counts[1]


def test_days_are_those_that_have_jobs() -> None:
    assert list(JobInstance.objects.days()) == []
    load_jobs(1, 2, 5)
    load_jobs(2)
    assert list(JobInstance.objects.days()) == [
        date(2023, 11, 15),
        date(2023, 11, 16),
        date(2023, 11, 19),
    ]


def test_a_run_with_nothing_to_do_asks_as_much_for_few_hosts_and_jobs_as_for_more() -> None:
    counts: list[int] = []
    for others in (range(1, 3), range(3, 33)):
        load_jobs(*others, apart=1)
        call_command("maintain_logs", "--every-day")
        call_command("maintain_logs")  # moves what the first one computed into its day's partition
        with CaptureQueriesContext(connection) as made:
            call_command("maintain_logs")
        counts.append(len(made))
    assert counts[0] == counts[1]


def test_identities_without_results_are_counted_as_they_are_deleted() -> None:
    load_jobs(1, 2)
    load(job(3), step(3, job=3), *(result(host, job=3, step=3) for host in (7, 8, 9)))
    HostResult.objects.filter(step__job__job_instance_id=3).delete()
    assert identities.due().count() == 3
    assert identities.forget(limit=2) == 2
    assert (identities.due().count(), identities.forget(limit=None)) == (1, 1)
    assert identities.forget(limit=None) == 0
