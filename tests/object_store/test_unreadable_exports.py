"""export_logs of a store in which some logs cannot be read: the rest goes out, and it says so."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from joblogs.access import OPERATOR
from joblogs.ingest import ingest
from joblogs.ingest.stream import numbered_lines
from joblogs.logtext import codec
from joblogs.maintenance import expiry, moving
from joblogs.models import HostResult, JobInstance, LogChunk
from tests.builders import job, load, result, script_log, step
from tests.export.exporting import import_all

from .scenes import files, maintain, old_job, stored, text_of

pytestmark = pytest.mark.django_db

LINES = 7_000
TEXTS = {host: text_of(host, lines=LINES).encode() for host in (1, 2, 3)}
LOST = len(TEXTS[2])


@pytest.fixture
def lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the object of one of three hosts was, which has gone elsewhere for a while."""
    monkeypatch.setattr(moving, "OBJECT_BYTES", 1000)
    old_job(1, hosts=3, lines=LINES)
    maintain()
    (file,) = (one for one in files(folder) if one.stat().st_size and _holds(one, 2))
    file.rename(folder / "elsewhere")
    return file


def _holds(file: Path, host: int) -> bool:
    return codec.decode(codec.ZSTD, file.read_bytes()).startswith(b"host %d " % host)


def _export(format: str, *arguments: Any) -> tuple[bytes, str]:
    """What went out, and the error it ended with."""
    out = io.TextIOWrapper(io.BytesIO())
    try:
        call_command("export_logs", "--format", format, *map(str, arguments), stdout=out)
    except CommandError as error:
        assert error.returncode == 1
        return out.buffer.getvalue(), str(error)
    return out.buffer.getvalue(), ""


def _empty_the_store() -> None:
    expiry.forget(list(JobInstance.objects.all()))


def test_the_others_are_exported_and_the_missing_one_is_named(lost: Path, tmp_path: Path) -> None:
    file = tmp_path / "logs.txt"
    _, told = _export("txt", "--output", file)
    assert told == (
        "1 log could not be read to the end, the rest is exported; verify_logs tells which are "
        "damaged:\n  biz:2 job 1 step 2 host 2 attempt 0: the object is missing"
    )
    hosts = {1: b"10.0.0.1 1/2 | ", 3: b"10.0.0.3 1/2 | "}
    text = {
        host: b"".join(lead + line for line in TEXTS[host].splitlines(keepends=True))
        for host, lead in hosts.items()
    }
    marker = f"10.0.0.2 1/2 | [{LOST} bytes cannot be read now]\n".encode()
    assert file.read_bytes() == text[1] + marker + text[3]


def test_nothing_but_what_was_printed_is_in_a_text_without_leads(lost: Path) -> None:
    text, told = _export("txt", "--no-prefix")
    assert text == TEXTS[1] + TEXTS[3]
    assert "host 2" in told


def test_records_say_what_is_missing_and_take_the_rest_later(lost: Path) -> None:
    partial, told = _export("ndjson")
    assert "host 2" in told
    (lost.parents[3] / "elsewhere").rename(lost)
    whole, told = _export("ndjson")
    assert told == ""
    _empty_the_store()
    import_all(partial)
    rows = HostResult.objects.order_by("host_id")
    assert [(row.status, row.received_size, row.declared_size) for row in rows] == [
        (9, len(TEXTS[1]), None),
        (9, 0, LOST),
        (9, len(TEXTS[3]), None),
    ]
    ingest(numbered_lines(io.BytesIO(whole).read), writer=OPERATOR)
    assert sorted(stored().values()) == sorted(TEXTS.values())


def test_an_archive_has_no_file_for_it_and_says_so_in_its_manifest(lost: Path) -> None:
    data, told = _export("zip")
    assert "host 2" in told
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = json.loads(archive.read("manifest.json"))["files"]
        texts = [archive.read(one["path"]) for one in entries if "path" in one]
        assert len(archive.namelist()) == 3
    assert texts == [TEXTS[1], TEXTS[3]]
    told_of = [(one["bk_host_id"], one["state"], one.get("missing")) for one in entries]
    assert told_of == [(1, "complete", None), (2, "unreachable", LOST), (3, "complete", None)]


def test_a_table_says_so_in_its_row(lost: Path) -> None:
    data, told = _export("csv")
    assert "host 2" in told
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    assert [(row["state"], row["missing"]) for row in rows] == [
        ("complete", ""),
        ("unreachable", str(LOST)),
        ("complete", ""),
    ]


def test_what_cannot_be_searched_is_told_too(lost: Path) -> None:
    text, told = _export("txt", "--no-prefix", "--contains", "line 6999 ")
    assert text == TEXTS[1] + TEXTS[3]
    assert "host 2" in told


def test_where_no_log_can_be_read_nothing_is_written(folder: Path, tmp_path: Path) -> None:
    old_job(1)
    maintain()
    for one in files(folder):
        one.unlink()
    file = tmp_path / "logs.zip"
    _, told = _export("zip", "--output", file)
    assert told.startswith("5 logs could not be read to the end, nothing was exported")
    assert not file.exists()


def test_no_more_are_listed_than_can_be_read_and_all_are_counted(folder: Path) -> None:
    old_job(1, hosts=30)
    maintain()
    for one in files(folder):
        one.unlink()
    load(result(99, job=1, step=2, status=9), script_log("hello\n", host=99, job=1, step=2))
    text, told = _export("txt", "--no-prefix")
    assert text == b"hello\n"
    assert told.startswith("30 logs could not be read")
    assert told.endswith("the object is missing\n  and 10 more logs")
    assert len(told.splitlines()) == 22


def test_of_a_long_log_that_breaks_off_the_beginning_is_there_and_told(tmp_path: Path) -> None:
    text = ("y" * 99 + "\n") * 95_000
    load(job(), step(), result(status=9), result(102, status=9))
    load(script_log(text), script_log("hello\n", host=102))
    LogChunk.objects.filter(offset__gt=9_000_000).delete()
    records, told = _export("ndjson")
    assert "host 101 attempt 0: it went while it was read, or is damaged" in told
    _empty_the_store()
    import_all(records)
    beginning, other = HostResult.objects.order_by("host_id")
    texts = stored()
    assert beginning.declared_size == len(text)
    assert 0 < beginning.received_size < len(text)
    assert text.encode().startswith(texts[beginning.pk])
    assert texts[other.pk] == b"hello\n"


def test_a_damaged_log_keeps_none_of_its_neighbours_from_going_out() -> None:
    load(job(), step(), *(result(host, status=9) for host in range(1, 9)))
    load(*(script_log(f"host {host}\n" * 20, host=host) for host in range(1, 9)))
    rows = HostResult.objects.filter(host_id__in=[3, 6]).values("pk")
    LogChunk.objects.filter(host_result_id__in=rows).update(codec=codec.ZSTD, data=b"damaged")
    text, told = _export("txt", "--no-prefix")
    assert text.decode() == "".join(f"host {host}\n" * 20 for host in (1, 2, 4, 5, 7, 8))
    assert told.startswith("2 logs could not be read")
    assert "host 3 attempt 0: it is damaged" in told
    assert "host 6 attempt 0: it is damaged" in told
