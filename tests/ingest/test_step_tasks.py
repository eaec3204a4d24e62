"""What producers know of a step's task: kept, masked, hidden, exported (docs/records.md)."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from joblogs import record_json
from joblogs.models import StepInstance
from tests.builders import Fields, job, load, send, step
from tests.export.exporting import comes_back

pytestmark = pytest.mark.django_db

TOKEN = "ghp_" + "1" * 36
MASKED = "ghp_" + "*" * 36
HIDDEN = "******"


def held() -> StepInstance:
    return StepInstance.objects.get()


def exported() -> list[Fields]:
    """The step records of an export that was imported and exported again."""
    lines = [json.loads(line) for line in comes_back().splitlines()[1:]]
    return [line for line in lines if line["type"] == "step"]


def test_secrets_of_known_forms_are_masked_everywhere() -> None:
    host = {"bk_host_id": 7, "ip": "10.0.0.7"}
    source = {"account": f"a {TOKEN}", "files": [f"/data/{TOKEN}"], "hosts": [host]}
    load(
        job(),
        step(
            script_param=f"--token {TOKEN}",
            account=f"b {TOKEN}",
            file_target_path=f"/srv/{TOKEN}",
            file_sources=[source],
        ),
    )
    (record,) = exported()
    assert TOKEN not in json.dumps(record)
    assert (record["account"], record["file_target_path"]) == (f"b {MASKED}", f"/srv/{MASKED}")
    assert record["script_param"].endswith(MASKED[-36:])
    assert record["file_sources"] == [
        {"account": f"a {MASKED}", "files": [f"/data/{MASKED}"], "hosts": [host]}
    ]


def test_a_replay_changes_nothing() -> None:
    told = step(script_param=f"x {TOKEN}", file_sources=[{"files": [TOKEN]}], timeout=5)
    hidden = step(201, script_param="y", script_param_sensitive=True)
    load(job(), told, hidden)
    report = send(told, hidden)
    assert (report.accepted, report.duplicates, report.refused) == (0, 2, [])


def test_what_is_left_out_stays_and_what_is_newer_replaces() -> None:
    load(job(), step(account="root", timeout=5, update_time=10))
    load(step(timeout=6, update_time=9), step(script_language=4, update_time=10))
    assert (held().account, held().timeout, held().script_language) == ("root", 5, 4)
    load(step(timeout=7, update_time=11))
    assert (held().account, held().timeout, held().script_language) == ("root", 7, 4)


RECORDS: list[Fields] = [
    {"update_time": 1, "script_param_sensitive": True},
    {"update_time": 2, "script_param": "first"},
    {"update_time": 3, "script_param": "second", "script_param_sensitive": False},
    {"update_time": 3, "script_param": "second", "script_param_sensitive": True},
]


@pytest.mark.parametrize("order", list(itertools.permutations(RECORDS)))
def test_parameters_that_any_record_calls_sensitive_are_hidden(order: list[Fields]) -> None:
    load(job(), step())
    for one in order:
        load(step(**one))
    assert (held().script_param, held().script_param_sensitive) == (HIDDEN, True)
    assert exported()[0]["script_param"] == HIDDEN
    for one in order:
        assert send(step(**one)).accepted == 0


def test_a_refused_record_hides_nothing() -> None:
    load(job(), step(script_param="plain"))
    report = send(step(step_type=2, script_param_sensitive=True), step(name="other", status=1))
    assert [refused.reason.value for refused in report.refused] == ["conflict"]
    assert held().script_param == "plain"


def test_a_thousand_sources_go_in_and_come_back() -> None:
    sources: list[Any] = [
        {"account": "root", "file_type": 1, "files": ["/a"], "hosts": [{"bk_host_id": number}]}
        for number in range(1, 1001)
    ]
    load(job(), step(file_sources=sources))
    assert exported()[0]["file_sources"] == sources
    report = send(step(file_sources=[*sources, {}]))
    assert [refused.reason.value for refused in report.refused] == ["invalid"]


def test_keys_of_sources_that_begin_with_x_are_dropped() -> None:
    source = {"files": ["/a"], "x_note": 1, "hosts": [{"bk_host_id": 1, "x_rack": "r"}]}
    load(job(), step(file_sources=[source]))
    assert exported()[0]["file_sources"] == [{"files": ["/a"], "hosts": [{"bk_host_id": 1}]}]


@pytest.mark.parametrize(
    "wrong",
    [
        *({"script_language": number} for number in (0, 7, "1")),
        *({"timeout": number} for number in (-1, 2**31, 1.5)),
        {"account": "a" * 257},
        {"script_param": "a" * 8193},
        {"file_target_path": "a" * 8193},
        {"script_param_sensitive": 1},
        {"file_sources": {}},
        {"file_sources": [{"colour": "red"}]},
        {"file_sources": [{"file_type": 4}]},
        {"file_sources": [{"files": "/a"}]},
        {"file_sources": [{"files": ["/a\0"]}]},
        {"file_sources": [{"hosts": [{"bk_host_id": 0}]}]},
        {"file_sources": [{"hosts": [{"bk_host_id": 1, "ip": "nowhere"}]}]},
        {"file_sources": [{"account": "a\0"}]},
        {"script_param": "\0"},
        {"file_sources": [{"files": [""] * 100_001}]},
        {"file_sources": [{"x_a": [1] * 200_000}]},
    ],
)
def test_what_a_column_could_refuse_is_refused(wrong: Fields) -> None:
    with pytest.raises(record_json.InvalidRecord):
        record_json.decode(json.dumps(step(**wrong)).encode())
