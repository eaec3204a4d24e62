"""Requests for a fuzzer to send, and the OpenAPI document made strict about their answers."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case

from tests.builders import CREATED, Fields, file_log, job, result, script_log, step

Json = dict[str, Any]
JOB, SCRIPTS, FILES, APPROVAL = 7_000_000, 70, 71, 72


def stored() -> list[Fields]:
    """A job with steps of three kinds, as the questions below ask for it."""
    return [
        job(JOB, status=3),
        step(SCRIPTS, job=JOB, status=3),
        *(result(host, job=JOB, step=SCRIPTS, status=9) for host in (1, 2, 3)),
        script_log("one\ntwo\n", host=1, job=JOB, step=SCRIPTS),
        script_log("二\n\0", host=2, job=JOB, step=SCRIPTS),
        step(FILES, job=JOB, step_type=2),
        result(1, job=JOB, step=FILES, status=9),
        result(2, job=JOB, step=FILES, role="source", status=9),
        file_log(1, job=JOB, step=FILES, source=2, offset=0, content="moved\n", status=4),
        file_log(1, job=JOB, step=FILES, src=None, src_path="bucket:x"),
        file_log(2, job=JOB, step=FILES, mode=0, status=4),
        step(APPROVAL, job=JOB, step_type=3),
    ]


SCOPE: Json = {"bk_scope_type": "biz", "bk_scope_id": "2", "scope_type": "biz", "scope_id": "2"}
SPAN: Json = {"create_time_start": CREATED - 1000, "create_time_end": CREATED + 1000}
HOST: Json = {"host": 1, "bk_host_id": 1}
RUN: Json = {
    **{"execute_count": 0, "mode": 1},
    **{"execute_object_type": 1, "execute_object_resource_id": 1},
}
STEPS: list[Json] = [
    {
        **SCOPE,
        **SPAN,
        **HOST,
        **RUN,
        "job_instance_id": JOB,
        "job": JOB,
        "step_instance_id": n,
        "step": n,
    }
    for n in (SCRIPTS, FILES, APPROVAL)
]
SMALL = st.integers(0, 12)
SAID: dict[str, st.SearchStrategy[Any]] = {
    "host_id_list": st.just([2, 1, 4, "3"]),
    "ip_list": st.just([{"bk_cloud_id": 0, "ip": "10.0.0.1"}]),
    "bk_host_id": st.integers(1, 4),
    "host": st.integers(1, 4),
    "start": st.integers(0, 3),
    "length": st.integers(1, 3),
    "return_log_state": st.booleans(),
    "return_ip_result": st.booleans(),
    "offset": SMALL,
    "length_bytes": st.integers(1, 12),
    "tail_bytes": st.integers(1, 12),
    "tail": SMALL,
    "grep": st.sampled_from(["o", "one"]),
    "keyword": st.sampled_from(["o", "ONE"]),
    "grep_context": st.integers(0, 2),
    "execute_count": st.integers(0, 1),
    "batch": st.integers(0, 1),
    "status": st.sampled_from([3, 9]),
    "search_ip": st.just("10."),
    "format": st.sampled_from(["ndjson", "zip", "txt", "csv"]),
    "attempt": st.sampled_from(["all", "latest", "0"]),
    "wait": st.just(0),
    "Range": st.sampled_from(["bytes=0-1", "bytes=2-", "bytes=-3", "bytes=99-", "bytes=5-2"]),
}
"""What may be said so that there is something to answer. `wait` never waits."""


@dataclass(frozen=True)
class Saying:
    """What a request is made to say; `alone`: and nothing else."""

    values: Json
    alone: bool


@st.composite
def sayings(draw: st.DrawFn, names: set[str]) -> Saying:
    """Some of what an operation with fields of these names may be told."""
    said = draw(st.sampled_from([*STEPS, SCOPE, {}]))
    known = sorted(SAID.keys() & names)
    more = draw(st.sets(st.sampled_from(known), max_size=4)) if known else set()
    more |= {"group"} & SAID.keys()  # no other is there
    values = said | {name: draw(SAID[name]) for name in sorted(more)} | {"wait": 0}
    return Saying({name: values[name] for name in values.keys() & names}, draw(st.booleans()))


def field_names(operation: Json) -> dict[str, set[str]]:
    """The names of an operation's fields by their place: path, query, header, body."""
    names: dict[str, set[str]] = {"path": set(), "query": set(), "header": set(), "body": set()}
    for parameter in operation.get("parameters", []):
        names[parameter["in"]].add(parameter["name"])
    for media in operation.get("requestBody", {}).get("content", {}).values():
        names["body"] |= media["schema"].get("properties", {}).keys()
    return names


def overlay(case: Case, saying: Saying, names: dict[str, set[str]]) -> None:
    """Say it, whatever the case says there itself."""
    places: dict[str, Any] = {
        "path": case.path_parameters,
        "query": case.query,
        "header": case.headers,
        "body": case.body,
    }
    for place, values in places.items():
        if not isinstance(values, MutableMapping):
            continue
        if saying.alone and place != "path":
            values.clear()
        for name in saying.values.keys() & names[place]:
            value = saying.values[name]
            values[name] = value if place == "body" else str(value)


@st.composite
def _ndjson(draw: st.DrawFn) -> bytes:
    """Records, some of them of the store's job, some with a key changed, some no record at all."""
    chosen = draw(st.lists(st.sampled_from(stored()), max_size=5))
    # No number that another test's job could have.
    anything: st.SearchStrategy[Any] = st.sampled_from(
        [None, True, -1, 0, 2**53, 2**63, 1.5, []]
    ) | st.text(max_size=5)
    lines = []
    for record in chosen:
        change = draw(st.just({}) | st.dictionaries(st.sampled_from(sorted(record)), anything))
        lines.append(json.dumps(record | change))
    lines += draw(st.lists(st.text(max_size=9), max_size=2))
    return "\n".join(lines).encode(errors="replace")


schemathesis.openapi.media_type("application/x-ndjson", _ndjson())


@schemathesis.serializer("application/x-ndjson")
def _as_lines(ctx: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def closed(shape: Any) -> Any:
    """A document whose objects have no keys but those described.

    The published one lets more come, which is what it promises; what comes today is all there.
    """
    if isinstance(shape, list):
        return [closed(item) for item in shape]
    if not isinstance(shape, dict):
        return shape
    found = {key: closed(value) for key, value in shape.items()}
    if shape.get("type") == "object" and shape.get("properties"):
        found["additionalProperties"] = False
    return found


def with_closed_answers(document: Json) -> Json:
    """The document with strict answers; what may be asked stays as it is."""
    paths = {
        path: {
            method: operation | {"responses": closed(operation["responses"])}
            for method, operation in operations.items()
        }
        for path, operations in document["paths"].items()
    }
    return document | {"paths": paths, "components": closed(document["components"])}
