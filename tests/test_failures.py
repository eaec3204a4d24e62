"""Known failures: seen before or new, whatever ids, times and hosts the runs have."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from joblogs import log_features
from joblogs.failure_tallies import host_sets
from joblogs.models import FailureRun, FailureSeen, HostResult
from tests import builders
from tests.builders import CREATED, Fields, job, load, result, script_log, step
from tests.grouping.planted import deploy
from tests.pages.page_helpers import page, staff, text

pytestmark = pytest.mark.django_db

DAY = 24 * 60 * 60 * 1000
HOSTS = 10


def run(
    number: int,
    planted: dict[int, str],
    *,
    first_host: int = 0,
    scope: str = "2",
    **fields: Any,
) -> None:
    """A run of a deployment on hosts of its own, some of which failed; days apart."""
    records: list[Fields] = [
        job(number, status=3, create_time=CREATED + number * DAY, bk_scope_id=scope),
        step(number + 500, job=number, status=3, **fields),
    ]
    first = first_host or number * 100
    for host in range(first, first + HOSTS):
        how = planted.get(host - first, "")
        log = deploy(random.Random(number * 1000 + host), host, how)  # noqa: S311 - the same always
        outcome: Fields = {"status": 104, "exit_code": 1} if how else {"status": 9, "exit_code": 0}
        place = {"host": host, "job": number, "step": number + 500}
        records += [result(host_name=f"web-{host}", **place, **outcome), script_log(log, **place)]
    load(*records)


@pytest.fixture
def summary(db: None) -> Callable[[int], Any]:
    headers = builders.credentials()

    def summary(number: int) -> Any:
        address = f"/api/v1/biz/2/jobs/{number}/steps/{number + 500}/summary"
        response = Client().get(address, headers=headers)
        assert response.status_code == 200, response.content
        return response.json()["data"]

    return summary


def maintain() -> None:
    call_command("maintain_logs", "--every-day", stdout=io.StringIO())


def failures(answer: Any) -> list[tuple[int, int]]:
    """Of each failing group how many hosts it has, and in how many runs it was seen before."""
    return sorted(
        (group["host_count"], group["failure"]["runs"])
        for group in answer["groups"]
        if "failure" in group
    )


def run_five_times() -> None:
    for number in range(1, 5):
        run(number, {1: "disk", 4: "disk", 7: "killed"})
    run(5, {2: "disk", 9: "disk", 3: "killed", 6: "auth"})


@pytest.mark.parametrize("recorded_by", ["maintenance", "summaries"])
def test_failures_of_earlier_runs_were_seen_before_and_the_new_one_is_new(
    summary: Callable[[int], Any], recorded_by: str
) -> None:
    run_five_times()
    if recorded_by == "maintenance":
        maintain()
    else:
        for number in range(1, 5):
            summary(number)
    answer = summary(5)
    assert failures(answer) == [(1, 0), (1, 4), (2, 4)]
    (new,) = [
        g["failure"]
        for g in answer["groups"]
        if not g.get("failure", {"seen_before": 1})["seen_before"]
    ]
    assert new["first_time"] is None
    seen = [g["failure"] for g in answer["groups"] if "failure" in g and g["failure"] is not new]
    assert {one["first_time"] for one in seen} == {CREATED + DAY}
    assert sorted(one["hosts"] for one in seen) == [4, 8]
    assert answer["since_last_run"]["job_instance_id"] == 4
    assert answer["since_last_run"]["new"] == [new["key"]]
    assert answer["since_last_run"]["recovered"] == []
    assert failures(summary(1)) == [(1, 0), (2, 0)]


def test_an_earlier_run_that_nobody_looked_at_was_seen_before(
    summary: Callable[[int], Any],
) -> None:
    run(1, {1: "disk"})
    run(2, {4: "disk", 3: "auth"})
    assert failures(summary(2)) == [(1, 0), (1, 1)]


def test_the_page_says_it_in_words() -> None:
    run_five_times()
    maintain()
    client = staff()
    said = text(client, page("step", host=None, place=("biz", "2", 5, 505)))
    assert "seen before: first 15 November 2023, 4 runs, 8 hosts" in said
    assert "exit code 1 · new" in said
    assert "Since the last run (18 November 2023): 1 failure is new" in said
    client.cookies["django_language"] = "zh-hans"
    said = text(client, page("step", host=None, place=("biz", "2", 5, 505)))
    assert "以前出现过：首次 2023年11月15日，4 次执行，8 台主机" in said
    assert "与上次执行（2023年11月18日）相比" in said


def test_what_recovered_since_the_last_run_is_said(summary: Callable[[int], Any]) -> None:
    run(1, {1: "disk", 4: "disk", 7: "killed"})
    run(2, {3: "killed"})
    run(3, {})
    maintain()
    assert summary(2)["since_last_run"]["recovered"] == [
        {"status": 104, "exit_code": 1, "host_count": 2}
    ]
    assert [one["host_count"] for one in summary(3)["since_last_run"]["recovered"]] == [1]
    said = text(staff(), page("step", host=None, place=("biz", "2", 2, 502)))
    assert "no longer failing: exit code 1 (2 hosts)" in said


def test_runs_of_other_steps_and_scopes_are_not_compared(summary: Callable[[int], Any]) -> None:
    run(1, {1: "disk"})
    run(2, {1: "disk"}, name="other")
    maintain()
    assert failures(summary(2)) == [(1, 0)]
    assert summary(2)["since_last_run"] is None


def test_what_failed_alike_in_another_scope_is_new_here(summary: Callable[[int], Any]) -> None:
    run(1, {1: "disk"}, scope="3")
    maintain()
    run(2, {1: "disk"})
    assert failures(summary(2)) == [(1, 0)]
    assert summary(2)["since_last_run"] is None
    maintain()
    run(3, {1: "disk"})
    assert failures(summary(3)) == [(1, 1)]


def test_a_run_is_counted_once_however_often_it_is_told_and_maintained(
    summary: Callable[[int], Any],
) -> None:
    for _ in range(2):
        run(1, {1: "disk"})
        maintain()
        summary(1)
    run(2, {1: "disk"})
    assert failures(summary(2)) == [(1, 1)]
    assert FailureSeen.objects.count() == 1


def test_a_retry_is_a_run_of_its_own(summary: Callable[[int], Any]) -> None:
    run(1, {1: "disk"})
    maintain()
    again = {"job": 1, "step": 501, "host": 101, "execute_count": 1}
    load(
        step(501, job=1, status=3, execute_count=1),
        result(host_name="web-101", status=104, exit_code=1, **again),
        script_log(deploy(random.Random(1), 101, "disk"), **again),  # noqa: S311 - as above
    )
    maintain()
    assert failures(summary(1)) == [(1, 0)]
    run(2, {1: "disk"})
    assert failures(summary(2)) == [(1, 2)]


def test_runs_that_come_in_any_order_are_counted_alike(summary: Callable[[int], Any]) -> None:
    for number in (3, 1, 2):
        run(number, {1: "disk"})
        maintain()
    assert [failures(summary(number)) for number in (1, 3)] == [[(1, 0)], [(1, 2)]]
    assert FailureSeen.objects.get().first_at == CREATED + DAY


def test_a_removed_run_is_forgotten(summary: Callable[[int], Any]) -> None:
    run(1, {1: "disk"})
    run(2, {1: "disk"})
    run(3, {1: "disk"})
    maintain()
    call_command("remove_jobs", "--job", "1", stdout=io.StringIO(), stderr=io.StringIO())
    (group,) = [group for group in summary(3)["groups"] if "failure" in group]
    assert group["failure"]["runs"] == 1
    assert group["failure"]["first_time"] == CREATED + 2 * DAY
    for number in ("2", "3"):
        call_command("remove_jobs", "--job", number, stdout=io.StringIO(), stderr=io.StringIO())
    assert not FailureSeen.objects.exists()
    assert not FailureRun.objects.exists()


def test_a_redaction_forgets_what_the_text_told(
    tmp_path: Any, summary: Callable[[int], Any]
) -> None:
    run(1, {1: "disk"})
    run(2, {1: "killed"})
    maintain()
    texts = tmp_path / "texts"
    texts.write_text("No space left on device")
    call_command("redact_logs", "--texts", str(texts), stdout=io.StringIO())
    assert [bytes(run.key) != b"" for run in FailureRun.objects.all()] == [True]
    maintain()
    assert FailureRun.objects.count() == 2


NAMES = ["amber", "birch", "cedar", "ember", "fjord", "grove", "heron", "lemon", "mango", "noble"]


def words_run(number: int, causes: dict[str, int], first: int) -> None:
    """A run on sixteen hosts, on some of which each cause names a user that no other host has."""
    records: list[Fields] = [
        job(number, status=3, create_time=CREATED + number * DAY),
        step(number + 500, job=number, status=3),
    ]
    names = iter(NAMES[first:] + NAMES[:first])
    texts = [cause % next(names) for cause, hosts in causes.items() for _ in range(hosts)]
    for host in range(16):
        failed = host < len(texts)
        outcome: Fields = {"status": 104 if failed else 9, "exit_code": int(failed)}
        log = f"begun\n{texts[host]}\ngiving up\n" if failed else "begun\ndone\n"
        place = {"host": number * 100 + host, "job": number, "step": number + 500}
        records += [result(host_name=f"web-{host}", **place, **outcome), script_log(log, **place)]
    load(*records)


def test_names_without_a_digit_do_not_make_a_failure_new(summary: Callable[[int], Any]) -> None:
    shell, mount = "error: user %s has no login shell here", "cannot mount volume %s: refused"
    words_run(1, {shell: 3, mount: 3}, 0)
    words_run(2, {shell: 3, "disk quota of %s exceeded by far": 3}, 4)
    maintain()
    assert failures(summary(2)) == [(3, 0), (3, 1)]


def test_what_comes_in_late_is_counted_as_it_is_in_the_end(summary: Callable[[int], Any]) -> None:
    run(1, {1: "disk"})
    maintain()
    place = {"job": 1, "step": 501}
    late = deploy(random.Random(1), 150, "auth")  # noqa: S311 - as above
    load(
        result(150, host_name="web-150", status=104, exit_code=1, **place),
        script_log(late, host=150, **place),
    )
    log = HostResult.objects.get(host_id=101)
    load(script_log("and then a core was dumped\n", host=101, offset=log.held_size, **place))
    maintain()
    run(2, {1: "disk", 2: "auth"})
    assert failures(summary(2)) == [(1, 0), (1, 1)]


def test_no_text_is_read_to_know_it_and_statements_do_not_grow(
    summary: Callable[[int], Any],
) -> None:
    counts = []
    for number, planted in enumerate([{1: "disk"}, {1: "disk"}, {1: "disk", 2: "auth"}], 1):
        run(number, planted)
        maintain()
        with CaptureQueriesContext(connection) as queries:
            summary(number)
        asked = [query["sql"] for query in queries if "failure" in query["sql"]]
        counts.append(len(asked))
        assert sum("joblogs_failureseen" in sql for sql in asked) == 1
    assert set(counts) == {2}


def test_a_text_that_changed_meanwhile_is_not_recorded(summary: Callable[[int], Any]) -> None:
    run(1, {1: "disk"})
    rows = list(HostResult.objects.filter(held_size__gt=0))
    log_features.keep(rows[0].day, rows, log_features.compute(rows[0].day, rows, seconds=9))
    HostResult.objects.filter(pk=rows[0].pk).update(status=7)
    maintain()
    assert not FailureRun.objects.exists()


@pytest.mark.parametrize("hosts", [0, 1, 255, 5_000])
def test_sets_of_hosts_count_each_host_once(hosts: int) -> None:
    half = host_sets.host_set(range(hosts // 2))
    whole = host_sets.union(half, host_sets.host_set(range(hosts)))
    counted = host_sets.count(whole)
    assert len(whole) <= 2048
    assert counted.exact == (hosts < 256)
    assert abs(counted.number - hosts) <= (0 if counted.exact else hosts * 0.2)
