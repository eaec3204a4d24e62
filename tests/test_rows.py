"""Rows by the thousand: read without Django's own way of making them, written in one statement."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.db.models.base import ModelState

from joblogs import database
from joblogs.choices import HostStatus
from joblogs.models import HostResult
from tests.builders import job, load, result, step
from tests.queries import the_result

pytestmark = pytest.mark.django_db

COLUMNS = (
    *("status", "tag", "exit_code", "held_size", "truncated", "redacted", "mask_prefix", "digest"),
    *("mask_rule", "day"),
)


def _slowly(row: HostResult) -> HostResult:
    """The row as Django makes it of what it read."""
    names = [field.attname for field in HostResult._meta.concrete_fields]
    values = [getattr(row, name) for name in names]
    made = Model.from_db.__func__(HostResult, row._state.db, names, values)  # type: ignore[attr-defined]
    assert isinstance(made, HostResult)
    return made


def test_a_host_result_is_read_as_django_reads_it() -> None:
    load(job(), step(), result(redacted=[[2, 4]], tag="ok", exit_code=3))
    row = the_result()
    other = _slowly(row)
    assert row == other
    state, its = row.__dict__.pop("_state"), other.__dict__.pop("_state")
    assert row.__dict__ == other.__dict__
    assert (state.db, state.adding) == (its.db, its.adding) == ("default", False)
    assert state.fields_cache == its.fields_cache == {}


def test_a_column_that_was_not_read_is_fetched_when_it_is_asked_for(
    django_assert_num_queries: Any,
) -> None:
    load(job(), step(), result(tag="ok"))
    for rows in (HostResult.objects.only("status"), HostResult.objects.defer("tag")):
        row = rows.get()
        assert "tag" in row.get_deferred_fields()
        with django_assert_num_queries(1):
            assert row.tag == "ok"
        assert "tag" not in row.get_deferred_fields()


def test_a_host_result_that_was_read_is_saved_as_the_row_that_it_is() -> None:
    load(job(), step(), result())
    row = the_result()
    row.status = 9
    row.save(update_fields=["status"])
    assert HostResult.objects.get().status == 9
    row.refresh_from_db()
    assert row.step.step_instance_id == step()["step_instance_id"]


VALUES: list[list[Any]] = [
    [9, "ok", -3, 2**40, True, [[1, 5]], b"AK", bytes(range(32)), ""],
    [HostStatus.RUNNING, None, None, 7, False, None, b"", None, 'a"b\\c{,}'],
    [2**31 - 1, 'NULL "\\', 0, 0, False, [], b'\\x00"{', b"\0" * 32, "NULL"],
]


def test_values_of_every_kind_are_written_in_one_statement(django_assert_num_queries: Any) -> None:
    load(job(), step(), *(result(host) for host in (1, 2, 3)))
    rows = list(HostResult.objects.order_by("pk"))
    written = [[row.pk, *values, row.day] for row, values in zip(rows, VALUES, strict=True)]
    with django_assert_num_queries(1):
        database.update_rows(HostResult, COLUMNS, written)
    found = HostResult.objects.order_by("pk").values_list("pk", *COLUMNS)
    plain = [tuple(map(_plain, row)) for row in found]
    assert plain == [tuple(row) for row in written]


def test_new_rows_of_values_of_every_kind_are_stored_and_get_their_keys(
    django_assert_num_queries: Any,
) -> None:
    load(job(), step(), result())
    row = the_result()
    columns = [field.attname for field in HostResult._meta.concrete_fields]
    made = []
    for host, values in enumerate(VALUES, 1000):
        new = copy.copy(row)
        new._state = ModelState()
        new.pk, new.host_id = None, host
        for name, value in zip(COLUMNS, values, strict=False):
            setattr(new, name, value)
        made.append(new)
    with django_assert_num_queries(1):
        database.create_rows(made)
    assert not any(new._state.adding for new in made)
    for new in made:
        stored = HostResult.objects.get(pk=new.pk)
        assert [_plain(getattr(stored, name)) for name in columns] == [
            _plain(getattr(new, name)) for name in columns
        ]


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def test_a_new_row_that_is_stored_already_is_an_error() -> None:
    load(job(), step(), result())
    row = the_result()
    row.pk, row._state = None, ModelState()
    with pytest.raises(IntegrityError), transaction.atomic():
        database.create_rows([row])
    database.create_rows([])


def test_a_row_is_written_only_where_its_conditions_hold() -> None:
    load(job(), step(), *(result(host) for host in (1, 2)))
    one, two = HostResult.objects.order_by("pk")
    database.update_rows(
        HostResult, ("tag",), [[one.pk, "new", 0], [two.pk, "new", 1]], where=("held_size",)
    )
    assert list(HostResult.objects.order_by("pk").values_list("tag", flat=True)) == ["new", None]
