"""Which job a record means, and that nobody reaches another's (RECORDS, Which job)."""

from __future__ import annotations

import pytest

from joblogs.access import Writer
from joblogs.ingest import Report
from joblogs.models import FileLog, HostResult, JobInstance, Scope, StepInstance
from tests.builders import Fields, file_log, job, load, result, script_log, send, step
from tests.queries import text

pytestmark = pytest.mark.django_db

TWO, THREE = {"bk_scope_id": "2"}, {"bk_scope_id": "3"}
OF_TWO: Fields = {"bk_scope_type": "biz", "bk_scope_id": "2"}
OF_THREE: Fields = {"bk_scope_type": "biz", "bk_scope_id": "3"}


def _reasons(report: Report) -> list[tuple[int, str]]:
    return [(entry.line, entry.reason.value) for entry in report.refused]


def _writer(*scopes: str) -> Writer:
    rows = Scope.objects.filter(scope_id__in=scopes)
    return Writer(every_scope=False, scope_ids=frozenset(row.pk for row in rows))


def _both() -> None:
    load(job(1, **TWO), step(job=1), job(1, **THREE), step(job=1))


def test_two_scopes_may_hold_a_job_of_the_same_number() -> None:
    _both()
    assert JobInstance.objects.count() == 2


def test_meant_is_the_job_that_the_stream_named_last() -> None:
    load(
        job(1, **TWO),
        step(10, job=1),
        job(1, **THREE),
        step(20, job=1),
        job(1, **TWO),
        step(11, job=1),
    )
    found = StepInstance.objects.values_list("job__scope__scope_id", "step_instance_id")
    assert sorted(found) == [("2", 10), ("2", 11), ("3", 20)]


def test_a_piece_belongs_to_the_job_that_was_named_last_before_it() -> None:
    _both()
    load(result(job=1, **OF_TWO), result(job=1, **OF_THREE))
    load(
        job(1, **TWO),
        script_log("two", job=1),
        job(1, **THREE),
        script_log("three", job=1),
        job(1, **TWO),
        script_log(" too", job=1, offset=3),
    )
    found = {row.step.job.scope.scope_id: text(row) for row in HostResult.objects.all()}
    assert found == {"2": b"two too", "3": b"three"}


def test_a_number_in_several_scopes_is_ambiguous_until_the_record_says_which() -> None:
    _both()
    report = send(step(30, job=1), step(30, job=1, **OF_THREE), result(job=1, **OF_TWO))
    assert _reasons(report) == [(1, "ambiguous")]
    assert StepInstance.objects.get(step_instance_id=30).job.scope.scope_id == "3"
    assert HostResult.objects.get().step.job.scope.scope_id == "2"


def test_a_record_that_says_which_does_not_change_which_the_stream_means() -> None:
    _both()
    load(job(1, **TWO), step(30, job=1, **OF_THREE), step(31, job=1))
    assert StepInstance.objects.get(step_instance_id=31).job.scope.scope_id == "2"


def test_the_only_job_in_the_writers_scopes_is_meant() -> None:
    _both()
    report = send(result(job=1), writer=_writer("3"))
    assert report.refused == []
    assert HostResult.objects.get().step.job.scope.scope_id == "3"


RECORDS: list[Fields] = [
    step(99),
    step(),
    result(),
    script_log("mine now\n"),
    file_log(step=201, offset=0, content="mine now"),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["type"])
@pytest.mark.parametrize("named", [{}, OF_TWO], ids=["by number", "by scope"])
def test_a_job_outside_the_writers_scopes_is_the_same_as_none(
    record: Fields, named: Fields
) -> None:
    load(job(), step(), result(), step(201, step_type=2), result(step=201), job(5, **THREE))
    before = (StepInstance.objects.count(), HostResult.objects.count(), FileLog.objects.count())
    theirs = send(record | named, writer=_writer("3"))
    none = send(record | named | {"job_instance_id": 77}, writer=_writer("3"))
    assert _reasons(theirs) == _reasons(none) == [(1, "unknown_parent")]
    assert theirs.refused[0].message == none.refused[0].message.replace("77", "100")
    after = (StepInstance.objects.count(), HostResult.objects.count(), FileLog.objects.count())
    assert after == before
    assert HostResult.objects.filter(received_size__gt=0).count() == 0


def test_a_job_record_of_a_scope_that_is_not_granted_is_forbidden_and_changes_nothing() -> None:
    load(job(name="theirs"), job(5, **THREE))
    report = send(job(name="mine"), job(6, bk_scope_id="4"), writer=_writer("3"))
    assert _reasons(report) == [(1, "forbidden"), (2, "forbidden")]
    assert JobInstance.objects.get(job_instance_id=100).name == "theirs"
    assert not Scope.objects.filter(scope_id="4").exists()


def test_the_children_of_a_forbidden_job_do_not_fall_to_another_of_its_number() -> None:
    _both()
    report = send(job(1, **TWO), step(40, job=1), writer=_writer("3"))
    assert _reasons(report) == [(1, "forbidden"), (2, "unknown_parent")]
    assert not StepInstance.objects.filter(step_instance_id=40).exists()


def test_a_scope_is_made_by_its_first_job_if_the_grant_covers_every_scope() -> None:
    load(job(1, bk_scope_type="biz_set", bk_scope_id="9000001", scope_name="一"))
    scope = Scope.objects.get()
    assert (scope.scope_type, scope.scope_id, scope.name) == ("biz_set", "9000001", "一")


def test_the_name_of_a_scope_is_that_of_its_newest_job_whatever_the_order() -> None:
    for numbers in ((1, 2), (4, 3)):
        for number in numbers:
            age = 2 if number in (2, 4) else 1
            load(job(number, scope_name=f"name {age}", create_time=age, bk_scope_id=str(numbers)))
    assert set(Scope.objects.values_list("name", flat=True)) == {"name 2"}
