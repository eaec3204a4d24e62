"""What a record changes in a row that is there (RECORDS, Merging)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joblogs.models import FileLog, HostResult, JobInstance, Scope, StepInstance
from tests.builders import Fields, file_log, job, load, result, send, step

pytestmark = pytest.mark.django_db
FILE = file_log(status=3)


def _held() -> HostResult:
    return HostResult.objects.get()


def test_defaults_apply_when_a_row_is_made() -> None:
    load(job(), step(), result())
    row = JobInstance.objects.get()
    assert (row.status, row.launch_mode, row.task_type, row.operator) == (2, 2, 1, "")
    assert StepInstance.objects.get().create_time == row.create_time
    assert (_held().status, _held().execute_count, _held().batch, _held().role) == (7, 0, 0, 0)


def test_rows_that_say_a_choice_and_rows_that_leave_it_to_its_default_go_in_together() -> None:
    load(job(1, launch_mode=7, task_type=0), job(2), step(job=1, status=3), step(201, job=2))
    load(job(1, update_time=1, name="a"), job(2, update_time=1, status=3))
    found = JobInstance.objects.order_by("job_instance_id")
    assert list(found.values_list("launch_mode", "task_type", "status")) == [(7, 0, 2), (2, 1, 3)]


def test_what_a_record_leaves_out_or_says_null_stays() -> None:
    load(job(), step(), result(tag="ok", exit_code=3, status=7))
    load(result(status=9, tag=None))
    assert (_held().status, _held().tag, _held().exit_code) == (9, "ok", 3)


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ({"status": 5}, {"status": 7}, 7),
        ({"status": 7}, {"status": 9}, 9),
        ({"status": 9}, {"status": 7}, 9),
        ({"status": 9}, {"status": 104}, 9),
        ({"status": 9, "update_time": 1}, {"status": 104, "update_time": 2}, 104),
        ({"status": 104, "update_time": 2}, {"status": 7, "update_time": 1}, 104),
        ({"status": 9, "update_time": 1}, {"status": 7, "update_time": 2}, 7),
        ({"status": 7}, {"status": 7, "update_time": 5}, 7),
    ],
)
def test_a_row_changes_only_forwards(first: Fields, second: Fields, status: int) -> None:
    load(job(), step(), result(**first))
    send(result(**second))
    assert _held().status == status


def test_an_equal_record_fills_only_what_is_empty() -> None:
    load(job(), step(), result(status=9, tag="first"))
    report = send(result(status=9, tag="second", exit_code=0))
    assert (report.accepted, _held().tag, _held().exit_code) == (1, "first", 0)
    assert send(result(status=9, tag="second", exit_code=0)).duplicates == 1


def test_a_job_that_is_run_again_goes_back_to_running() -> None:
    load(job(status=4))
    load(job(status=2, execute_count=1))
    assert JobInstance.objects.get().status == 2
    assert send(job(status=3, execute_count=0)).duplicates == 1


def test_a_step_record_never_changes_its_job() -> None:
    load(job(status=4), step(status=4))
    load(step(status=2, execute_count=1))
    assert JobInstance.objects.get().status == 4
    assert StepInstance.objects.get().status == 2


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(5)), st.integers(0, 1_000_000))
def test_any_order_of_records_with_update_time_ends_the_same(order: list[int], host: int) -> None:
    host += 1
    said: list[dict[str, Any]] = [
        {"status": 5, "update_time": 1, "exit_code": 1, "tag": "a"},
        {"status": 7, "update_time": 2, "exit_code": 2, "tag": "b"},
        {"status": 104, "update_time": 3, "exit_code": 3, "tag": "c"},
        {"status": 7, "update_time": 4, "exit_code": 4, "tag": "d"},
        {"status": 9, "update_time": 5, "exit_code": 0, "tag": "e"},
    ]
    load(job(), step())
    HostResult.objects.all().delete()
    for index in order:
        load(result(host, **said[index]))
    row = _held()
    assert (row.status, row.update_time, row.exit_code, row.tag) == (9, 5, 0, "e")


def test_later_attempts_take_the_addresses_of_the_hosts_previous_result() -> None:
    load(job(), step(), result(ip="10.0.0.7", host_name="web", bk_cloud_id=3))
    load(result(ip=None, execute_count=1))
    row = HostResult.objects.get(execute_count=1)
    assert (row.ip, row.host_name, row.bk_cloud_id) == ("10.0.0.7", "web", 3)


def test_they_are_never_taken_from_another_step_or_from_the_machine() -> None:
    load(job(), step(), result(), step(201))
    (entry,) = send(result(step=201, ip=None)).refused
    assert entry.reason == "invalid"


def test_a_host_that_is_both_has_a_result_of_each_role() -> None:
    load(job(), step(step_type=2), result(), result(role="source"))
    assert sorted(HostResult.objects.values_list("role", flat=True)) == [0, 1]


def test_addresses_are_stored_in_one_spelling() -> None:
    load(job(), step(), result(ip=None, ipv6="FD00:0:0::0007"))
    assert _held().ipv6 == "fd00::7"


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"src_path": "/other"}, "src_path"),
        ({"dest_path": "/other"}, "dest_path"),
        ({"src": {"bk_host_id": 102, "bk_cloud_id": 0, "ip": "10.9.9.9"}}, "src_ip"),
        ({"src": {"bk_host_id": 103}}, "src_host_id"),
    ],
)
def test_the_ends_and_paths_of_a_file_log_never_change(changed: Fields, column: str) -> None:
    load(job(), step(step_type=2), result(), file_log(task_key="t", status=3))
    (entry,) = send(file_log(task_key="t", status=4, **changed)).refused
    assert entry.reason == "conflict"
    assert column in entry.message
    assert FileLog.objects.get().status == 3


def test_progress_moves_on_with_update_time_and_not_back() -> None:
    load(job(), step(step_type=2), result())
    load(file_log(status=3, process="10%", update_time=1))
    load(file_log(status=3, process="50%", update_time=2))
    assert send(file_log(status=3, process="10%", update_time=1)).duplicates == 1
    row = FileLog.objects.get()
    assert (row.process, row.status, row.task_key) == ("50%", 3, "1_102_/data/1.log_101_/tmp/1.log")


def test_file_content_comes_in_pieces_like_all_logs() -> None:
    load(job(), step(step_type=2), result(), file_log(offset=0, content="one\n"))
    report = send(
        file_log(offset=4, content="two\n"),
        file_log(offset=0, content="one\n"),
        file_log(offset=2, content="e\ntwo\nthree\n"),
        file_log(offset=99, content="late"),
        file_log(offset=0, content="ONE\n"),
    )
    assert (report.accepted, report.duplicates, report.refused_total) == (2, 1, 2)
    assert bytes(FileLog.objects.get().content) == b"one\ntwo\nthree\n"
    assert report.refused[0].expected_offset == 14


def test_two_long_paths_still_make_a_key_that_can_be_read_again() -> None:
    long = "/" + "x" * 8000
    load(job(), step(step_type=2), result(), file_log(src_path=long, dest_path=long))
    assert len(FileLog.objects.get().task_key) <= 8192
    assert send(file_log(src_path=long, dest_path=long)).duplicates == 1


def test_a_held_time_that_no_record_may_state_counts_as_none() -> None:
    load(job(status=3), step(status=3), result(status=9), FILE)
    for model in (JobInstance, StepInstance, HostResult, FileLog):
        model._default_manager.update(update_time=253_000_000_000_000)  # the year 9987
    said = {"status": 4, "update_time": 5}
    report = load(job(**said), step(**said), result(status=104, update_time=5), FILE | said)
    assert report.accepted == 4
    for model in (JobInstance, StepInstance, HostResult, FileLog):
        assert model._default_manager.values_list("update_time", flat=True).get() == 5
    assert _held().status == 104
    assert load(job(**said), step(**said)).duplicates == 2


def test_a_scope_that_was_named_in_a_far_year_can_be_named_anew() -> None:
    load(job(scope_name="old"))
    Scope.objects.update(named_at=2**53 - 1)
    load(job(2, scope_name="new"))
    assert Scope.objects.get().name == "new"
