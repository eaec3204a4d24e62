"""Secrets in tags, paths and task keys: masked as they come in, and still told apart."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from joblogs.logtext.custom_rules import rules_of
from joblogs.logtext.secret_scanner import RULES
from joblogs.maintenance import expiry
from joblogs.models import FileLog, HostResult, JobInstance, StoreKey
from tests.builders import HOST, JOB, STEP, file_log, job, load, result, send, step

pytestmark = pytest.mark.django_db

FIRST, SECOND = ("ghp_" + digit * 36 for digit in "12")
MASKED = "ghp_" + "*" * 36
BEGUN = (job(), step(step_type=2), result(tag=f"used {FIRST}", status=9))


def moved(token: str, **fields: Any) -> dict[str, Any]:
    return file_log(dest_path=f"/srv/{token}", offset=0, content="done\n", status=4, **fields)


def held_keys() -> list[str]:
    return list(FileLog.objects.order_by("pk").values_list("task_key", flat=True))


def exported(path: Path) -> bytes:
    call_command(
        *("export_logs", "--format", "ndjson", "--output", str(path), "--force"),
        stderr=io.StringIO(),
    )
    # But for when it was made.
    return path.read_bytes().split(b"\n", 1)[1]


def imported(path: Path) -> str:
    said = io.StringIO()
    call_command("import_logs", str(path), stdout=said, stderr=said)
    return said.getvalue()


def test_files_that_differ_in_a_secret_only_are_two_and_no_replay_changes_them() -> None:
    records = (*BEGUN, moved(FIRST), moved(SECOND))
    assert load(*records).refused == []
    assert list(FileLog.objects.values_list("dest_path", flat=True)) == [f"/srv/{MASKED}"] * 2
    keys = held_keys()
    assert len(set(keys)) == 2
    form = re.escape(f"/srv/{MASKED}") + "~[0-9a-f]{16}"
    assert all(re.search(form + r"\Z", key) for key in keys)
    assert HostResult.objects.get().tag == f"used {MASKED}"
    report = load(*records)
    assert (report.accepted, report.refused) == (0, [])


def test_an_export_of_masked_keys_finds_their_rows_and_comes_out_the_same(tmp_path: Path) -> None:
    load(*BEGUN, moved(FIRST), moved(SECOND), moved("x", task_key=f"a {SECOND}"))
    first = exported(tmp_path / "first")
    assert FIRST.encode() not in first
    assert SECOND.encode() not in first
    assert "Accepted 0 records" in imported(tmp_path / "first")
    expiry.forget(list(JobInstance.objects.all()))
    StoreKey.objects.all().delete()
    imported(tmp_path / "first")
    assert FileLog.objects.count() == 3
    assert exported(tmp_path / "second") == first


@pytest.mark.parametrize("before", [{}, {"MASK_SECRETS": False}])
def test_a_replay_after_a_rule_was_added_finds_its_rows(
    before: dict[str, Any], settings: Settings
) -> None:
    records = (
        *BEGUN,
        *(moved(f"{token}/itk_{n}abc") for n, token in enumerate((FIRST, SECOND))),
        *(moved(f"itk_{n}abc") for n in (3, 4)),
    )
    for name, value in before.items():
        setattr(settings, name, value)
    load(*records)
    keys = held_keys()
    settings.MASK_SECRETS = True
    settings.SECRET_RULES = (*RULES, *rules_of({"itk": {"begins": "itk_", "then": "[0-9a-f]{4}"}}))
    report = load(*records)
    assert (report.accepted, report.refused) == (0, [])
    assert held_keys() == keys


def test_no_digest_of_a_secret_can_be_tried() -> None:
    long = f"/{'d' * 6000}/{FIRST}"
    load(*BEGUN, moved(FIRST), file_log(src_path=long, dest_path=long, status=4))
    for row in FileLog.objects.all():
        left, _, end = row.task_key.rpartition("~")
        assert FIRST not in row.task_key
        assert len(end) == 16
        assert len(left) < 8000
    first = held_keys()
    expiry.forget(list(JobInstance.objects.all()))
    StoreKey.objects.all().delete()
    load(*BEGUN, moved(FIRST), file_log(src_path=long, dest_path=long, status=4))
    assert {key[:-16] for key in first} == {key[:-16] for key in held_keys()}
    assert not set(first) & set(held_keys())


def test_a_masked_key_fits_where_the_longest_key_does(tmp_path: Path) -> None:
    load(*BEGUN, moved("x", task_key=f"{FIRST}{'/' * (8192 - len(FIRST))}"))
    assert len(held_keys()[0]) == 8192
    exported(tmp_path / "export")
    assert "Accepted 0 records" in imported(tmp_path / "export")


def test_masked_characters_take_no_more_room_than_they_did() -> None:
    secret = "密" * 200 + "1"
    load(job(name=f"password={secret}"), step(), result(tag=f"password={secret}"))
    assert JobInstance.objects.get().name == "password=" + "*" * 201
    assert HostResult.objects.get().tag == "password=" + "*" * 201


def test_ids_hosts_addresses_and_operators_stay_as_they_are() -> None:
    load(
        job(operator=FIRST, scope_name=FIRST),
        step(step_type=2),
        result(host_name=FIRST),
        file_log(status=4),
    )
    held = JobInstance.objects.get()
    assert (held.operator, held.scope.name) == (FIRST, FIRST)
    assert HostResult.objects.get().host_name == FIRST
    assert not StoreKey.objects.exists()


def test_another_path_of_the_same_file_log_is_refused_still() -> None:
    load(*BEGUN, moved(FIRST, task_key="k"))
    report = send(moved(f"{SECOND}/x", task_key="k"))
    assert [refused.reason for refused in report.refused] == ["conflict"]
    assert load(moved(FIRST, task_key="k")).refused == []


def test_secrets_in_both_paths_of_a_file_are_masked() -> None:
    load(
        job(JOB, name=f"secret {FIRST}"),
        step(STEP, name="get https://u:p4ssw0rd@h/x", step_type=2),
        result(HOST, status=9),
        file_log(
            HOST,
            src=None,
            src_path=f"https://h.example/a?private_token={SECOND}&x=https://u:p4ssw0rd@h/",
            dest_path=f"/srv/{FIRST}",
            status=4,
        ),
    )
    row, hidden = FileLog.objects.get(), "*" * len(SECOND)
    assert row.src_path == f"https://h.example/a?private_token={hidden}&x=https://u:********@h/"
    assert row.task_key.startswith(f"1__{row.src_path}_{HOST}_/srv/{MASKED}~")
