"""What a dump of bk-job lacks is asked for, or named in the report; nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from joblogs.sources.bk_job import Finding
from tests.sources import dump
from tests.sources.dump import JOB_DAY, SCRIPT, chunk, result, step
from tests.sources.importing import Imported, small, write

pytestmark = pytest.mark.django_db


def test_without_a_scope_it_says_what_is_missing(tmp_path: Path) -> None:
    done = Imported(write(tmp_path), scope=None)
    assert done.code == 2
    assert "--scope TYPE:ID" in done.fault
    assert "--scope-map FILE" in done.fault


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("map.csv", "app_id,bk_scope_type,bk_scope_id\n7,biz,2\n"),
        ("map.tsv", "id\tbk_scope_type\tbk_scope_id\tname\n7\tbiz\t2\tshop\n"),
        ("map.json", '{"7": "biz:2"}'),
        ("lines.json", '{"app_id": 7, "scope_type": "biz", "scope_id": "2"}\n'),
    ],
)
def test_scopes_are_read_from_a_map(
    name: str, text: str, tmp_path: Path, texts: Callable[..., dict[int, str]]
) -> None:
    (tmp_path / name).write_text(text)
    assert Imported(write(tmp_path / "dump"), scope=None, scope_map=tmp_path / name).code == 0
    assert texts(2004) == {101: "1 row\n"}


@pytest.mark.django_db
def test_jobs_that_the_map_does_not_name_are_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text('{"8": "biz:2"}')
    done = Imported(write(tmp_path / "dump"), scope=None, scope_map=tmp_path / "map.json")
    assert done.code == 1
    assert done.notes(Finding.NO_SCOPE).startswith("Left out: 2 jobs")
    assert done.notes(Finding.NO_SCOPE).endswith(": app_id 7")


@pytest.mark.django_db
def test_several_businesses_in_one_scope_are_pointed_out(tmp_path: Path) -> None:
    jobs = [dump.job(1000), dump.job(1005, app_id=8)]
    done = Imported(small(tmp_path, chunk(1, 2000, 101, 1, "x"), task_instance=jobs))
    assert done.notes(Finding.ONE_SCOPE).endswith(": 7, 8")


@pytest.mark.parametrize("form", ["bson", "bson.gz", "canonical"])
def test_nothing_of_a_dump_that_was_cut_is_imported(form: str, tmp_path: Path, db: None) -> None:
    write(tmp_path, form=form)
    name = next(tmp_path.glob(f"{SCRIPT}_{JOB_DAY}.[bj]*"))
    name.write_bytes(name.read_bytes()[:-20])
    done = Imported(tmp_path)
    assert (done.code, done.out) == (
        1,
        "Accepted 0 records, 0 already stored, 0 refused.\n",
    )
    assert name.name in done.errors


@pytest.mark.django_db
@pytest.mark.parametrize("left", [1, 2, 3])
def test_a_dump_cut_within_the_size_of_a_document_is_refused(
    left: int, tmp_path: Path, db: None
) -> None:
    write(tmp_path, form="bson")
    file = tmp_path / f"{SCRIPT}_{JOB_DAY}.bson"
    file.write_bytes(file.read_bytes() + (100).to_bytes(4, "little")[:left])
    done = Imported(tmp_path)
    assert (done.code, done.out) == (1, "Accepted 0 records, 0 already stored, 0 refused.\n")
    assert f"{file}: cut within a document" in done.errors


def test_what_the_tools_put_beside_the_data_may_be_named_too(tmp_path: Path) -> None:
    assert Imported(*write(tmp_path, table_form="tab").iterdir()).code == 0


def test_options_of_a_dump_are_refused_for_records(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="go with --format bk-job") as refused:
        call_command("import_logs", str(tmp_path), scope=("biz", "2"))
    assert refused.value.returncode == 2


@pytest.mark.django_db
def test_refused_records_are_named_by_what_they_are_about(tmp_path: Path) -> None:
    Imported(small(tmp_path / "one", chunk(1, 2000, 101, 4, "one\n")))
    done = Imported(small(tmp_path / "two", chunk(2, 2000, 101, 4, "two\n")))
    assert done.code == 1
    assert "script_log of job_instance_id 1000, step_instance_id 2000, bk_host_id 101: " in (
        done.errors
    )


def test_files_that_are_no_part_of_a_dump_are_refused_or_named(tmp_path: Path, db: None) -> None:
    (tmp_path / "notes.csv").write_text("a,b\n")
    assert "notes.csv: the name tells neither" in Imported(tmp_path / "notes.csv").errors
    done = Imported(small(tmp_path, chunk(1, 2000, 101, 1, "x")))
    assert (done.code, done.notes(Finding.FILE)[-9:]) == (0, "notes.csv")


def test_an_archive_of_mongodump_is_told_how_to_be_dumped(tmp_path: Path, db: None) -> None:
    (tmp_path / f"{SCRIPT}_{JOB_DAY}.bson").write_bytes(b"\x6d\xe2\x99\x81rest")
    assert "without --archive" in Imported(tmp_path).errors


@pytest.mark.django_db
def test_containers_are_named_and_not_guessed(tmp_path: Path) -> None:
    container = result(2000, "2:55", execute_obj_type=2)
    log = chunk(2, 2000, None, 2, "c\n", executeObjectId="2:55")
    done = Imported(
        small(tmp_path, chunk(1, 2000, 101, 1, "x"), log, rows=[result(2000, 101), container])
    )
    assert done.code == 1
    assert done.notes(Finding.CONTAINER).startswith("Left out: 2 ")
    assert done.notes(Finding.CONTAINER).endswith(": 2:55 in step 2000")


@pytest.mark.django_db
def test_what_lacks_its_rows_is_left_out_and_named(tmp_path: Path) -> None:
    orphan = step(2005, job=1009)
    done = Imported(
        small(
            tmp_path,
            chunk(1, 2000, 101, 1, "x"),
            chunk(2, 2999, 101, 1, "y"),
            chunk(3, 2000, 999, 1, "z"),
            {"_id": dump.oid(4), "content": "lost"},
            step_instance=[step(2000, target_servers=dump.targets(dump.host(101))), orphan],
        )
    )
    assert done.code == 1
    assert done.notes(Finding.NO_STEP).endswith(": step 2999")
    assert done.notes(Finding.NO_JOB).endswith(": step 2005 of job 1009")
    assert done.notes(Finding.NO_ADDRESS).endswith(": host 999 in step 2000")
    assert "no stepId" in done.notes(Finding.UNREADABLE)


@pytest.mark.django_db
def test_hosts_without_a_log_are_named_or_the_collection_that_is_not_here(tmp_path: Path) -> None:
    rows = [result(2000, 101), result(2000, 102)]
    targets = dump.targets(dump.host(101), dump.host(102))
    steps = [step(2000, target_servers=targets), step(2001, target_servers=targets)]
    named = {"rows": rows, "step_instance": steps}
    done = Imported(small(tmp_path / "one", chunk(1, 2000, 101, 1, "x"), **named))
    assert done.notes(Finding.NO_LOG).endswith(": step 2000 host 102")
    assert (done.code, done.notes(Finding.NO_COLLECTION)) == (0, "")
    without = write(tmp_path / "two", {}, {**dump.tables(), "step_instance": steps})
    assert f"{SCRIPT}_{JOB_DAY}" in Imported(without).notes(Finding.NO_COLLECTION)


@pytest.mark.django_db
def test_what_the_offsets_say_about_the_chunks_is_told(tmp_path: Path) -> None:
    done = Imported(
        small(
            tmp_path,
            chunk(1, 2000, 101, 4, "one\n"),
            chunk(2, 2000, 101, 4, "one\n"),
            chunk(3, 2000, 101, 20, "far\n"),
            chunk(4, 2000, 101, 21, "near\n"),
        )
    )
    assert done.notes(Finding.REPEATED_CHUNK).endswith(": step 2000 host 101 at 4")
    assert done.notes(Finding.BYTES_MISSING).endswith(": step 2000 host 101: 12 to 20")
    assert done.notes(Finding.OVERLAP).endswith(": step 2000 host 101 at 21")


def test_without_pymongo_it_says_what_to_install(
    tmp_path: Path, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("joblogs.sources.bk_job.bson_files.HAS_PYMONGO", False)
    done = Imported(write(tmp_path))
    assert done.code == 1
    assert "needs pymongo: pip install 'joblogs[bk-job]'" in done.errors
