"""A result that names no address has those of its host's previous result, in any order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from joblogs.models import Host, HostResult
from tests.builders import Fields, job, load, result, send, step
from tests.export.exporting import export

pytestmark = pytest.mark.django_db

Row = tuple[int, int, str | None, str | None]


def _rows() -> list[Row]:
    rows = HostResult.objects.select_related("identity").order_by("execute_count")
    found = [(r.execute_count, r.bk_cloud_id, r.ip, r.host_name) for r in rows]
    assert [(r.identity.bk_cloud_id, r.identity.ip, r.identity.name) for r in rows] == [
        row[1:] for row in found
    ]
    return found


def _unnamed(execute_count: int, **fields: Any) -> Fields:
    return result(ip=None, execute_count=execute_count, **fields)


RECORDS = [
    result(ip="10.0.0.1", host_name="a", bk_cloud_id=3, update_time=1),
    _unnamed(1, update_time=1),
    result(ip="10.0.0.2", host_name="b", execute_count=2, update_time=1),
    _unnamed(3, update_time=1, bk_cloud_id=5),
    result(ip="10.0.0.9", host_name="corrected", bk_cloud_id=4, update_time=2),
]
EXPECTED = [
    (0, 4, "10.0.0.9", "corrected"),
    (1, 4, "10.0.0.9", "corrected"),
    (2, 0, "10.0.0.2", "b"),
    (3, 5, "10.0.0.2", "b"),
]


@pytest.mark.parametrize("at_once", [True, False])
def test_any_order_ends_with_the_same_addresses(at_once: bool) -> None:
    load(job(), step())
    for order in itertools.permutations(RECORDS):
        if order[0]["ip"] is None:
            continue  # the first of a host names it
        HostResult.objects.all().delete()
        for records in [order] if at_once else [[record] for record in order]:
            assert send(*records).refused == []
        assert _rows() == EXPECTED
    assert set(Host.objects.referenced().values_list("name", flat=True)) == {"corrected", "b"}


def test_one_that_is_named_later_keeps_its_own() -> None:
    load(job(), step(), result(ip="10.0.0.1", host_name="a", bk_cloud_id=3), _unnamed(1))
    load(result(ip="10.0.0.7", execute_count=1))
    load(result(ip="10.0.0.2", host_name="b", update_time=9))
    assert _rows() == [(0, 3, "10.0.0.2", "b"), (1, 0, "10.0.0.7", None)]


def test_an_older_record_does_not_name_it() -> None:
    load(job(), step(), result(ip="10.0.0.1"), _unnamed(1, update_time=5))
    load(result(ip="10.0.0.7", execute_count=1, update_time=4))
    assert _rows() == [(0, 0, "10.0.0.1", None), (1, 0, "10.0.0.1", None)]


def test_a_store_takes_nothing_in_from_its_own_export() -> None:
    load(job(), step(), result(ip="10.0.0.1", bk_cloud_id=3), _unnamed(1), _unnamed(2))
    records = export(every_attempt=True).decode().splitlines()[1:]
    assert send(*records).accepted == 0
    # From then on the addresses are said.
    load(result(ip="10.0.0.2", update_time=9))
    assert [row[2] for row in _rows()] == ["10.0.0.2", "10.0.0.1", "10.0.0.1"]
