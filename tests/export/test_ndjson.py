"""The canonical export: the same rows come out of it again, byte for byte."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import Any

import pytest
from backports import zstd

from joblogs.logtext.export_pieces import PIECE_BYTES
from joblogs.management.commands.demo import ARCHIVE
from joblogs.models import FileLog, HostResult, JobInstance
from tests.builders import file_log, job, load, result, script_log, send, step
from tests.export.export_world import world
from tests.export.exporting import comes_back, export, import_all, records
from tests.queries import picture, recut, the_result

pytestmark = pytest.mark.django_db


def test_the_demo_comes_back_byte_for_byte_and_says_the_same() -> None:
    import_all(zstd.decompress(ARCHIVE.read_bytes()))
    before = picture()
    comes_back()
    assert picture() == before


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_stored_comes_back(seed: int) -> None:
    # What contradicts itself is refused on the way in: that is other tests' business.
    send(*world(Random(seed)))  # noqa: S311 - nothing is secret here
    before = picture()
    assert before["jobs"]
    comes_back()
    # What a machine is called today depends on the order in which one job names it.
    assert picture() | {"hosts": []} == before | {"hosts": []}


def test_rows_come_in_their_order_with_texts_by_code_point() -> None:
    files = [file_log(10, task_key=key, status=4) for key in ("b", "B", "a", "é", "_")]
    load(
        *(job(number, bk_scope_id=scope) for scope in ("b", "B", "10", "9") for number in (12, 7)),
        job(1, bk_scope_type="biz_set", bk_scope_id="0"),
        *(step(number, job=1, step_type=2, name=str(number)) for number in (9, 8)),
        *(step(number, job=1, position=1, name="placed") for number in (11, 10)),
        *(result(host, job=1, step=9) for host in (10, 9)),
        result(9, job=1, step=9, role="source"),
        result(9, job=1, step=9, execute_count=1, batch=1),
        result(9, job=1, step=9, execute_count=1),
        *(record | {"job_instance_id": 1, "step_instance_id": 9} for record in files),
    )
    found = records()
    jobs = [(r["bk_scope_id"], r["job_instance_id"]) for r in found if r["type"] == "job"]
    assert jobs == [(scope, n) for scope in ("10", "9", "B", "b") for n in (7, 12)] + [("0", 1)]
    steps = [r["step_instance_id"] for r in found if r["type"] == "step"]
    assert steps == [10, 11, 8, 9]
    results = [
        (r["bk_host_id"], r["execute_count"], r["batch"], r["role"])
        for r in found
        if r["type"] == "host_result"
    ]
    targets = [(9, 0, 0, "target"), (9, 0, 0, "source"), (9, 1, 0, "target"), (9, 1, 1, "target")]
    assert results == [*targets, (10, 0, 0, "target")]
    assert [r["task_key"] for r in found if r["type"] == "file_log"] == ["B", "_", "a", "b", "é"]


def test_keys_come_in_their_order_and_nulls_are_left_out() -> None:
    load(job(scope_name="shop", operator="zoe"), step(position=1), result(tag="", exit_code=0))
    first, second, third = records()
    assert list(first) == [
        *("type", "job_instance_id", "bk_scope_type", "bk_scope_id", "name", "operator", "source"),
        *("launch_mode", "task_type", "status", "create_time", "execute_count", "scope_name"),
    ]
    assert list(second) == [
        *("type", "job_instance_id", "step_instance_id", "name", "step_type", "position"),
        *("status", "execute_count", "create_time"),
    ]
    assert list(third) == [
        *("type", "job_instance_id", "step_instance_id", "execute_count", "batch", "bk_host_id"),
        *("bk_cloud_id", "ip", "status", "tag", "exit_code", "role"),
    ]


def test_a_log_is_cut_at_256_kib_whatever_its_chunks_are() -> None:
    text = "a" + "é" * PIECE_BYTES
    load(job(), step(), result(), script_log(text))
    first = export()
    cut = [record for record in records() if record["type"] == "script_log"]
    assert [record["offset"] for record in cut] == [0, PIECE_BYTES - 1, 2 * PIECE_BYTES - 1]
    assert "".join(record["content"] for record in cut) == text
    recut(the_result(), [1, 5, 1000, PIECE_BYTES])
    assert export() == first


def test_bytes_that_are_no_text_come_back_too() -> None:
    data = "中文".encode("gb18030") + b"\0\xff" + bytes(range(256))
    content: dict[str, Any] = {"content": None, "content_base64": base64.b64encode(data).decode()}
    load(
        *(job(), step(step_type=2), result(), result(102, role="source"), script_log(**content)),
        file_log(offset=0, **content),
        file_log(102, mode=0, offset=0, content="up\0"),
    )
    before = picture()
    first = comes_back()
    assert base64.b64encode(data) in first
    assert picture() == before


def test_retries_batches_and_rows_that_were_not_run_again_come_back() -> None:
    load(
        *(job(), step(), result(status=11), script_log("first\n")),
        *(result(execute_count=1, status=9), script_log("second\n", execute_count=1)),
        result(execute_count=2, status=3, actual_execute_count=1),
        *(result(102), result(102, batch=1), script_log("rolled\n", host=102, batch=1)),
    )
    before = picture()
    comes_back()
    assert picture() == before


def test_truncated_and_redacted_logs_say_so_and_come_back() -> None:
    load(
        *(job(), step(step_type=2)),
        result(truncated=True, received_size=100, redacted=[[2, 4], [6, 7]], log_size=100),
        script_log("he**o w*rld"),
        file_log(truncated=True, received_size=50, redacted=[[0, 1]], offset=0, content="*og"),
    )
    _, _, said, _, file = records()
    marks = {"received_size": 100, "truncated": True, "redacted": [[2, 4], [6, 7]]}
    assert said == said | marks | {"log_size": 100}
    assert file == file | {"received_size": 50, "truncated": True, "redacted": [[0, 1]]}
    before = picture()
    comes_back()
    assert picture() == before


def test_what_is_said_to_be_truncated_and_is_all_here_stays_so() -> None:
    load(job(), step(), result(truncated=True, received_size=2), script_log("hello\n"))
    first = comes_back()
    assert b'"truncated":true' in first
    assert b"received_size" not in first


def test_jobs_of_one_number_stay_apart(settings: Any) -> None:
    settings.LOG_MAX_BYTES = 4
    for scope in ("2", "3"):
        records = (job(bk_scope_id=scope), step(), result(), script_log(f"of {scope}\n"))
        load(*records)
    before = picture()
    comes_back()
    assert picture() == before
    assert sorted(text for _, text in before["results"]) == [b"of 2", b"of 3"]


def test_an_expired_job_says_so_and_what_had_come_of_its_logs() -> None:
    load(
        *(job(), step(step_type=2), result(), script_log("gone\n")),
        file_log(offset=0, content="gone too", status=4),
    )
    JobInstance.objects.update(expired_at=1_800_000_000_000, expired_policy="LOG_RETENTION_DAYS 3")
    FileLog.objects.update(content=b"", held_size=0)
    first, _, said, file = records()
    assert first["expired"] == {"at": 1_800_000_000_000, "policy": "LOG_RETENTION_DAYS 3"}
    assert (said["received_size"], file["received_size"]) == (5, 8)
    assert not {"content", "offset"} & set(file)
    comes_back()
    assert HostResult.objects.get().received_size == 5


def test_the_first_line_says_what_the_rest_is_and_nothing_selected_is_nothing() -> None:
    load(job())
    head: dict[str, Any] = json.loads(export().splitlines()[0])
    assert head == head | {"type": "archive", "format": "joblogs", "version": 1}
    assert list(head) == ["type", "format", "version", "created", "generator"]
    JobInstance.objects.all().delete()
    assert export() == b""
