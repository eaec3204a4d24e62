"""What takes logs away takes them from objects too: when, and that nobody else's go."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from joblogs.maintenance import expiry, legal_hold
from joblogs.models import HostResult, JobInstance, LogPack, ObjectToDelete, Scope, StoredObject
from tests.builders import load, script_log

from .faulty_server import FaultyServer, Mode
from .scenes import DAY_MS, files, maintain, old_job, stored, text_of

pytestmark = pytest.mark.django_db


def _remove(number: int) -> None:
    call_command("remove_jobs", "--job", str(number), stdout=io.StringIO(), stderr=io.StringIO())


def _redact(secret: str, tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.write_text(secret)
    call_command("redact_logs", "--texts", str(texts), stdout=io.StringIO(), stderr=io.StringIO())


def _due_days() -> list[int]:
    now = timezone.now().timestamp() * 1000
    due = ObjectToDelete.objects.values_list("due_at", flat=True)
    return [round((at - now) / DAY_MS) for at in due]


@pytest.fixture
def _moved(folder: Path) -> dict[int, bytes]:
    """Two jobs whose packs lie in one object; their logs."""
    old_job(1)
    old_job(2)
    maintain()
    assert StoredObject.objects.count() == 1
    return stored()


def test_a_removed_job_leaves_the_object_store_at_once(
    _moved: dict[int, bytes], folder: Path
) -> None:
    before = {file: file.read_bytes() for file in files(folder)}
    _remove(1)
    (file,) = files(folder)
    assert file not in before
    assert file.stat().st_size < len(*before.values())
    left = stored()
    assert len(left) == 5
    assert left.items() <= _moved.items()
    _remove(2)
    assert files(folder) == []
    assert not StoredObject.objects.exists()
    assert not ObjectToDelete.objects.exists()


def test_a_redacted_text_leaves_the_object_store_at_once(
    _moved: dict[int, bytes], folder: Path, tmp_path: Path
) -> None:
    (before,) = files(folder)
    secret = b"host 3 line 7 5398"
    assert sum(text.count(secret) for text in _moved.values()) == 2
    _redact(secret.decode(), tmp_path)
    assert before not in files(folder)
    masked = {pk: t.replace(secret, b"*" * len(secret)) for pk, t in _moved.items()}
    assert stored() == masked
    # It goes there again with the next run.
    maintain()
    assert LogPack.objects.filter(object_id=None).count() == 0
    assert stored() == masked


def test_what_cannot_be_deleted_at_once_is_told_and_deleted_by_maintenance(
    faulty: FaultyServer,
) -> None:
    old_job(1)
    maintain()
    faulty.mode = Mode.BUSY
    with pytest.raises(CommandError, match="the next maintain_logs does"):
        _remove(1)
    assert not JobInstance.objects.exists()
    faulty.mode = Mode.WELL
    assert "1 deleted" in maintain()
    assert [name for name in faulty.objects if not name.endswith(".json")] == []


def test_a_removal_in_the_admin_tells_what_could_not_be_deleted(faulty: FaultyServer) -> None:
    old_job(1)
    maintain()
    faulty.mode = Mode.BUSY
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    key = str(JobInstance.objects.get().pk)
    form = {"action": "remove", "_selected_action": [key], "confirmed": "yes"}
    address = reverse("admin:joblogs_jobinstance_changelist")
    said = root.post(address, form, follow=True).content.decode()
    assert "1 job was removed." in said
    assert "Their text still lies in object storage" in said


def test_held_jobs_and_what_could_not_be_deleted_are_both_told(faulty: FaultyServer) -> None:
    old_job(1)
    old_job(2)
    maintain()
    legal_hold.hold(JobInstance.objects.filter(job_instance_id=2), by="zoe")
    faulty.mode = Mode.BUSY
    with pytest.raises(CommandError, match="1 held job.*the next maintain_logs does"):
        call_command("remove_jobs", "--scope", "biz:2", stdout=io.StringIO(), stderr=io.StringIO())


def test_a_removal_that_is_undone_deletes_nothing(_moved: dict[int, bytes], folder: Path) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        _remove_rows()
        raise RuntimeError
    maintain()
    assert stored() == _moved


def _remove_rows() -> None:
    expiry.forget(list(JobInstance.objects.all()))


@pytest.mark.parametrize("day_at_once", [True, False])
def test_expired_logs_leave_the_object_store_after_the_grace_period(
    _moved: dict[int, bytes], folder: Path, settings: Any, day_at_once: bool
) -> None:
    settings.LOG_RETENTION_DAYS = 95
    (before,) = files(folder)
    if day_at_once:
        maintain()
    else:
        for one in JobInstance.objects.order_by("pk"):
            assert expiry.expire_job(one)
    assert not LogPack.objects.exists()
    assert not StoredObject.objects.exists()
    assert _due_days() == [7]
    maintain()
    assert files(folder) == [before]
    ObjectToDelete.objects.update(due_at=0)
    assert "1 deleted" in maintain()
    assert files(folder) == []


def test_a_held_neighbour_keeps_its_logs_and_no_others(
    _moved: dict[int, bytes], folder: Path, settings: Any
) -> None:
    settings.LOG_RETENTION_DAYS = 95
    legal_hold.hold(JobInstance.objects.filter(job_instance_id=2), by="zoe")
    maintain()
    kept = stored()
    assert len(kept) == 5
    assert kept.items() <= _moved.items()
    # Their object holds nothing of what expired; the former one is there for backups.
    one = StoredObject.objects.get()
    assert one.size == one.held_size == (folder / one.key).stat().st_size
    assert _due_days() == [7]
    assert len(files(folder)) == 2


def test_expired_logs_of_one_scope_leave_those_of_others(folder: Path, settings: Any) -> None:
    old_job(1, bk_scope_id="2")
    old_job(2, bk_scope_id="3")
    maintain()
    before = stored()
    Scope.objects.filter(scope_id="2").update(retention_days=95)
    maintain()
    assert len(stored()) == 5
    assert stored().items() <= before.items()
    assert StoredObject.objects.count() == 1


def test_a_hold_keeps_what_has_been_moved(
    _moved: dict[int, bytes], folder: Path, settings: Any
) -> None:
    settings.LOG_RETENTION_DAYS = settings.HISTORY_RETENTION_DAYS = 95
    legal_hold.hold(JobInstance.objects.all(), by="zoe")
    before = files(folder)
    maintain()
    assert files(folder) == before
    assert stored() == _moved


def test_without_a_grace_period_expired_logs_go_with_the_same_run(
    _moved: dict[int, bytes], folder: Path, settings: Any
) -> None:
    settings.LOG_RETENTION_DAYS, settings.OBJECT_GRACE_DAYS = 95, 0
    assert "1 deleted" in maintain()
    assert files(folder) == []


def test_a_repeated_piece_is_compared_with_what_lies_in_an_object(
    _moved: dict[int, bytes],
) -> None:
    load(script_log(text_of(1), host=1, job=1, step=2))
    assert stored() == _moved
    assert HostResult.objects.filter(pack=None).count() == 0
