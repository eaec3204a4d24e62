"""Which attempt's log stands for a host, and how batches follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.builders import Fields, file_log, job, load, result, script_log, step

Data = Callable[..., Any]
Texts = Callable[..., dict[int, str]]
LAST_TIME = {"status": 3}


def attempt(count: int, text: str | None = None, *, batch: int = 0, **fields: Any) -> list[Fields]:
    """A host's result in one attempt and batch, and what it printed then."""
    place = {"execute_count": count, "batch": batch}
    log = [] if text is None else [script_log(text, **place)]
    return [result(**place, **fields), *log]


def transfer(count: int, path: str | None, *, batch: int = 0, **fields: Any) -> list[Fields]:
    """The same for a file step: the path of what was moved then."""
    place = {"execute_count": count, "batch": batch}
    mode = 0 if fields.get("role") == "source" else 1
    log = [] if path is None else [file_log(mode=mode, src_path=path, **place)]
    return [result(**place, **fields), *log]


CASES: dict[str, tuple[list[tuple[Any, ...]], str]] = {
    "the newest attempt counts": ([(0, "old"), (1, "new")], "new"),
    "also when it arrived first": ([(1, "new"), (0, "old")], "new"),
    "also when it printed nothing yet": ([(0, "old"), (1, None, {"status": 7})], ""),
    "also when it failed without a word": ([(0, "old"), (1, None, {"status": 11})], ""),
    "who was not run again keeps the log": ([(0, "old")], "old"),
    "who succeeded last time keeps it": ([(0, "old"), (1, None, LAST_TIME)], "old"),
    "however often": ([(0, "old"), (1, None, LAST_TIME), (2, None, LAST_TIME)], "old"),
    "from the attempt just before": ([(0, "a"), (1, "b"), (2, None, LAST_TIME)], "b"),
    "but for a log of its own": ([(0, "old"), (1, "new", LAST_TIME)], "new"),
    "but it was run again since": ([(0, "a"), (1, None, LAST_TIME), (2, "c")], "c"),
    "without an earlier one it is empty": ([(1, None, LAST_TIME)], ""),
    "a row may name the attempt it stands for": (
        [(0, "a"), (1, "b"), (2, None, {"status": 9, "actual_execute_count": 0})],
        "a",
    ),
    "or the last one run before": (
        [(0, "a"), (3, None, {"status": 11, "actual_execute_count": 1})],
        "a",
    ),
    "which may itself stand for another": (
        [(0, "a"), (1, None, LAST_TIME), (2, None, {"actual_execute_count": 1})],
        "a",
    ),
    "naming itself it is what it is": (
        [(0, "a"), (1, None, {"status": 11, "actual_execute_count": 1})],
        "",
    ),
    "batches follow one another": (
        [(0, "a"), (0, "b", {"batch": 1}), (0, "c", {"batch": 2})],
        "abc",
    ),
    "in their order, not that of arrival": (
        [(0, "b", {"batch": 10}), (0, "a", {"batch": 9})],
        "ab",
    ),
    "each batch at its own newest attempt": (
        [
            *[(0, "a", {"batch": 1}), (0, "b", {"batch": 2})],
            *[(1, "c", {"batch": 2}), (1, None, {"batch": 3, "status": 5})],
        ],
        "ac",
    ),
    "a batch that succeeded last time keeps its own": (
        [
            *[(0, "a", {"batch": 1}), (0, "b", {"batch": 2})],
            *[(1, None, {"batch": 1, **LAST_TIME}), (1, "d", {"batch": 2})],
        ],
        "ad",
    ),
}


def said_of(case: tuple[Any, ...]) -> tuple[int, str | None, Fields]:
    count, text, *more = case
    return count, text, more[0] if more else {}


@pytest.mark.parametrize("name", CASES)
def test_the_rule_of_attempts_holds_for_scripts(texts: Texts, name: str) -> None:
    attempts, expected = CASES[name]
    load(job(), step())
    for case in attempts:
        count, text, said = said_of(case)
        load(*attempt(count, text, **said))
    for fields in ({}, {"host_id_list": [101]}, {"start": 0}):
        assert texts(**fields) == {101: expected}


@pytest.mark.parametrize("role", ["target", "source"])
@pytest.mark.parametrize("name", CASES)
def test_the_rule_of_attempts_holds_for_file_transfers(data: Data, name: str, role: str) -> None:
    attempts, expected = CASES[name]
    load(job(), step(step_type=2))
    for case in attempts:
        count, text, said = said_of(case)
        load(*transfer(count, text, role=role, **said))
    (entry,) = data(host_id_list=[101])["file_task_logs"]
    assert "".join(log["src_path"] for log in entry["file_logs"]) == expected


def test_a_retry_reaches_only_the_hosts_that_were_run_again(texts: Texts) -> None:
    load(job(), step(), result(1), result(2), result(3))
    load(*(script_log(f"first {host}\n", host=host) for host in (1, 2, 3)))
    load(result(2, execute_count=1), script_log("second 2\n", host=2, execute_count=1))
    load(result(3, execute_count=1, status=3))
    assert texts() == {1: "first 1\n", 2: "second 2\n", 3: "first 3\n"}


def test_the_roles_of_a_host_have_attempts_of_their_own(data: Data) -> None:
    load(job(), step(step_type=2))
    load(*transfer(0, "/down-0"), *transfer(0, "/up-0", role="source"))
    load(*transfer(1, "/down-1"))
    load(*transfer(2, None, role="source", status=3))
    (entry,) = data(host_id_list=[101])["file_task_logs"]
    found = [(log["mode"], log["src_path"]) for log in entry["file_logs"]]
    assert found == [(0, "/up-0"), (1, "/down-1")]


@pytest.mark.parametrize(
    ("places", "shown"),
    [
        ([(0, 0), (1, 0)], (1, 0)),
        ([(1, 0), (0, 5)], (1, 0)),
        ([(1, 1), (1, 2), (0, 9)], (1, 2)),
    ],
)
def test_addresses_shown_are_those_of_the_newest_attempt_then_batch(
    data: Data, places: list[tuple[int, int]], shown: tuple[int, int]
) -> None:
    load(job(), step())
    for count, batch in places:
        addresses: Fields = {"ip": f"10.0.{count}.{batch}", "ipv6": f"fd00::{count}:{batch}"}
        load(result(execute_count=count, batch=batch, bk_cloud_id=10 * count + batch, **addresses))
    (entry,) = data()["script_task_logs"]
    count, batch = shown
    assert entry["ip"] == f"10.0.{count}.{batch}"
    assert entry["ipv6"] == f"fd00::{count}:{batch}"
    assert entry["bk_cloud_id"] == 10 * count + batch


def test_the_log_kept_is_shown_with_the_newest_addresses_and_found_by_either(data: Data) -> None:
    load(job(), step(), *attempt(0, "old", ip="10.0.0.1"))
    load(*attempt(1, None, ip="10.0.0.2", **LAST_TIME))
    for ip in ("10.0.0.1", "10.0.0.2"):
        (entry,) = data(ip_list=[{"bk_cloud_id": 0, "ip": ip}])["script_task_logs"]
        assert (entry["ip"], entry["log_content"]) == ("10.0.0.2", "old")


def test_a_character_split_over_two_batches_is_whole(texts: Texts) -> None:
    load(job(), step(), result(batch=1), result(batch=2))
    load(script_log(None, content_base64="4g==", batch=1))
    load(script_log(None, content_base64="gqw=", batch=2))
    assert texts() == {101: "€"}
