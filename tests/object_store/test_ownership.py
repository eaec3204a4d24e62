"""Whose an object store is: a copy of a store, or another one, writes and deletes nothing there."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from joblogs import database
from joblogs.models import StoreId
from joblogs.object_store import ForeignStore, claim, client, intend, ledger
from joblogs.object_store.ownership import KEY

pytestmark = pytest.mark.django_db


def test_the_first_store_that_asks_owns_it(folder: Path) -> None:
    claim(client())
    claim(client())
    assert json.loads((folder / KEY).read_bytes())["store"] == StoreId.objects.get().value


def test_another_store_is_refused_until_it_is_told_to_adopt(folder: Path, settings: Any) -> None:
    claim(client())
    StoreId.objects.update(value="0" * 32)
    with pytest.raises(ForeignStore, match="belongs to another store"):
        claim(client())
    settings.OBJECT_STORE_ADOPT = True
    claim(client())
    settings.OBJECT_STORE_ADOPT = False
    claim(client())


def test_a_copy_of_the_store_is_refused_until_it_is_told_to_adopt(
    folder: Path, settings: Any
) -> None:
    claim(client())
    # The same rows, but the database that it belongs to lies elsewhere.
    original = json.loads((folder / KEY).read_bytes()) | {"place": "0" * 64}
    (folder / KEY).write_text(json.dumps(original))
    with pytest.raises(ForeignStore, match="original.*OBJECT_STORE_ADOPT=on"):
        claim(client())
    assert json.loads((folder / KEY).read_bytes()) == original
    settings.OBJECT_STORE_ADOPT = True
    claim(client())
    settings.OBJECT_STORE_ADOPT = False
    claim(client())
    assert json.loads((folder / KEY).read_bytes()) != original


def test_an_object_store_that_holds_nothing_of_ours_is_not_where_our_objects_lie(
    folder: Path, settings: Any
) -> None:
    claim(client())
    ledger.settle(intend(day=datetime.date(2026, 1, 2), scope=1, data=b"x"))
    (folder / KEY).unlink()
    with pytest.raises(ForeignStore, match="there are none of it"):
        claim(client())


def test_an_object_of_that_name_that_says_nothing_is_somebody_elses(folder: Path) -> None:
    (folder / KEY).write_bytes(b"[]")
    with pytest.raises(ForeignStore):
        claim(client())


def test_a_place_is_told_apart_from_a_copy_and_stays_what_it_is() -> None:
    assert database.place() == database.place()
    assert database.place()
