"""What may be asked for beyond the original (docs/api.md, Extras)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from joblogs.models import JobInstance
from tests.builders import asking, file_log, job, load, result, script_log, step

TEXT = "one ok\ntwo failed\nthree ok\nfour failed\n三 ok\n"
SIZE = len(TEXT.encode())

Data = Callable[..., Any]


@pytest.fixture(autouse=True)
def _store(granted: Any) -> None:
    load(
        job(),
        step(),
        result(1, status=9, log_size=SIZE),
        script_log(TEXT[:20], host=1),
        script_log(TEXT[20:], host=1, offset=20),
        result(2, status=9),
        result(3, status=7),
        script_log("so far", host=3),
    )


def _entry(data: Data, **fields: Any) -> dict[str, Any]:
    entry: dict[str, Any] = data(host_id_list=[1], **fields)["script_task_logs"][0]
    return entry


def test_fields_that_ask_for_nothing_do_not_change_the_answer_by_a_byte(
    ask: Callable[..., Any],
) -> None:
    def answer(**fields: Any) -> bytes:
        response = ask(asking(host_id_list=[1, 2, 3, 4], **fields))
        text: bytes = response.content
        return text.replace(response.json()["job_request_id"].encode(), b"")

    plain = answer()
    nothing = {
        "offset": None,
        "length_bytes": "",
        "tail_bytes": None,
        "return_log_state": False,
        "execute_count": None,
        "batch": " ",
        "grep": "",
        "grep_context": 3,
    }
    assert answer(**nothing) == plain


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ({"offset": 4}, 4, SIZE),
        ({"length_bytes": 5}, 0, 5),
        ({"offset": "4", "length_bytes": 5}, 4, 9),
        ({"offset": 18, "length_bytes": 4}, 18, 22),
        ({"tail_bytes": 8}, SIZE - 8, SIZE),
        ({"tail_bytes": 9999}, 0, SIZE),
        ({"offset": 9999}, SIZE, SIZE),
    ],
)
def test_a_byte_range_or_a_tail_is_that_part(
    data: Data, asked: dict[str, Any], start: int, stop: int
) -> None:
    entry = _entry(data, **asked)
    assert entry["log_content"] == TEXT.encode()[start:stop].decode(errors="replace")
    assert (entry["log_offset"], entry["log_size"]) == (start, SIZE)


def test_a_range_of_several_hosts_is_cut_of_each(data: Data) -> None:
    entries = data(host_id_list=[3, 1, 2], tail_bytes=3)["script_task_logs"]
    assert [entry["log_content"] for entry in entries] == ["far", "ok\n", ""]


def test_a_range_runs_across_rolling_batches(data: Data) -> None:
    load(result(1, batch=1, status=9), script_log("five\n", host=1, batch=1))
    entry = _entry(data, offset=SIZE - 3, length_bytes=5)
    assert entry["log_content"] == "ok\nfi"


def test_the_state_of_each_log_is_told_and_missing_hosts_are_listed(data: Data) -> None:
    found = data(
        host_id_list=[1, 2, 3, 77],
        return_log_state="true",
    )
    states = {entry["bk_host_id"]: entry["log_state"] for entry in found["script_task_logs"]}
    assert states == {
        1: {"state": "complete", "size": SIZE, "missing": 0},
        2: {"state": "complete", "size": 0, "missing": 0},
        3: {"state": "receiving", "size": 6, "missing": 0},
    }
    assert found["missing_hosts"] == [77]
    assert list(found)[-1] == "missing_hosts"


def test_a_missing_address_is_listed_as_it_was_named(data: Data) -> None:
    there, away = {"bk_cloud_id": 0, "ip": "10.0.0.1"}, {"bk_cloud_id": 0, "ip": "10.9.9.9"}
    assert data(ip_list=[there, away], return_log_state=True)["missing_hosts"] == [away]


def test_incomplete_truncated_and_expired_logs_say_so(data: Data, settings: Any) -> None:
    settings.LOG_MAX_BYTES = 4
    load(result(4, status=9, log_size=10), script_log("abc", host=4))
    load(result(5, status=9), script_log("abcdef", host=5))

    def states() -> list[dict[str, Any]]:
        entries = data(host_id_list=[4, 5], return_log_state=1)["script_task_logs"]
        return [entry["log_state"] for entry in entries]

    assert states() == [
        {"state": "incomplete", "size": 3, "missing": 7},
        {"state": "truncated", "size": 4, "missing": 0},
    ]
    JobInstance.objects.update(expired_at=1)
    assert [state["state"] for state in states()] == ["expired", "expired"]


def test_grep_gives_the_lines_that_match_with_their_context(data: Data) -> None:
    entry = _entry(data, grep="failed")
    assert entry["log_content"] == "two failed\nfour failed\n"
    assert entry["log_matches"] == 2
    entry = _entry(data, grep="three", grep_context=1)
    assert entry["log_content"] == "two failed\nthree ok\nfour failed\n"


def test_grep_answers_for_hosts_without_a_match_too(data: Data) -> None:
    entries = data(host_id_list=[3, 1, 2], grep="ok")["script_task_logs"]
    assert [(e["bk_host_id"], e["log_matches"]) for e in entries] == [(3, 0), (1, 3), (2, 0)]


def test_an_earlier_attempt_reads_as_it_stood_then(data: Data) -> None:
    load(result(1, execute_count=1, status=9), script_log("again\n", host=1, execute_count=1))
    assert _entry(data)["log_content"] == "again\n"
    assert _entry(data, execute_count=0)["log_content"] == TEXT


def test_one_batch_can_be_asked_for(data: Data) -> None:
    load(result(1, batch=1, status=9), script_log("five\n", host=1, batch=1))
    assert _entry(data)["log_content"] == TEXT + "five\n"
    assert _entry(data, batch=1)["log_content"] == "five\n"


def test_file_steps_tell_their_state_too(data: Data) -> None:
    load(
        step(201, step_type=2),
        result(1, step=201),
        file_log(1, step=201, offset=0, content="going", status=3),
    )
    entry = data(step=201, host_id_list=[1], return_log_state=True)["file_task_logs"][0]
    assert entry["log_state"] == {"state": "receiving", "size": 5, "missing": 0}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"offset": -1}, "offset"),
        ({"offset": "x"}, "offset"),
        ({"length_bytes": 0}, "length_bytes"),
        ({"tail_bytes": True}, "tail_bytes"),
        ({"tail_bytes": 5, "offset": 1}, "tail_bytes"),
        ({"execute_count": -1}, "execute_count"),
        ({"batch": 1.5}, "batch"),
        ({"grep": "a\nb"}, "grep"),
        ({"grep": "a" * 1025}, "grep"),
        ({"grep": ["a"]}, "grep"),
        ({"grep": "a", "offset": 1}, "grep"),
        ({"grep": "a", "grep_context": 21}, "grep_context"),
        ({"return_log_state": "maybe"}, "return_log_state"),
    ],
)
def test_what_is_wrong_with_an_extra_is_named(
    code_and_message: Callable[..., Any], fields: dict[str, Any], named: str
) -> None:
    said = code_and_message(asking(**fields), headers={"Blueking-Language": "en"})
    assert said == (1240003, f"Bad Request [{named}]")
