"""What moves, redacts and removes at the same time, and object stores that are partly damaged."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from joblogs import database, object_store
from joblogs.maintenance import expiry, removing
from joblogs.models import JobInstance, LogPack, ObjectToDelete, StoredObject

from .scenes import files, maintain, old_job, stored

pytestmark = pytest.mark.django_db
SECRET = "host 3 line 7 5398"


def _redact(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.write_text(SECRET)
    call_command("redact_logs", "--texts", str(texts), stdout=io.StringIO(), stderr=io.StringIO())


def _remove(number: int) -> None:
    call_command("remove_jobs", "--job", str(number), stdout=io.StringIO(), stderr=io.StringIO())


def _expire(number: int) -> None:
    assert expiry.expire_job(JobInstance.objects.get(job_instance_id=number))


@pytest.fixture
def _moved(folder: Path) -> dict[int, bytes]:
    """Two jobs whose packs lie in one object; their logs."""
    old_job(1)
    old_job(2)
    maintain()
    assert StoredObject.objects.count() == 1
    return stored()


def test_an_intent_that_was_settled_meanwhile_is_not_given_up(_moved: dict[int, bytes]) -> None:
    # As it was listed before whoever wrote it came to its end.
    stale = StoredObject.objects.get()
    stale.state = StoredObject.State.INTENT
    object_store.give_up(stale)
    assert StoredObject.objects.exists()
    assert not ObjectToDelete.objects.exists()
    assert stored() == _moved


def test_an_intent_is_given_up_once(folder: Path) -> None:
    old_job()
    one = object_store.intend(day=JobInstance.objects.get().day, scope=1, data=b"x")
    object_store.give_up(one)
    object_store.give_up(one)
    assert ObjectToDelete.objects.count() == 1


def test_a_redacted_text_leaves_what_its_expired_neighbours_left_behind(
    _moved: dict[int, bytes], folder: Path, settings: Any, tmp_path: Path
) -> None:
    settings.LOG_RETENTION_DAYS = 95
    (first,) = files(folder)
    _expire(1)
    settings.LOG_RETENTION_DAYS = None
    maintain()  # what is left lies in a new object, the former one waits
    assert len(files(folder)) == 2
    _redact(tmp_path)
    assert files(folder) == []
    assert all(SECRET.encode() not in text for text in stored().values())


def test_a_removed_text_leaves_what_its_expired_neighbours_left_behind(
    _moved: dict[int, bytes], folder: Path, settings: Any
) -> None:
    settings.LOG_RETENTION_DAYS = 95
    _expire(1)
    settings.LOG_RETENTION_DAYS = None
    maintain()
    _remove(2)
    assert files(folder) == []


def test_a_job_that_is_removed_after_it_expired_leaves_at_once(
    _moved: dict[int, bytes], folder: Path, settings: Any
) -> None:
    settings.LOG_RETENTION_DAYS = 95
    _expire(1)
    _expire(2)
    assert len(files(folder)) == 1
    _remove(2)
    assert files(folder) == []


def test_a_damaged_object_keeps_no_other_from_going_and_is_told(
    folder: Path, settings: Any
) -> None:
    for number, days in ((1, 100), (2, 100), (3, 101), (4, 101)):
        old_job(number, days=days)
    maintain()
    torn = StoredObject.objects.order_by("day")[0]
    (folder / torn.key).write_bytes(b"x")
    with pytest.raises(CommandError, match="did not let it be deleted"):
        _remove(3)
    with pytest.raises(CommandError, match="did not let it be deleted"):
        _remove(1)
    old_job(5, days=102)
    with pytest.raises(CommandError, match="The object store"):
        maintain()
    assert not LogPack.objects.filter(object_id=None).exists()
    assert [one.pk for one in StoredObject.objects.with_dead_bytes()] == [torn.pk]
    assert not ObjectToDelete.objects.exists()


def test_deletions_that_wait_in_one_object_store_are_not_taken_for_done_in_another(
    _moved: dict[int, bytes], folder: Path, settings: Any, tmp_path: Path
) -> None:
    settings.LOG_RETENTION_DAYS = 95
    maintain()
    assert ObjectToDelete.objects.count() == 1
    ObjectToDelete.objects.update(due_at=0)
    other = tmp_path / "other"
    other.mkdir()
    settings.OBJECT_STORE_URL = f"file://{other}"
    with pytest.raises(CommandError, match="there are none of it"):
        maintain()
    assert ObjectToDelete.objects.count() == 1


@pytest.mark.parametrize("anew", [False, True])
def test_an_object_whose_packs_changed_while_it_was_written_goes_at_once(
    folder: Path, tmp_path: Path, anew: bool
) -> None:
    old_job(1)
    old_job(2)
    if anew:
        maintain()
        with transaction.atomic():
            removing.delete(
                list(JobInstance.objects.filter(job_instance_id=1)),
                JobInstance.objects.all(),
                at_once=True,
            )
    steps = ["redacted", "written"]

    def redact_meanwhile(execute: Any, sql: str, *arguments: Any) -> Any:
        if steps == ["redacted"]:
            # As another process does, between what is to be written and what points to it.
            steps.clear()
            _redact(tmp_path)
        elif sql.startswith("INSERT") and StoredObject._meta.db_table in sql and steps:
            steps.pop()
        return execute(sql, *arguments)

    with connection.execute_wrapper(redact_meanwhile):
        maintain()
    assert not steps
    assert all(SECRET.encode() not in text for text in stored().values())
    maintain()
    assert len(files(folder)) == StoredObject.objects.count() == 1
    assert not ObjectToDelete.objects.filter(again_at=0).exists()


def test_what_is_to_be_deleted_is_told_while_no_object_store_is_set(
    _moved: dict[int, bytes], folder: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    url, settings.OBJECT_STORE_URL = settings.OBJECT_STORE_URL, None
    maintain()
    assert "to be deleted" not in caplog.text
    with pytest.raises(CommandError, match="did not let it be deleted"):
        _remove(1)
    maintain()
    assert "objects are to be deleted, and OBJECT_STORE_URL is not set" in caplog.text
    settings.OBJECT_STORE_URL = url
    assert "1 deleted" in maintain()
    assert len(stored()) == 5


def _abandon(folder: Path) -> Path:
    """A run was killed once it had written an object, before packs pointed to it."""
    day = JobInstance.objects.values_list("day", flat=True)[0]
    data = LogPack.objects.values_list("data", flat=True)[0]
    object_store.claim(object_store.client())
    scope = JobInstance.objects.values_list("scope_id", flat=True)[0]
    one = object_store.intend(day=day, scope=scope, data=bytes(data))
    object_store.client().put(one.key, bytes(data))
    return folder / one.key


@pytest.mark.parametrize("how", ["redacted", "removed", "maintained"])
def test_an_abandoned_object_goes_at_once_with_what_is_redacted_or_removed(
    folder: Path, tmp_path: Path, how: str
) -> None:
    old_job(1)
    left = _abandon(folder)
    assert left.exists()
    if how == "redacted":
        _redact(tmp_path)
    elif how == "removed":
        _remove(1)
    else:
        maintain()
    assert not left.exists()
    assert not StoredObject.objects.intents().exists()


def test_an_abandoned_object_that_arrives_late_is_deleted_once_more(
    folder: Path, tmp_path: Path
) -> None:
    old_job(1)
    left = _abandon(folder)
    data = left.read_bytes()
    _redact(tmp_path)
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(data)
    row = ObjectToDelete.objects.get(key=str(left.relative_to(folder)))
    assert row.due_at == row.again_at
    ObjectToDelete.objects.update(due_at=0, again_at=0)  # the hour has passed
    maintain()
    assert not left.exists()
    assert not ObjectToDelete.objects.exists()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a session has its own lock twice")
def test_what_a_run_is_about_to_write_is_left_to_it_by_who_redacts(
    folder: Path, tmp_path: Path
) -> None:
    """It finds out by itself that a pack was changed."""
    old_job(1)
    left = _abandon(folder)
    with database.only_one("maintain"):
        _redact(tmp_path)
    assert left.exists()
    assert StoredObject.objects.intents().exists()
