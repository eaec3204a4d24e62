"""remove_jobs, and the admin's action: jobs out of the store, but for those that are held."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from joblogs.maintenance import removing
from joblogs.models import (
    FileLog,
    HostResult,
    JobInstance,
    LogChunk,
    LogRead,
    Redaction,
    Removal,
    StepInstance,
)
from tests.builders import CREATED, file_log, job, load, result, script_log, step
from tests.pages.page_helpers import staff
from tests.queries import log, picture, the_job

pytestmark = pytest.mark.django_db

DAY = 86_400_000


def remove_jobs(*arguments: str) -> tuple[str, int]:
    """Standard output with what an error says, and the exit code."""
    out = io.StringIO()
    try:
        call_command("remove_jobs", *arguments, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        return out.getvalue() + str(error), error.returncode
    return out.getvalue(), 0


def _job(number: int, text: str = "hello\n", **fields: Any) -> None:
    load(
        job(number, **fields),
        *(step(number + 1000, job=number), result(1, job=number, step=number + 1000, status=9)),
        script_log(text, host=1, job=number, step=number + 1000),
        step(number + 2000, job=number, step_type=2),
        *(result(2, job=number, step=number + 2000, status=11),),
        file_log(2, job=number, step=number + 2000, offset=0, content="moved\n", status=4),
    )


def _left() -> list[int]:
    return sorted(JobInstance.objects.values_list("job_instance_id", flat=True))


def test_a_job_goes_with_all_that_is_below_it_and_the_run_is_recorded() -> None:
    _job(1)
    _job(2)
    assert remove_jobs("--scope", "biz:2", "--job", "1", "--by", "zoe") == (
        "Removed 1 job with 2 host results and 12 bytes of text.\n",
        0,
    )
    assert _left() == [2]
    tables = (StepInstance, HostResult, FileLog, LogChunk)
    assert [table.objects.count() for table in tables] == [2, 2, 1, 1]
    record = Removal.objects.get()
    assert (record.by, record.selection) == ("zoe", "scope=biz:2 job=1")
    assert (record.jobs, record.results, record.size, record.held) == (1, 2, 12, 0)
    assert record.finished_at is not None
    assert log(1, step__step_instance_id=1002) == b"hello\n"


def test_a_dry_run_counts_the_same_and_changes_nothing() -> None:
    _job(1)
    _job(2)
    JobInstance.objects.filter(job_instance_id=2).update(held_at=timezone.now())
    before = picture()
    said = remove_jobs("--scope", "biz:2", "--dry-run")
    assert (picture(), Removal.objects.count()) == (before, 0)
    assert (said[0].replace("Would remove", "Removed"), said[1]) == remove_jobs("--scope", "biz:2")


def test_held_jobs_are_refused_and_the_others_go() -> None:
    for number in (1, 2, 3):
        _job(number)
    JobInstance.objects.filter(job_instance_id=2).update(held_at=timezone.now())
    said, code = remove_jobs("--scope", "biz:2")
    assert (said.splitlines()[1:], code) == (["1 held job not removed: biz:2/2."], 1)
    assert _left() == [2]
    assert log(1, step__step_instance_id=1002) == b"hello\n"
    assert Removal.objects.get().held == 1


def test_who_read_masked_and_removed_them_stays_on_record(tmp_path: Path) -> None:
    _job(1)
    target = str(tmp_path / "export")
    call_command("export_logs", "--format", "ndjson", "--output", target, stderr=io.StringIO())
    read = set(LogRead.objects.values_list("job_instance_id", "step_instance_id"))
    call_command("redact_logs", "--job", "1", stdout=io.StringIO(), stderr=io.StringIO())
    remove_jobs("--job", "1")
    assert read == {(1, 1001), (1, 2001)}
    assert set(LogRead.objects.values_list("job_instance_id", "step_instance_id")) == read
    assert (Redaction.objects.count(), Removal.objects.count()) == (1, 1)


def test_a_producer_that_sends_the_job_again_makes_it_anew() -> None:
    _job(1, "first\n")
    remove_jobs("--job", "1")
    _job(1, "second\n")
    assert log(1, step__step_instance_id=1001) == b"second\n"


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--scope", "biz:3"], [1, 2, 3]),
        (["--job", "2"], [1, 3, 4]),
        (["--step", "1003"], [1, 2, 4]),
        (["--host", "7"], [1, 3, 4]),
        (["--ip", "0:10.0.0.7"], [1, 3, 4]),
        (["--status", "running"], [1, 3, 4]),
        (["--contains", "needle"], [1, 2, 4]),
        (["--contains", "needle", "--attempt", "latest"], [1, 2, 4]),
        (["--since", "2023-11-15"], [1, 2, 3]),
        (["--until", "2023-11-14"], [4]),
    ],
)
def test_it_removes_the_jobs_of_which_an_export_would_hold_something(
    options: list[str], left: list[int]
) -> None:
    _job(1)
    _job(2)
    load(result(7, job=2, step=1002, status=7))
    _job(3, "hay, needle\n")
    _job(4, bk_scope_id="3", create_time=CREATED + DAY)
    assert remove_jobs(*options)[1] == 0
    assert _left() == left


def test_the_text_that_was_looked_for_is_not_recorded() -> None:
    _job(1, "hunter2\n")
    remove_jobs("--contains", "hunter2", "--status", "succeeded", "--ip", "0:10.0.0.1")
    assert Removal.objects.get().selection == "ip=0:10.0.0.1 status=succeeded contains=…"


def test_without_a_selection_nothing_is_removed() -> None:
    _job(1)
    said, code = remove_jobs()
    assert (code, _left(), Removal.objects.count()) == (2, [1], 0)
    assert said == "Say which jobs: --scope, --job, --until, …"


def test_what_is_not_there_is_said() -> None:
    _job(1)
    assert remove_jobs("--job", "2") == ("--job 2: there is none in what is selected.", 1)
    assert remove_jobs("--scope", "biz:7")[1] == 1


@pytest.mark.parametrize("created", [2**53 - 1, CREATED * 1000, 253_402_300_799_999])
def test_a_job_whose_times_no_calendar_has_can_be_removed(created: int) -> None:
    _job(1)
    _job(2)
    last, said = datetime.date.max, {"start_time": created, "end_time": created}
    jobs = JobInstance.objects.filter(job_instance_id=1)
    jobs.update(create_time=created, update_time=created, day=last, **said)
    StepInstance.objects.filter(job__in=jobs).update(create_time=created, day=last, **said)
    rows = HostResult.objects.filter(step__job__in=jobs)
    rows.update(day=last, **said)
    for pk in rows.values_list("pk", flat=True):
        LogChunk.objects.filter(host_result_id=pk).update(day=last)
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    assert root.get(reverse("admin:joblogs_jobinstance_changelist")).status_code == 200
    assert remove_jobs("--job", "1")[0].startswith("Removed 1 job with 2 host results and 12 ")
    assert (_left(), LogChunk.objects.count()) == ([2], 1)


def test_an_interrupted_run_has_told_what_it_did_and_is_run_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(removing, "JOBS_AT_ONCE", 2)
    for number in range(1, 6):
        _job(number)

    def until_the_plug_is_pulled() -> Iterator[JobInstance]:
        yield from JobInstance.objects.select_related("scope").order_by("pk")[:4]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        removing.remove(until_the_plug_is_pulled(), by="zoe", selection="all")
    record = Removal.objects.get()
    assert (record.jobs, record.results, record.size) == (4, 8, 48)
    assert (record.finished_at, _left()) == (None, [5])
    assert remove_jobs("--scope", "biz:2")[1] == 0
    assert sum(Removal.objects.values_list("jobs", flat=True)) == 5


def test_an_expired_job_is_removed_and_no_text_is_counted() -> None:
    _job(1)
    JobInstance.objects.update(create_time=1, expired_at=1)
    assert remove_jobs("--job", "1")[0].endswith("2 host results and 0 bytes of text.\n")


class TestAdmin:
    """The action on chosen jobs."""

    def _root(self) -> Client:
        root = Client()
        root.force_login(User.objects.create_superuser("root"))
        return root

    def _post(self, client: Client, *numbers: int, **fields: str) -> Any:
        keys = [str(the_job(number).pk) for number in numbers]
        form = {"action": "remove", "_selected_action": keys, **fields}
        return client.post(reverse("admin:joblogs_jobinstance_changelist"), form, follow=True)

    def test_it_asks_before_it_removes(self) -> None:
        _job(1)
        _job(2)
        root = self._root()
        asked = self._post(root, 1).content.decode()
        assert "1 job will be removed" in asked
        assert "<li>biz:2/1 restart web</li>" in asked
        assert (_left(), Removal.objects.count()) == ([1, 2], 0)
        assert "1 job was removed." in self._post(root, 1, confirmed="yes").content.decode()
        assert _left() == [2]
        record = Removal.objects.get()
        assert (record.by, record.selection, record.jobs) == ("root", "biz:2/1", 1)

    def test_it_refuses_held_jobs(self) -> None:
        _job(1)
        _job(2)
        JobInstance.objects.filter(job_instance_id=2).update(held_at=timezone.now())
        root = self._root()
        assert "1 of them is held and will be kept" in self._post(root, 1, 2).content.decode()
        said = self._post(root, 1, 2, confirmed="yes").content.decode()
        assert "1 held job was not removed." in said
        assert _left() == [2]

    def test_it_is_for_superusers_only(self) -> None:
        _job(1)
        charlie = staff("charlie", scope=("biz", "2"))
        user = User.objects.get(username="charlie")
        user.user_permissions.set(Permission.objects.filter(content_type__app_label="joblogs"))
        page = charlie.get(reverse("admin:joblogs_jobinstance_changelist")).content.decode()
        assert "Hold (exempt from retention)" in page
        assert "Remove the selected jobs" not in page
        self._post(charlie, 1, confirmed="yes")
        assert (_left(), Removal.objects.count()) == ([1], 0)

    def test_removals_are_shown_to_those_who_may_see_them(self) -> None:
        _job(1)
        remove_jobs("--job", "1", "--by", "zoe")
        address = reverse("admin:joblogs_removal_changelist")
        root = self._root()
        assert "1 removal" in root.get(f"{address}?q=zoe").content.decode()
        assert "1 removal" in root.get(f"{address}?q=job=1").content.decode()
        row = reverse("admin:joblogs_removal_change", args=[Removal.objects.get().pk])
        assert root.get(row).status_code == 200
        assert root.post(row, {}).status_code == 403
        charlie = staff("charlie")
        assert charlie.get(address).status_code == 403
        may_see = Permission.objects.get(codename="view_removal")
        User.objects.get(username="charlie").user_permissions.add(may_see)
        assert charlie.get(address).status_code == 200
