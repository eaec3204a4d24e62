"""What is selected: by numbers, addresses, outcome, text, dates and attempts; and at what cost."""

from __future__ import annotations

import tracemalloc
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from joblogs.access import OPERATOR
from joblogs.export import Download, Format, Outcome, Walk, parts
from joblogs.export.choosing import Criteria, NotThere, choose
from joblogs.logtext import store
from joblogs.query import Address, canonical_order
from joblogs.search import Pattern
from tests.builders import CREATED, file_log, job, load, result, script_log, step
from tests.export.exporting import export, records

pytestmark = pytest.mark.django_db
DAY = 86_400_000


def _hosts(**criteria: Any) -> list[int]:
    return [r["bk_host_id"] for r in records(**criteria) if r["type"] == "host_result"]


def _types(**criteria: Any) -> list[str]:
    return [record["type"] for record in records(**criteria)]


def _fleet() -> None:
    load(
        *(job(), step(), step(201), job(101, create_time=CREATED + DAY), step(210, job=101)),
        *(result(host, status=9) for host in (1, 2, 3)),
        *(result(4, status=104), result(5, status=7), script_log("Disk full\n", host=4)),
        result(1, step=201, status=11, bk_cloud_id=3, ip="10.9.9.9", ipv6="fd00::7"),
        result(6, job=101, step=210, status=9),
    )


def test_hosts_are_named_by_number_and_by_the_address_of_then() -> None:
    _fleet()
    assert _hosts(hosts=[2, 6]) == [2, 6]
    assert _hosts(addresses=[Address(3, "fd00::7"), Address(0, "10.0.0.6")]) == [1, 6]
    assert _hosts(hosts=[2], addresses=[Address(0, "10.0.0.4")], step=200) == [2, 4]
    assert _types(hosts=[1], step=201) == ["job", "step", "host_result"]


def test_a_host_is_selected_with_all_attempts_if_one_had_the_address() -> None:
    load(job(), step(), result(1), result(1, execute_count=1, ip="10.1.1.1"), result(2))
    assert _hosts(addresses=[Address(0, "10.1.1.1")]) == [1, 1]


def test_the_outcome_is_that_of_the_newest_result() -> None:
    _fleet()
    assert _hosts(outcome=Outcome.FAILED) == [4, 1]
    assert _hosts(outcome=Outcome.RUNNING) == [5]
    assert _hosts(outcome=Outcome.SUCCEEDED, job=101) == [6]
    load(result(4, status=9, execute_count=1))
    assert _hosts(outcome=Outcome.FAILED) == [1]
    assert _hosts(outcome=Outcome.FAILED, attempt=0, every_attempt=False) == [4, 1]


def test_text_is_looked_for_in_scripts_and_in_files() -> None:
    _fleet()
    load(
        step(202, step_type=2), result(7, step=202), file_log(7, step=202, offset=0, content="Disk")
    )
    assert _hosts(contains=Pattern.of("Disk")) == [4, 7]
    assert _types(contains=Pattern.of("Disk full")) == ["job", "step", "host_result", "script_log"]
    assert export(contains=Pattern.of("disk full")) == b""


def test_what_is_looked_through_has_passed_once() -> None:
    _fleet()
    load(script_log("another log\n", host=2))
    passed: list[int] = []
    for pattern in (None, Pattern.of("Disk")):
        passed.clear()
        walk = Walk(choose(OPERATOR.jobs(), Criteria(contains=pattern)), passed=passed.append)
        assert list(parts(walk, Format.TXT))
        assert sum(passed) == canonical_order.held_bytes(OPERATOR.jobs(), None, Q()) == 22


def test_days_are_utc_and_both_ends_count() -> None:
    _fleet()
    jobs = [
        [r["job_instance_id"] for r in records(**days) if r["type"] == "job"]
        for days in (
            {"since": date(2023, 11, 15)},
            {"until": date(2023, 11, 14)},
            {"since": date(2023, 11, 14), "until": date(2023, 11, 15)},
        )
    ]
    assert jobs == [[101], [100], [100, 101]]


@pytest.mark.parametrize(
    ("criteria", "kind"),
    [
        ({"job": 9}, "job"),
        ({"step": 9}, "step"),
        ({"job": 101, "step": 200}, "step"),
        ({"hosts": [1, 9]}, "host"),
        ({"job": 101, "hosts": [1]}, "host"),
        ({"addresses": [Address(1, "10.0.0.1")]}, "ip"),
    ],
)
def test_what_is_named_and_not_there_is_said(criteria: dict[str, Any], kind: str) -> None:
    _fleet()
    with pytest.raises(NotThere) as caught:
        choose(OPERATOR.jobs(), Criteria(**criteria))
    assert caught.value.kind == kind


def test_named_hosts_cost_no_statements() -> None:
    load(job(), step(), *(result(host, host_name=f"Web-{host}") for host in range(1, 51)))
    costs = []
    for last in (1, 50):
        numbers = range(1, last + 1)
        addresses = [Address(0, f"{kind}{n}") for n in numbers for kind in ("10.0.0.", "wEB-")]
        with CaptureQueriesContext(connection) as captured:
            choose(OPERATOR.jobs(), Criteria(hosts=numbers, addresses=addresses, step=200))
        costs.append(len(captured))
    assert costs == [3, 3]


def test_an_attempt_is_the_log_as_it_stood_then() -> None:
    load(
        *(job(), step(), result(1, status=11), script_log("first\n", host=1)),
        *(result(1, status=9, execute_count=1), script_log("second\n", host=1, execute_count=1)),
        *(result(2, status=9), script_log("only\n", host=2)),
        result(2, status=3, execute_count=1, actual_execute_count=0),
    )
    criteria: dict[str, Any] = {"prefix": False, "format": Format.TXT}
    assert export(**criteria, attempt=0) == b"first\nonly\n"
    assert export(**criteria) == b"second\nonly\n"
    assert export(**criteria, every_attempt=True) == b"first\nsecond\nonly\n"
    told = [
        (r["bk_host_id"], r["execute_count"]) for r in records(every_attempt=False) if "role" in r
    ]
    assert told == [(1, 1), (2, 0), (2, 1)]


@pytest.mark.parametrize("kind", [1, 2])
def test_statements_do_not_grow_with_hosts(kind: int) -> None:
    load(job(), step(step_type=kind))
    costs = []
    for hosts in (range(1, 2), range(2, 51)):
        load(*(result(host, status=9) for host in hosts))
        load(
            *(
                file_log(host, offset=0, content="x") if kind == 2 else script_log(host=host)
                for host in hosts
            )
        )
        costs.append([_statements(format) for format in Format])
    assert costs[0] == costs[1]
    assert max(costs[0]) <= 10


def _statements(format: Format) -> int:
    with CaptureQueriesContext(connection) as captured:
        export(format)
    return len(captured)


def test_steps_with_more_hosts_than_a_page_lose_and_repeat_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(canonical_order, "RESULTS", 3)
    monkeypatch.setattr(canonical_order, "JOBS", 2)
    load(
        *(job(number) for number in range(95, 101)),
        *(step(), *(result(host) for host in range(1, 12))),
        *(result(5, execute_count=count) for count in range(1, 7)),
    )
    assert _hosts() == [1, 2, 3, 4, *[5] * 7, *range(6, 12)]
    assert [r["job_instance_id"] for r in records() if r["type"] == "job"] == [*range(95, 101)]


def test_memory_is_bounded_by_a_group_not_by_what_is_selected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "GROUP_BYTES", 1024 * 1024)
    text = "".join(f"{number:0999}\n" for number in range(1000))
    load(job(), step())
    for host in range(1, 25):
        load(result(host), script_log(text, host=host))
    for format in Format:
        walk = Walk(choose(OPERATOR.jobs(), Criteria()))
        tracemalloc.start()
        size = sum(len(part) for part in parts(walk, format))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size
        assert walk.tally.size == 24 * len(text)
        assert peak < 8 * 1024 * 1024


def test_whoever_breaks_off_has_read_what_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblogs.export.BLOCK_BYTES", 1)
    monkeypatch.setattr(store, "GROUP_BYTES", 6)
    load(job(), step(), *(result(host) for host in (1, 2)))
    load(*(script_log("hello\n", host=host) for host in (1, 2)))
    said: list[tuple[str, int, int]] = []

    class Record:
        hosts = 0

        def begin(self, size: int) -> None:
            said.append(("begin", self.hosts, size))

        def end(self, size: int) -> None:
            said.append(("end", self.hosts, size))

    walk = Walk(choose(OPERATOR.jobs(), Criteria()), reading=lambda step, *, search: Record())
    begun = Download(walk, Format.TXT, prefix=False)
    assert (begun.is_empty, next(begun), said) == (False, b"hello\n", [("begin", 2, 12)])
    begun.close()
    assert said == [("begin", 2, 12), ("end", 2, 6)]
    assert list(begun) == []
