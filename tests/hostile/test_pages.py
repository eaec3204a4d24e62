"""Whatever a producer sent, and whatever a store holds, every page opens on it."""

from __future__ import annotations

import secrets
from random import Random

import pytest
from django.contrib.auth.models import User
from django.test import Client

from joblogs import ingest
from joblogs.models import FileLog, HostResult, JobInstance, StepInstance
from tests.builders import (
    BATCH,
    JOB,
    Fields,
    asking,
    credentials,
    file_log,
    job,
    load,
    result,
    script_log,
    send,
    step,
)
from tests.export.exporting import export
from tests.hostile.mutators import spoiled
from tests.hostile.pages import opened

pytestmark = pytest.mark.django_db
TRIES = 12
MICROSECONDS, LAST_MOMENT = 1_763_000_000_000_000, 253_402_300_799_999
BEYOND = [
    (MICROSECONDS, "", "year 57,837"),
    (2**53 - 1, "Asia/Shanghai", "year 287,396"),
    (LAST_MOMENT, "Asia/Shanghai", "year 9,999"),
    (LAST_MOMENT, "America/Los_Angeles", "9999-12-31"),
    (2**63 - 1, "", "year 292,278,994"),
    (-(2**63), "America/Los_Angeles", "year -292,275,055"),
]
TIMES = ("create_time", "start_time", "end_time", "update_time")
STORED: list[Fields] = [
    *(job(status=3), step(status=3), result(host_name="web-1", status=9), script_log("a\n")),
    *(result(102, host_name="web-2", status=104), script_log("b\n", host=102)),
    *(step(201, step_type=2), result(step=201), file_log(step=201, offset=0, content="moved\n")),
]


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def _store(at: int) -> None:
    """Rows with a time that no record may state, as an earlier release took them in."""
    load(*STORED)
    for model in (JobInstance, StepInstance, HostResult, FileLog):
        own = [name for name in TIMES if name in {field.name for field in model._meta.fields}]
        model._default_manager.update(**dict.fromkeys(own, at))


@pytest.mark.parametrize(("at", "zone", "shown"), BEYOND)
def test_every_page_opens_on_times_that_no_calendar_has(
    root: Client, at: int, zone: str, shown: str
) -> None:
    _store(at)
    root.cookies["zone"] = zone
    pages = opened(root)
    with_times = [page for address, page in pages.items() if address.endswith(("/logs/", "/100/"))]
    assert with_times
    assert all(shown in page.decode() for page in with_times)


@pytest.mark.parametrize("at", sorted({at for at, _, _ in BEYOND}))
def test_the_api_answers_such_times_as_they_are(client: Client, at: int) -> None:
    _store(at)
    keys = credentials()
    where = f"bk_scope_type=biz&bk_scope_id=2&job_instance_id={JOB}"
    answer = client.get(f"/api/v3/get_job_instance_status?{where}", headers=keys).json()
    assert answer["data"]["job_instance"]["start_time"] == at
    logs = client.post(BATCH, asking(), content_type="application/json", headers=keys).json()
    assert logs["result"], logs


def test_an_export_that_holds_such_rows_is_refused_by_line() -> None:
    _store(2**53 - 1)
    report = send(*export(every_attempt=True).decode().splitlines())
    assert report.accepted == 0
    assert report.refused[0].line == 2
    assert {entry.reason for entry in report.refused} == {ingest.Reason.INVALID}
    assert "create_time" in report.refused[0].message


def test_every_page_opens_on_what_a_hostile_producer_sent(root: Client) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # noqa: T201 - to try the same again
    random = Random(seed)  # noqa: S311 - as said
    for number in range(1, TRIES + 1):
        own = [
            job(number, start_time=1), step(job=number), result(job=number),
            script_log("a\n", job=number), file_log(job=number, offset=0, content="moved\n"),
        ]  # fmt: skip
        sent = [line for said in own for line in (spoiled(random, said), said)]
        send(*(line.decode("latin-1") if isinstance(line, bytes) else line for line in sent))
    assert JobInstance.objects.count() >= TRIES
    assert opened(root)
