"""What removal, expiry, redaction, hold and export do with each table: none is forgotten."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import Model
from django.utils import timezone

from joblogs import access, app_tokens, failures, object_store, step_groups
from joblogs.maintenance import expiry, fingerprinting, legal_hold, packing, signing
from joblogs.models import (
    FailedLogins,
    HostResult,
    JobInstance,
    LogConflict,
    MaintenanceRun,
    Notice,
    NoticeWork,
    ObjectToDelete,
    Redaction,
    Removal,
    SavedSearch,
    Scope,
    SearchRead,
    StepInstance,
    StoreKey,
)
from joblogs.query import Attempts
from joblogs.query.overview import overview
from tests.builders import file_log, job, load, result, script_log, step

pytestmark = pytest.mark.django_db

SECRET = "hunter2"
GO, STAY = "go", "stay"


class Treated(NamedTuple):
    """What happens to the rows of a job in a table: they go, stay, or change."""

    removal: str
    expiry: str
    redaction: str
    exported: bool
    """Whether an export carries them to another store."""


TABLES = {
    "App": Treated(STAY, STAY, STAY, False),
    "AppGrant": Treated(STAY, STAY, STAY, False),
    "AppToken": Treated(STAY, STAY, STAY, False),
    # Numbers of steps, until the next run of maintenance.
    "ChangedStep": Treated(STAY, STAY, STAY, False),
    "FailedLogins": Treated(STAY, STAY, STAY, False),
    # Hashes of what the text said, until it is redacted; recorded again there.
    "FailureRun": Treated(GO, STAY, GO, True),
    "FailureSeen": Treated(GO, STAY, GO, True),
    "FileLog": Treated(GO, "content, held_size", "content, masked, redacted", True),
    "Host": Treated(STAY, STAY, STAY, True),
    "HostResult": Treated(GO, STAY, "declared_sha256, masked, redacted", True),
    # Hashes and lines of what was printed; made again by whoever looks.
    "KeptGroups": Treated(GO, GO, GO, False),
    "JobInstance": Treated(GO, "expired_at, expired_policy", STAY, True),
    # Numbers for a day, then swept.
    "LogConflict": Treated(STAY, STAY, STAY, False),
    "LogRead": Treated(STAY, STAY, STAY, False),
    # What becomes of objects: tests/object_store/.
    "ObjectToDelete": Treated(STAY, STAY, STAY, False),
    # Names of rows and offsets, no text; a notice of a removed job is never sent.
    "Notice": Treated(GO, STAY, STAY, False),
    # What is imported has come in.
    "NoticeWork": Treated(STAY, STAY, STAY, True),
    "Redaction": Treated(STAY, STAY, STAY, False),
    "Removal": Treated(STAY, STAY, STAY, False),
    "SavedSearch": Treated(STAY, STAY, STAY, False),
    "Scope": Treated(STAY, STAY, STAY, True),
    "SearchRead": Treated(STAY, STAY, STAY, False),
    # Of what the text says after a redaction maintenance computes them anew.
    "SignatureRow": Treated(GO, GO, GO, True),
    "SignedPart": Treated(GO, GO, GO, True),
    "LogChunk": Treated(GO, GO, "data", True),
    # It comes as chunks, which are packed there again.
    "LogPack": Treated(GO, GO, "data", True),
    # Of what the text says after a redaction, it is computed anew.
    "LogFeatures": Treated(GO, GO, "data", True),
    "StepInstance": Treated(GO, STAY, STAY, True),
    # Whoever has it could try which secret a masked task key hides.
    "StoreKey": Treated(STAY, STAY, STAY, False),
    "StoreId": Treated(STAY, STAY, STAY, False),
    "StoredObject": Treated(STAY, STAY, STAY, False),
    "MaintenanceRun": Treated(STAY, STAY, STAY, False),
}
"""A new table says here what happens to it. Whatever was computed from text goes when the text is
removed and (the columns of it) when it is redacted. Expiry leaves it: sizes and fingerprints still
say how large a log was and which others were like it."""


def _models() -> dict[str, type[Model]]:
    return {model.__name__: model for model in apps.get_app_config("joblogs").get_models()}


def _rows() -> dict[str, dict[Any, dict[str, Any]]]:
    return {
        name: {
            row.pk: {
                field.attname: bytes(value) if isinstance(value, memoryview) else value
                for field in row._meta.concrete_fields
                for value in [getattr(row, field.attname)]
            }
            for row in model._default_manager.all()
        }
        for name, model in _models().items()
    }


def _treated(work: Callable[[], object]) -> dict[str, str]:
    """What some work does to the rows that are there before it, by table."""
    before = _rows()
    work()
    after, found = _rows(), {}
    for name, rows in before.items():
        left = {key: row for key, row in after[name].items() if key in rows}
        changed = {
            column for key in left for column in rows[key] if left[key][column] != rows[key][column]
        }
        found[name] = ", ".join(sorted(changed)) or (STAY if len(left) == len(rows) else GO)
    return found


def _store(path: Path) -> None:
    """A row in every table, all about one job that is old and has ended."""
    created = int((timezone.now() - datetime.timedelta(days=40)).timestamp() * 1000)
    load(
        *(job(1, create_time=created, status=3), step(2, job=1, status=3)),
        result(1, job=1, step=2, status=104, log_size=14, log_sha256="ab" * 32),
        script_log(f"is it {SECRET}\n", host=1, job=1, step=2),
        *(step(3, job=1, step_type=2), result(2, job=1, step=3, status=9)),
        file_log(2, job=1, step=3, offset=0, content=f"or {SECRET}\n", status=4),
        *(step(4, job=1, status=3), result(3, job=1, step=4, status=9)),
        script_log(f"packed {SECRET}\n", host=3, job=1, step=4),
    )
    packing.pack_step(StepInstance.objects.get(step_instance_id=4))
    access.create_app(code="app", scopes=(("biz", "2"),), read=True, write=False)
    app_tokens.create(code="app", name="t")
    FailedLogins.objects.create(key=b"k" * 32, free_at=2**52)
    LogConflict.objects.create(app_id=1, is_file=False, log_id=1, latest=2**52)
    MaintenanceRun.objects.create(pk=9, started_at=timezone.now())
    StoreKey.of_this_store()
    search = SavedSearch.objects.create(
        name="s", owner=User.objects.create(username="zoe"), scope=Scope.objects.get(), target="t"
    )
    Notice.objects.create(search=search, step_id=StepInstance.objects.latest("pk").pk, attempt=0)
    NoticeWork.objects.create(step_id=1)
    object_store.intend(day=datetime.date(2026, 1, 1), scope=1, data=b"x")
    ObjectToDelete.objects.create(key="k", size=1, due_at=2**52)
    # Ingest leaves features of so short a stream to others.
    fingerprinting.take(list(HostResult.objects.filter(held_size__gt=0)))
    failures.record_steps(list(StepInstance.objects.select_related("job__scope")))
    for each in StepInstance.objects.select_related("job__scope"):
        made = step_groups.step_groups(overview(each, Attempts()))
        step_groups.excerpts(made, made.groups)
    signing.sign(JobInstance.objects.get().day, [step.pk for step in StepInstance.objects.all()])
    Redaction.objects.create(started_at=timezone.now(), by="zoe", patterns="", selection="")
    Removal.objects.create(started_at=timezone.now(), by="zoe", selection="")
    SearchRead.objects.create(
        **{"at": timezone.now(), "who": "zoe", "channel": "x", "scopes": "", "question": b""},
        **{"since": "2026-01-01", "until": "2026-01-01", "searched": b"", "size": 0},
        **{"steps": 0, "read_steps": 0, "found_steps": 0},
    )
    _export(path)


def _export(path: Path) -> None:
    call_command(
        *("export_logs", "--format", "ndjson", "--output", str(path), "--force"),
        stderr=io.StringIO(),
    )


def _remove() -> None:
    call_command("remove_jobs", "--job", "1", stdout=io.StringIO(), stderr=io.StringIO())


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Path:
    path = tmp_path / "export"
    _store(path)
    return path


def test_every_table_says_what_happens_to_it_and_is_tried() -> None:
    assert set(TABLES) == set(_models())
    assert [name for name, rows in _rows().items() if not rows] == []


def test_removal_treats_each_table_as_it_says() -> None:
    assert _treated(_remove) == {name: said.removal for name, said in TABLES.items()}


def test_expiry_treats_each_table_as_it_says(settings: Any) -> None:
    settings.LOG_RETENTION_DAYS = 30
    found = _treated(lambda: expiry.expire_job(JobInstance.objects.get()))
    assert found == {name: said.expiry for name, said in TABLES.items()}


def test_redaction_treats_each_table_as_it_says(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.write_text(SECRET)
    found = _treated(
        lambda: call_command("redact_logs", "--texts", str(texts), stdout=io.StringIO())
    )
    retaken = {"digest", "shape", "shape_version", "fingerprint_size", "value_hashes"}
    result_columns = set(found["HostResult"].split(", ")) - retaken
    found["HostResult"] = ", ".join(sorted(result_columns))
    for table in ("LogChunk", "LogPack"):
        found[table] = ", ".join(sorted(set(found[table].split(", ")) - {"codec"}))
    assert found == {name: said.redaction for name, said in TABLES.items()}


def test_a_hold_keeps_all_of_it(settings: Any) -> None:
    settings.LOG_RETENTION_DAYS = settings.HISTORY_RETENTION_DAYS = 30
    legal_hold.hold(JobInstance.objects.all(), by="zoe")

    def try_all() -> None:
        call_command("maintain_logs", stdout=io.StringIO())
        with pytest.raises(Exception, match="1 held job not removed"):
            _remove()

    # What maintenance was told, it has looked at, and signed anew.
    looked_at = {
        "ChangedStep": GO,
        "KeptGroups": GO,
        "SignedPart": "block, slot",
        "SignatureRow": GO,
    }
    assert _treated(try_all) == dict.fromkeys(TABLES, STAY) | looked_at


def test_an_export_carries_each_table_as_it_says(store: Path) -> None:
    _remove()
    call_command("maintain_logs", stdout=io.StringIO())
    before = {name: set(rows) for name, rows in _rows().items()}
    JobInstance.objects.all().delete()
    call_command("import_logs", str(store), stdout=io.StringIO(), stderr=io.StringIO())
    # What is computed of text is computed again there, and packed.
    call_command("maintain_logs", stdout=io.StringIO())
    packing.pack_step(StepInstance.objects.get(step_instance_id=4))
    came = {name for name, rows in _rows().items() if set(rows) - before[name] or name == "Scope"}
    assert came == {name for name, said in TABLES.items() if said.exported}
