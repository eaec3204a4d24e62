"""Features in the store: of the text that is kept, and only while it is."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from joblogs import log_features
from joblogs.grouping.features import LogSample, features_of
from joblogs.maintenance import fingerprinting
from joblogs.models import HostResult, LogFeatures
from tests.builders import job, load, result, script_log, step
from tests.queries import the_result

pytestmark = pytest.mark.django_db


def features(text: str, *names: str) -> bytes:
    (packed,) = features_of([LogSample(text.encode(), tuple(name.encode() for name in names))])
    return packed


def test_features_of_a_log_know_its_host() -> None:
    load(job(), step(), result(host_name="web-1", status=9), script_log("on web-1: 7 users\n"))
    row = the_result()
    names = [name for name in (row.host_name, row.ip, row.ipv6) if name]
    made = log_features.compute_and_keep(row.day, [row], seconds=9)
    assert made == {row.pk: features("on web-1: 7 users\n", *names)}
    assert log_features.stored(row.day, [row]) == made


def test_of_a_long_log_only_the_ends_are_read() -> None:
    text = "".join(f"line {number}\n" for number in range(60_000))
    load(job(), step(), result(status=9, host_name="web-1", ip=None), script_log(text))
    row = the_result()
    made = log_features.compute(row.day, [row], seconds=9)
    assert made == {row.pk: features(text, "web-1")}


def test_features_of_a_text_that_grew_or_was_masked_since_are_not_kept() -> None:
    load(job(), step(), result(status=9), script_log("one\n"))
    row = the_result()
    made = log_features.compute(row.day, [row], seconds=9)
    for column in ("held_size", "masked"):
        HostResult.objects.update(**{column: getattr(row, column) + 1})
        log_features.keep(row.day, [row], made)
        assert not LogFeatures.objects.exists()
        HostResult.objects.update(**{column: getattr(row, column)})
    log_features.keep(row.day, [row], made)
    row.held_size += 1
    assert log_features.stored(row.day, [row]) == {}


def test_features_of_another_version_are_computed_anew() -> None:
    load(job(), step(), result(status=9), script_log("one\n"))
    fingerprinting.take([the_result()])
    days = [the_result().day]
    assert not list(fingerprinting.due(days))
    LogFeatures.objects.update(version=0)
    assert len(list(fingerprinting.due(days))) == 1


def test_computing_stops_when_the_time_is_over() -> None:
    hosts = range(1, 13)
    text = "a line of 100,000\n" * 5_000
    load(job(), step(), *(result(host, status=9) for host in hosts))
    load(job(), step(), *(script_log(text, host=host) for host in hosts))
    rows = list(HostResult.objects.all())
    made = log_features.compute(rows[0].day, rows, seconds=0)
    assert 0 < len(made) < len(rows)


def test_reading_features_takes_one_statement_whatever_the_hosts() -> None:
    hosts = range(1, 31)
    load(job(), step(), *(result(host, status=9) for host in hosts))
    load(job(), step(), *(script_log("ok 1\n", host=host) for host in hosts))
    rows = list(HostResult.objects.all())
    log_features.compute_and_keep(rows[0].day, rows, seconds=9)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(log_features.stored(rows[0].day, rows)) == 30
    assert len(queries) == 1
