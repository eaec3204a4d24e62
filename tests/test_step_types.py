"""Every type of step: taken in, answered, exported, shown and documented, whichever it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from joblogs.choices import StepType
from tests import builders
from tests.builders import BATCH, Fields, asking, file_log, job, load, result, script_log, step
from tests.export.exporting import comes_back
from tests.pages.page_helpers import page, staff

ROOT = Path(__file__).resolve().parent.parent
LOGS: dict[StepType, list[Fields]] = {
    StepType.FILE: [file_log(101, offset=0, content="moved\n", status=4)],
    StepType.APPROVAL: [],
}
"""What a step of a type has of its hosts; of the others, which run something, what they print."""

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("kind", list(StepType), ids=lambda kind: kind.name.lower()),
]


def store(kind: StepType) -> None:
    logs = LOGS.get(kind, [script_log("printed\n")])
    load(job(status=3), step(status=3, step_type=int(kind)))
    if kind is not StepType.APPROVAL:
        load(result(status=9), *logs)


def ask(path: str, headers: dict[str, str], **fields: Any) -> Any:
    """The data of a step's answer, by POST where there are fields."""
    client, where = Client(), asking() | fields
    if fields:
        answer = client.post(path, json.dumps(where), "application/json", headers=headers)
    else:
        answer = client.get(path, where, headers=headers)
    envelope = json.loads(answer.getvalue())
    assert envelope["code"] == 0, envelope
    return envelope["data"]


def test_its_logs_are_answered_in_the_list_that_is_theirs(kind: StepType) -> None:
    store(kind)
    data = ask(BATCH, builders.credentials(), return_log_state=False)
    if kind is StepType.APPROVAL:
        assert data["log_type"] is None
    elif kind is StepType.FILE:
        (entry,) = data["file_task_logs"]
        assert [one["log_content"] for one in entry["file_logs"]] == ["moved\n"]
    else:
        (entry,) = data["script_task_logs"]
        assert entry["log_content"] == "printed\n"


def test_its_detail_says_one_kind_of_task(kind: StepType) -> None:
    store(kind)
    detail = ask("/api/v3/get_step_instance_detail", builders.credentials())
    infos = [name for name in ("script_info", "file_info", "approval_info") if detail[name]]
    assert len(infos) == 1, infos


def test_it_is_exported_shown_and_documented(kind: StepType) -> None:
    store(kind)
    assert f'"step_type":{kind.value}'.encode() in comes_back()
    shown = staff().get(page("step", host=None)).content.decode()
    assert str(kind.label) in shown
    records = (ROOT / "docs" / "records.md").read_text("utf-8")
    (row,) = [line for line in records.splitlines() if line.startswith("| `step` |")]
    assert f"{kind.value} {kind.name}".lower() in row.lower()
