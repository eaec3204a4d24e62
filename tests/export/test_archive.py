"""The archive: a file for each host, named so that a person finds it, and a manifest."""

from __future__ import annotations

import hashlib
import re
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.export import Format, archive
from joblogs.export.names import safe
from joblogs.models import HostResult, JobInstance
from tests.builders import file_log, job, load, result, script_log, step
from tests.export.exporting import export, unzipped
from tests.queries import log

pytestmark = pytest.mark.django_db


def test_files_are_the_stored_bytes_and_the_manifest_says_their_digests() -> None:
    data = bytes(range(256)) * 5000
    load(
        *(job(), step(), result(host_name="web-1", status=9, exit_code=0), result(102)),
        script_log(data.decode("latin-1")),
    )
    files, manifest = unzipped()
    assert list(files) == [
        "biz-2/100-restart_web/200-restart/web-1__101.log",
        "biz-2/100-restart_web/200-restart/10.0.0.102__102.log",
    ]
    assert list(files.values()) == [log(), b""]
    for entry in manifest:
        content = files[entry["path"]]
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["size"] == len(content)
    said = {"bk_host_id": 101, "host_name": "web-1", "status_name": "succeeded", "exit_code": 0}
    assert manifest[0] == manifest[0] | said | {"state": "complete"}
    assert manifest[1]["state"] == "receiving"


def test_each_attempt_has_a_file_if_it_ran_and_an_entry_if_it_did_not() -> None:
    load(
        *(job(), step(), result(status=11), script_log("first\n")),
        result(execute_count=1, status=3, actual_execute_count=0),
    )
    files, manifest = unzipped(every_attempt=True)
    ((name, content),) = files.items()
    assert (name.rpartition("/")[2], content) == ("10.0.0.101__101__attempt-0.log", b"first\n")
    assert [entry.get("not_run_again") for entry in manifest] == [None, True]
    latest, _ = unzipped()
    assert list(latest.values()) == [b"first\n"]


def test_what_is_said_of_files_is_there_for_each_file_of_each_host() -> None:
    paths = {"a": "/tmp/x.conf", "b": "C:\\data\\x.conf"}  # noqa: S108 - paths in records
    load(
        *(job(), step(step_type=2), result(host_name="web-1"), result(102, role="source")),
        *(
            file_log(dest_path=path, task_key=key, offset=0, content=key, status=4)
            for key, path in paths.items()
        ),
        file_log(102, mode=0, offset=0, content="up", status=4),
    )
    files, manifest = unzipped()
    assert [name.rpartition("/")[2] for name in files] == [
        "web-1__101__download-1__x.conf.log",
        "web-1__101__download-2__x.conf.log",
        "10.0.0.102__102__upload-1__1.log.log",
    ]
    assert list(files.values()) == [b"a", b"b", b"up"]
    assert [entry["file"]["mode"] for entry in manifest] == ["download", "download", "upload"]


def test_hostile_and_equal_names_stay_inside_and_apart_on_every_system() -> None:
    names = ["../../etc/passwd", "WEB", "web", "con", "nul.txt", "", "a\nb\x1b[31m", "x\u202egol."]
    long = "ж" * 256
    load(
        job(name="..", bk_scope_id="../A"),
        step(name=long),
        *(result(host, host_name=name) for host, name in enumerate([*names, long], 1)),
    )
    files, manifest = unzipped()
    assert len({name.lower() for name in files}) == len(names) + 1 == len(manifest)
    for name in files:
        assert len(name) < 260
        parts = name.split("/")
        assert len(parts) == 4
        for part in parts:
            assert len(part.encode()) <= 255
            assert not re.search(r'[<>:"\\|?*\x00-\x1f\u202e]|^\.|[. ]$', part)
            assert part.partition(".")[0].lower() not in {"con", "nul"}
    assert [entry["host_name"] for entry in manifest][:2] == names[:2]


@given(st.text(max_size=80), st.integers(4, 40))
def test_a_safe_name_is_short_and_safe_and_stays_as_it_is(text: str, length: int) -> None:
    name = safe(text, length)
    assert len(name) <= length + 1
    assert "__" not in name
    assert not re.search(r'[/\\<>:"|?*\x00-\x1f]|^[.~-]|[. ]$', name)
    assert safe(name, length + 1) == name


def test_masked_truncated_and_expired_logs_are_told_in_the_manifest() -> None:
    load(*(job(), step()), result(truncated=True, received_size=9, redacted=[[0, 2]], status=9))
    load(script_log("**c"))
    _, (entry,) = unzipped()
    assert entry == entry | {"state": "truncated", "redacted": True, "size": 3}
    JobInstance.objects.update(expired_at=1, expired_policy="x")
    files, (entry,) = unzipped()
    assert (entry["state"], list(files.values())) == ("expired", [b""])


def test_no_host_is_no_archive() -> None:
    load(job(), step())
    assert export(Format.ZIP) == b""


def test_a_file_beyond_4_gib_is_announced_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    monkeypatch.setattr(archive, "LARGE", 9)
    load(job(), step(), result(), result(102), script_log("x" * 100))
    files, _ = unzipped()
    assert sorted(files.values()) == [b"", b"x" * 100]
    assert HostResult.objects.count() == 2
