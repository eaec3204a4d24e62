"""Who read what: written down by every channel (tests/channels), found again, never at the cost of
the answer."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from joblogs.audit import AuditedResponse, Channel
from joblogs.models import LogRead
from tests import builders
from tests.builders import BATCH, CREATED, asking, job, load, result, script_log, step
from tests.channels.table import COMMANDS, ROWS
from tests.pages.page_helpers import page, staff

RAW = "/api/v1/biz/2/jobs/100/steps/200/hosts/101/log"
LIST = reverse("admin:joblogs_logread_changelist")


@pytest.fixture
def broken() -> Iterator[None]:
    """A store in which reads cannot be recorded."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE joblogs_logread RENAME TO joblogs_away")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE joblogs_away RENAME TO joblogs_logread")


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_never_lost_with_its_record_and_the_loss_is_said_aloud(
    broken: None, caplog: pytest.LogCaptureFixture
) -> None:
    load(job(), step(), result(status=9), script_log("printed\n"))
    keys, client = builders.credentials(), staff()
    answers: list[Any] = [
        client.get(page("log")),
        client.get(page("log-download")),
        Client().post(BATCH, asking(), "application/json", headers=keys),
        Client().get(RAW, headers=keys),
    ]
    assert [b"printed" in answer.getvalue() for answer in answers] == [True] * 4
    lost = [r for r in caplog.records if r.name == "joblogs.audit" and r.levelno == logging.ERROR]
    told = "\n".join(record.getMessage() for record in lost)
    channels = {Channel.PAGE: "", Channel.DOWNLOAD: "", Channel.BATCH: "granted"}
    for channel, app in (channels | {Channel.RAW: "granted"}).items():
        assert f"'zoe' of app '{app}' through {channel}, job 100, step 200, 1 hosts, 8" in told
    assert len(lost) == 4
    assert "printed" not in caplog.text


def test_every_channel_of_the_table_is_known_and_the_other_way_round() -> None:
    listed = {row.recorded for row in ROWS} | {command.recorded for command in COMMANDS}
    assert listed - {""} == set(Channel.values)


@pytest.mark.django_db
def test_a_comparison_with_an_earlier_run_is_a_read_of_both_jobs() -> None:
    for number, created in ((99, CREATED - 1000), (100, CREATED)):
        load(
            job(number, create_time=created),
            step(number + 100, job=number),
            result(job=number, step=number + 100, status=9),
            script_log(f"run {number}\n" * number, job=number, step=number + 100),
        )
    staff().get(page("compare") + "?to=earlier")
    found = LogRead.objects.order_by("pk").values_list("job_instance_id", "step_instance_id")
    assert list(found) == [(100, 200), (99, 199)]
    sizes = LogRead.objects.order_by("pk").values_list("size", "host_count")
    assert list(sizes) == [(800, 1), (99 * 7, 1)]


@pytest.mark.django_db
def test_following_a_log_that_says_nothing_new_is_no_read() -> None:
    load(job(), step(), result(status=7), script_log("12345678"))
    client = staff()
    client.get(page("log-more") + "?byte=8")
    keys = builders.credentials()
    Client().get(f"{RAW}?offset=8", headers=keys).getvalue()
    assert LogRead.objects.count() == 0
    client.get(page("log-more") + "?byte=6")
    assert [read.size for read in LogRead.objects.all()] == [2]


@pytest.mark.django_db
def test_an_answer_that_is_closed_twice_is_one_read() -> None:
    told: list[int] = []
    answer = AuditedResponse([b"text"])
    answer.on_sent = lambda: told.append(1)
    answer.close()
    answer.close()
    assert isinstance(answer, StreamingHttpResponse)
    assert told == [1]


@pytest.fixture
def auditor(db: None) -> Client:
    for n, (who, app, channel, number) in enumerate(
        [
            ("zoe", "", Channel.PAGE, 100),
            ("yan", "shop", Channel.BATCH, 100),
            ("yan", "", Channel.SEARCH, 300),
        ]
    ):
        LogRead.objects.create(
            at=datetime.datetime(2026, 1, 31 - n, 23, 59, 59, tzinfo=datetime.UTC),
            who=who, app_code=app, channel=channel, scope_type="biz", scope_id="2",
            job_instance_id=number, step_instance_id=number + 1, host_count=1, size=1,
        )  # fmt: skip
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("q=zoe", 1),
        ("q=yan", 2),
        ("q=shop", 1),
        ("q=100", 2),
        ("q=301", 1),
        ("q=2026-01-31", 1),
        ("q=2026-02-31", 0),
        ("q=9999-12-31", 0),
        ("channel=page+search", 1),
        ("channel=page+search&q=zoe", 0),
        ("at__gte=2026-01-30+00:00:00%2B00:00&at__lt=2026-02-01+00:00:00%2B00:00", 2),
        ("", 3),
    ],
)
def test_reads_are_found_by_who_app_job_step_channel_and_day(
    auditor: Client, asked: str, count: int
) -> None:
    answer = auditor.get(f"{LIST}?{asked}")
    assert answer.status_code == 200
    html = answer.content.decode()
    assert html.count('class="field-page"') == count
