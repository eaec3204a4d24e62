"""A host's log beside another, by API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from joblogs.models import LogRead
from tests import builders
from tests.builders import file_log, job, load, result, script_log, step

URL = "/api/v1/biz/2/jobs/100/steps/200/compare"


WIDE = "Error: disk full".encode("utf-16-le").decode()


@pytest.fixture
def get(db: None) -> Callable[..., Any]:
    headers = builders.credentials()

    def get(caller: Any = headers, **query: Any) -> Any:
        return Client().get(URL, query, headers=caller)

    return get


@pytest.fixture
def compared(get: Callable[..., Any]) -> Callable[..., Any]:
    def compared(**query: Any) -> Any:
        envelope = get(**query).json()
        assert envelope["code"] == 0, envelope
        return envelope["data"]

    return compared


def printed(**texts: str) -> None:
    """A step whose hosts, h1 and so on, printed these texts."""
    load(job(), step())
    for name, text in texts.items():
        host = int(name[1:])
        status = 104 if "failed" in text else 9
        load(result(host, host_name=f"web-{host}", status=status), script_log(text, host=host))


def test_another_host_is_named_by_id_name_or_address(compared: Any) -> None:
    printed(h1="a\nb\nc\n", h2="a\nx\nc\nd\n")
    for name in ("2", "web-2", "10.0.0.2"):
        answer = compared(host=1, **{"with": name})
        assert (answer["left"]["name"], answer["right"]["name"]) == ("web-1", "web-2")
        assert (answer["same"], answer["left_only"], answer["right_only"]) == (2, 1, 2)
    (hunk,) = answer["hunks"]
    kinds = [(row["kind"], row["left"], row["right"]) for row in hunk["rows"]]
    assert kinds == [
        ("same", {"number": 1, "text": "a"}, {"number": 1, "text": "a"}),
        ("left", {"number": 2, "text": "b"}, None),
        ("right", None, {"number": 2, "text": "x"}),
        ("same", {"number": 3, "text": "c"}, {"number": 3, "text": "c"}),
        ("right", None, {"number": 4, "text": "d"}),
    ]


def test_a_line_in_utf_16_amid_others_is_text(compared: Any) -> None:
    printed(h1="a\nError: disk\nc\n", h2=f"a\n{WIDE}\nc\n")
    answer = compared(host=1, **{"with": "2"})
    (hunk,) = answer["hunks"]
    assert {"number": 2, "text": "Error: disk full"} in [row["right"] for row in hunk["rows"]]


def test_most_hosts_are_the_usual_other_side(compared: Any) -> None:
    printed(h1="start\nfailed\n", **{f"h{n}": "start\ndone\n" for n in range(2, 9)})
    answer = compared(host=1)
    assert answer["group_hosts"] == 7
    assert answer["right"]["bk_host_id"] in range(2, 9)
    assert (answer["same"], answer["left_only"], answer["right_only"]) == (1, 1, 1)


def test_the_attempt_before_and_the_run_before_are_other_sides(compared: Any) -> None:
    load(job(99, create_time=1_600_000_000_000), step(199, job=99))
    load(result(1, job=99, step=199), script_log("old\n", host=1, job=99, step=199))
    printed(h1="first\n")
    load(result(1, execute_count=1), script_log("second\n", host=1, execute_count=1))
    before = compared(host=1, **{"with": "previous_attempt"})
    assert (before["left"]["execute_count"], before["right"]["execute_count"]) == (1, 0)
    earlier = compared(host=1, **{"with": "earlier_run"})
    assert (earlier["right"]["job_instance_id"], earlier["same"]) == (99, 0)
    assert [read.job_instance_id for read in LogRead.objects.order_by("pk")] == [100, 100, 99]


@pytest.mark.parametrize(
    ("named", "reason"),
    [("nobody-here", "nobody"), ("previous_attempt", "first"), ("earlier_run", "no-earlier")],
)
def test_where_there_is_no_other_the_reason_is_said(compared: Any, named: str, reason: str) -> None:
    printed(h1="a\n")
    answer = compared(host=1, **{"with": named})
    assert (answer["right"], answer["reason"], answer["hunks"]) == (None, reason, [])
    assert not LogRead.objects.exists()


def test_files_are_not_compared(compared: Any) -> None:
    load(job(), step(step_type=2), result(), file_log(101, content="moved\n", offset=0))
    assert compared(host=101)["reason"] == "files"


def test_masks_can_be_left_out(compared: Any) -> None:
    printed(h1="took 12 ms at 10:00:01\n", h2="took 13 ms at 10:00:02\n")
    other = {"with": "2"}
    assert compared(host=1, **other)["similar"] == 1
    assert compared(host=1, masks=0, **other)["different"] == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, 1241007),
        ({"host": 0}, 1241007),
        ({"host": 1, "masks": "maybe"}, 1240003),
        ({"host": 1, "part": "middle"}, 1240003),
        ({"host": 1, "context": 3}, 1240003),
        ({"host": 404}, 1244006),
    ],
)
def test_a_wrong_parameter_is_refused(get: Any, query: dict[str, Any], code: int) -> None:
    printed(h1="a\n")
    assert get(**query).json()["code"] == code


def test_a_read_is_recorded_with_both_hosts(get: Any) -> None:
    printed(h1="aa\n", h2="bbbb\n")
    get(host=1, **{"with": "2"})
    (read,) = LogRead.objects.all()
    assert (read.channel, read.host_count) == ("compare", 2)
    assert read.size >= 8


def test_who_may_not_read_learns_nothing(get: Any) -> None:
    printed(h1="a\n", h2="b\n")
    elsewhere = builders.credentials("elsewhere", scopes=(("biz", "3"),))
    assert get(caller=elsewhere, host=1).json()["code"] == 9900403
    assert not LogRead.objects.exists()
