"""`import_logs --format bk-job`: a dump comes out of the batch endpoint as bk-job would answer."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import bson
import pytest
from bson import Int64

from joblogs import record_json, records
from joblogs.access import OPERATOR
from joblogs.ingest import ingest
from joblogs.ingest.stream import RecordLine
from joblogs.sources.bk_job import Dump, Finding
from tests.export.exporting import comes_back
from tests.queries import picture
from tests.sources import dump
from tests.sources.dump import FILE, JOB_DAY, SCRIPT, STEP_DAY, chunk, moved, result
from tests.sources.importing import ZONE, Fields, Imported, small, told, write

FORMS = ["canonical", "relaxed", "array", "bson", "bson.gz", "bson.zst"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_collections_is_answered_alike(
    form: str, tmp_path: Path, texts: Callable[..., dict[int, str]]
) -> None:
    done = Imported(write(tmp_path, form=form))
    assert (done.code, done.fault) == (0, "")
    stopped = "[2024-03-15 08:00:09] Job was terminated\n"
    assert texts(2000) == {
        101: '第一行\nsecond <line> & "quote"\\\t\n',  # not run again: what it printed before
        102: "good\n",
        103: "run\n" + stopped + stopped.replace("09", "10"),
    }
    assert texts(2001) == {101: "b1\n", 102: "b2\n", 103: ""}
    assert texts(2004) == {101: "1 row\n"}


def test_what_came_of_a_dump_is_exported_and_comes_back(tmp_path: Path, db: None) -> None:
    assert Imported(write(tmp_path)).code == 0
    before = picture()
    comes_back()
    assert picture() == before


@pytest.mark.parametrize("form", ["csv", "json", "tsv", "tab"])
def test_every_form_of_the_tables_says_the_same(form: str, tmp_path: Path) -> None:
    found, _ = told(write(tmp_path / form, table_form=form))
    usual, _ = told(write(tmp_path / "usual", table_form="json"))
    assert found == usual
    names = [record.name for record in found if isinstance(record, records.Job)]
    assert names == ["nightly", '旧的\t"old"']


def test_hosts_are_answered_with_their_addresses_as_of_the_run(
    tmp_path: Path, ask: Callable[..., Fields]
) -> None:
    Imported(write(tmp_path))
    entry = ask(2000, host_id_list=[103])["script_task_logs"][0]
    assert (entry["bk_cloud_id"], entry["ip"], entry["ipv6"]) == (0, None, "fd00::3")
    by_ip = ask(2000, ip_list=[{"bk_cloud_id": 0, "ip": "10.0.0.2"}])["script_task_logs"]
    assert [entry["bk_host_id"] for entry in by_ip] == [102]


def test_an_approval_step_has_no_logs(tmp_path: Path, ask: Callable[..., Fields]) -> None:
    Imported(write(tmp_path))
    assert ask(2003)["log_type"] is None


def test_a_step_made_after_midnight_is_found_in_either_collection(
    tmp_path: Path, ask: Callable[..., Fields]
) -> None:
    Imported(write(tmp_path))
    one, two = ask(2002)["file_task_logs"]
    assert [log["src_path"] for log in one["file_logs"]] == ["/data/a"]  # in the job's day
    assert [log["src_path"] for log in two["file_logs"]] == ["/data/a", "shop:/b"]  # the step's


def test_file_logs_are_answered_as_stored(tmp_path: Path, ask: Callable[..., Fields]) -> None:
    Imported(write(tmp_path))
    upload, one, two = ask(2002, host_id_list=[105, 101, 102])["file_task_logs"]
    source = {"bk_host_id": 105, "bk_cloud_id": 0, "ip": "10.0.0.5"}
    line = "FileName: /tmp/a FileSize: 9.0 Bytes Speed: 1 KB/s Progress: 100%\n"
    assert upload["file_logs"] == [
        {
            "mode": 0,
            "src_ip": source,
            "src_path": "/data/a",
            "status": 4,
            # Structured entries, told where bk-job tells them.
            "log_content": f"[2024-03-15 07:59:00] one\n[2024-03-15 07:59:09] {line}",
            "size": "9.0 Bytes",
            "speed": "1,024 KB/s",
            "process": "100%",
        }
    ]
    plain = f"[1999-01-01 00:00:00] one\n[1999-01-01 00:00:09] {line}"
    (download,) = one["file_logs"]
    assert download["dest_ip"] == {"bk_host_id": 101, "bk_cloud_id": 0, "ip": "10.0.0.1"}
    assert (download["src_ip"], download["dest_path"]) == (source, "/tmp/a")  # noqa: S108
    assert download["log_content"] == plain  # timeLogList is shorter than contentList
    merged, third_party = two["file_logs"]
    assert (third_party["src_ip"], third_party["log_content"]) == (None, "")
    assert merged["log_content"] == plain + "again\n"
    assert [merged[k] for k in ("status", "size", "speed", "process")] == [
        4, "9.0 Bytes", "1,024 KB/s", "100%"
    ]  # fmt: skip


def test_the_time_zone_may_be_another(tmp_path: Path, ask: Callable[..., Fields]) -> None:
    Imported(write(tmp_path), time_zone=ZoneInfo("UTC"))
    (upload,) = ask(2002, host_id_list=[105])["file_task_logs"]
    assert upload["file_logs"][0]["log_content"].startswith("[2024-03-14 23:59:00] one\n")


def test_rows_without_execute_objects_are_read_too(
    tmp_path: Path, ask: Callable[..., Fields], texts: Callable[..., dict[int, str]]
) -> None:
    done = Imported(write(tmp_path))
    # 202 is known by its address to the step, 203 to the job; 10.1.0.9 has no number anywhere.
    found = texts(2010, 1001)
    assert {host: found[host] for host in (201, 202, 203)} == {
        201: "old\n", 202: "ip2\n", 203: "ip3\n"
    }  # fmt: skip
    assert len(found) == 4
    named = ask(2010, 1001, ip_list=[{"bk_cloud_id": 3, "ip": "10.1.0.9"}])["script_task_logs"]
    assert [(log["bk_cloud_id"], log["log_content"]) for log in named] == [(3, "ip9\n")]
    assert named[0]["bk_host_id"] >= 2**52
    assert "3:10.1.0.9 in step 2010" in done.notes(Finding.ADDRESS_ONLY)
    assert "host 203 in step 2010" in done.notes(Finding.NO_CLOUD)
    assert "step 2010 host 202" in done.notes(Finding.NO_RESULT)


def test_statuses_tags_and_codes_come_from_the_host_rows(tmp_path: Path) -> None:
    found, _ = told(write(tmp_path))
    rows = {
        (r.step_instance_id, r.bk_host_id, r.execute_count): r
        for r in found
        if isinstance(r, records.HostResult)
    }
    first, again = rows[2000, 102, 0], rows[2000, 102, 1]
    assert (first.status, first.exit_code, first.end_time) == (104, 3, dump.ENDED)
    assert (again.status, again.exit_code, again.total_time) == (9, 0, 8970)
    assert (rows[2000, 101, 1].tag, rows[2000, 101, 1].actual_execute_count) == ("ok", 0)
    assert rows[2001, 103, 0].actual_execute_count is None
    assert rows[2010, 201, 0].tag == "v1"
    assert rows[2002, 105, 0].role == "source"


@pytest.mark.django_db
def test_a_second_run_accepts_nothing(tmp_path: Path) -> None:
    first, second = Imported(write(tmp_path)), Imported(tmp_path)
    assert first.out.startswith("Accepted ")
    assert second.out.startswith("Accepted 0 records, ")
    assert (second.code, second.out.split(", ")[-1]) == (0, "0 refused.\n")


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 9, 25])
def test_a_run_that_was_interrupted_is_run_again(
    count: int, tmp_path: Path, texts: Callable[..., dict[int, str]]
) -> None:
    found, _ = told(write(tmp_path))
    lines = [RecordLine(n, record_json.encode(r)) for n, r in enumerate(found[:count], 1)]
    ingest(lines, writer=OPERATOR)
    assert Imported(tmp_path).code == 0
    assert texts(2000)[102] == "good\n"
    assert Imported(tmp_path).out.startswith("Accepted 0 records, ")


def test_a_later_dump_of_a_job_that_ran_on_adds_what_is_new(
    tmp_path: Path, texts: Callable[..., dict[int, str]]
) -> None:
    running = result(2000, 101, status=7, end_time=None, row_update_time="2024-03-15 08:00:00")
    early, late = chunk(1, 2000, 101, 4, "one\n"), chunk(2, 2000, 101, 8, "two\n")
    Imported(small(tmp_path / "early", early, rows=[running]))
    done = Imported(small(tmp_path / "late", late, early))
    assert texts(2000) == {101: "one\ntwo\n"}
    assert (done.code, done.out[:18]) == (0, "Accepted 2 records")


def test_a_dry_run_leaves_nothing(tmp_path: Path, db: None) -> None:
    done = Imported(write(tmp_path), dry_run=True)
    assert done.out.startswith("Would have accepted ")
    assert Imported(tmp_path).out.replace("Accepted", "Would have accepted") == done.out


def test_documents_given_twice_count_once(
    tmp_path: Path, texts: Callable[..., dict[int, str]]
) -> None:
    write(tmp_path, form="bson")
    write(tmp_path / "again", rows={}, form="canonical")
    done = Imported(tmp_path)
    assert texts(2000)[102] == "good\n"
    assert done.notes(Finding.REPEATED_DOCUMENT).startswith("Note: 20 ")


def test_offsets_past_2_gib_stay_in_order(tmp_path: Path) -> None:
    end = 2**31 - 1
    found, _ = told(
        small(tmp_path, chunk(2, 2000, 101, end + 1 - 2**32, "b"), chunk(1, 2000, 101, end, "a"))
    )
    assert [r.content for r in found if isinstance(r, records.ScriptLog)] == ["a", "b"]


def test_bytes_that_are_no_text_come_through(tmp_path: Path) -> None:
    small(tmp_path, chunk(1, 2000, 101, 5, "a@@b\n"))
    file = tmp_path / f"{SCRIPT}_{JOB_DAY}.bson"
    file.write_bytes(file.read_bytes().replace(b"@@", b"\xff\xc0"))
    (log,) = (r for r in told(tmp_path)[0] if isinstance(r, records.ScriptLog))
    assert log.data() == b"a\xff\xc0b\n"


def test_long_chunks_are_cut_between_characters(tmp_path: Path) -> None:
    text = "字" * 200_000
    found, _ = told(small(tmp_path, chunk(1, 2000, 101, len(text.encode()), text)))
    logs = [r for r in found if isinstance(r, records.ScriptLog)]
    assert len(logs) > 1
    assert "".join(r.content or "" for r in logs) == text
    assert [r.offset for r in logs[1:]] == [len((logs[0].content or "").encode()), 524286]


def test_a_dump_larger_than_memory_is_sorted_on_disk(tmp_path: Path) -> None:
    text = "0123456789abcdef" * 65536  # 1 MiB
    order = [n * 7 % 48 for n in range(48)]
    chunks = (chunk(n, 2000, 101, (n + 1) * len(text), text[n:] + text[:n]) for n in order)
    small(tmp_path)
    with gzip.open(tmp_path / f"{SCRIPT}_{JOB_DAY}_more.bson.gz", "wb", 1) as file:
        for document in chunks:
            file.write(bson.encode(document))
    tracemalloc.start()
    with Dump([tmp_path], zone=ZONE) as found:
        found.load()
        sizes = [
            len(r.data())
            for r in found.records(lambda app: ("biz", "2"))
            if isinstance(r, records.ScriptLog)
        ]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(sizes) == 48 * 1024 * 1024
    assert peak < 16 * 1024 * 1024


def test_file_documents_without_a_task_id_get_the_one_that_bk_job_makes(tmp_path: Path) -> None:
    bare = moved(
        1, 1, 101, "/a b", taskId=None, executeObjectId=None, hostId=Int64(101),
        srcExecuteObjectId=None, srcHostId=Int64(105), destExecuteObjectId=None,
    )  # fmt: skip
    found, _ = told(write(tmp_path, {f"{FILE}_{STEP_DAY}": [bare]}))
    (log,) = (r for r in found if isinstance(r, records.FileLog))
    assert log.task_key == "1_105_/a b_101_/tmp/a b"
    assert (log.src and log.src.ip) == "10.0.0.5"


def test_a_time_that_is_none_is_noted(tmp_path: Path) -> None:
    rows = [result(2000, 101, row_update_time="2024-13-45 08:00:00")]
    found, dump_read = told(small(tmp_path, chunk(1, 2000, 101, 2, "a\n"), rows=rows))
    assert any(isinstance(r, records.HostResult) for r in found)
    (noted,) = dump_read.findings.examples[Finding.VALUE]
    assert noted.startswith("row_update_time '2024-13-45 08:00:00' in row 1 of ")
