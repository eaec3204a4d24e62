"""verify_logs finds objects that are missing, torn, miscounted or known to nobody."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from joblogs.models import LogPack, ObjectToDelete, StoredObject, StoreId

from .faulty_server import FaultyServer, Mode
from .scenes import files, maintain, old_job

pytestmark = pytest.mark.django_db


def _verify(*arguments: str) -> tuple[str, str]:
    """What it prints, and what it ends with."""
    out = io.StringIO()
    try:
        call_command("verify_logs", *arguments, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


@pytest.fixture
def file(folder: Path) -> Path:
    """The file of the one object there is."""
    old_job(1)
    maintain()
    (file,) = files(folder)
    return file


def test_nothing_is_wrong_with_what_was_moved(file: Path) -> None:
    out, error = _verify()
    assert (error, "Looked at 1 object." in out) == ("", True)
    out, error = _verify("--objects")
    assert (error, f"Listed 1 object, {file.stat().st_size:,} bytes." in out) == ("", True)


def test_it_finds_an_object_that_is_missing(file: Path) -> None:
    file.unlink()
    assert "1 × an object is missing (row 1)" in _renumbered(_verify()[0])
    out, error = _verify("--objects")
    assert f"{StoredObject.objects.get().key} (missing)" in out
    assert error == "1 findings: see above."


@pytest.mark.parametrize("content", [b"", b"x", b"cut"])
def test_it_finds_an_object_that_is_torn(file: Path, content: bytes) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] if content == b"cut" else content)
    assert "1 × an object is not what was written (row 1)" in _renumbered(_verify()[0])
    out, error = _verify("--objects")
    assert "(of another size)" in out
    assert error


def test_it_finds_other_bytes_of_the_same_size(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    out, error = _verify()
    assert "an object is not what was written" in out
    assert error


def test_it_says_that_an_object_store_cannot_be_read_now(faulty: FaultyServer) -> None:
    old_job(1)
    maintain()
    faulty.mode = Mode.BUSY
    out, error = _verify()
    assert "1 × an object cannot be read now" in out
    assert "5 × the object that holds the text cannot be read now" in out
    # Nothing else is said of what was not read.
    assert error == "6 findings: see above."
    assert "could not be listed" in _verify("--objects")[1]


def test_it_finds_packs_that_point_to_no_object(file: Path) -> None:
    StoredObject.objects.all().delete()
    out, error = _verify()
    assert "packs point to an object that no row names" in out
    assert error


def test_it_finds_an_object_that_fewer_packs_point_to(file: Path) -> None:
    LogPack.objects.all().delete()
    out, error = _verify()
    assert "packs point to another part of an object than its row says" in out
    assert error


def test_it_lists_objects_that_nobody_knows_and_deletes_none(file: Path, folder: Path) -> None:
    store = StoreId.objects.get().value
    unknown = folder / store / "20200101/1/feed"
    unknown.parent.mkdir(parents=True)
    unknown.write_bytes(b"x")
    (folder / "another-store").mkdir()
    (folder / "another-store/x").write_bytes(b"x")
    out, error = _verify("--objects")
    assert f"{store}/20200101/1/feed (unknown; nothing deletes it)" in out
    assert ("another-store" in out, error) == (False, "1 findings: see above.")
    maintain()
    assert unknown.exists()


def test_what_is_to_be_deleted_is_known(file: Path, settings: Any) -> None:
    settings.LOG_RETENTION_DAYS = 95
    maintain()
    assert ObjectToDelete.objects.exists()
    out, error = _verify("--objects")
    assert ("Listed 1 object" in out, error) == (True, "")


def _renumbered(out: str) -> str:
    return out.replace(f"(row {StoredObject.objects.get().pk})", "(row 1)")
