"""No page and no list of the admin asks the database once per row."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from joblogs.choices import StepType
from joblogs.models import App, AppGrant, LogRead, Scope
from tests.builders import HOST, JOB, Fields, file_log, job, load, result, script_log, step
from tests.pages.page_helpers import PLACE, page

pytestmark = pytest.mark.django_db
FILES = ("biz", "2", JOB, 201)
ROWS = 50
STATEMENTS_MAX = 20

PAGES = {
    "jobs": reverse("staff:jobs"),
    "job": reverse("staff:job", args=PLACE[:3]),
    "step": page("step", host=None),
    "identical": page("step", host=None) + "?alike=identical",
    "hosts of a step": page("step-hosts", host=None),
    "file step": page("step", host=None, place=FILES),
    "log": page("log"),
    "file logs": page("log", place=FILES),
    "search": page("search", host=None) + "?q=hello",
    "search in files": page("search", host=None, place=FILES) + "?q=sent",
    "compare": page("compare"),
    "host": reverse("staff:host", args=[HOST]),
}
LISTS = {
    str(model._meta.model_name): reverse(
        f"admin:{model._meta.label_lower.replace('.', '_')}_changelist"
    )
    for model in admin.site._registry
    if model._meta.app_label == "joblogs"
}


def _load(rows: int) -> None:
    """So many hosts of a step, files of a host, jobs, steps, scopes, apps, grants and reads."""
    hosts = range(HOST, HOST + rows)
    records: list[Fields] = [job(), step(), step(201, step_type=StepType.FILE)]
    for host in hosts:
        records += [
            result(host, status=9, host_name=f"web-{host}"),
            script_log(f"hello {host}\n", host=host),
            result(host, step=201, status=9),
            file_log(host, step=201, status=4, content="sent\n", offset=0),
            file_log(HOST, step=201, status=4, src_path=f"/data/{host}"),
        ]
    for number in range(1000, 1000 + rows):
        records += [job(number), step(number, job=number)]
        records += [result(HOST, job=number, step=number, status=9)]
    load(*records)
    for number in range(rows):
        Scope.objects.get_or_create(scope_type="biz", scope_id=f"9{number}")
        app, _ = App.objects.get_or_create(app_code=f"app-{number}", secret_sha256=b"0" * 32)
        AppGrant.objects.get_or_create(app=app, scope=Scope.objects.get(scope_id="2"), read=True)
        LogRead.objects.create(
            at=timezone.now(), who="zoe", channel="page log", scope_type="biz", scope_id="2",
            job_instance_id=JOB, step_instance_id=200, host_count=1, size=1,
        )  # fmt: skip


def _statements(client: Client) -> dict[str, int]:
    counts = {}
    for name, address in {**PAGES, **LISTS}.items():
        client.get(address)
        with CaptureQueriesContext(connection) as made:
            response = client.get(address)
            assert response.status_code == 200, name
        counts[name] = len(made)
    return counts


@pytest.mark.slow
def test_more_rows_cost_no_more_statements() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    _load(2)  # of one host alone there is nothing to compare with
    few = _statements(client)
    _load(ROWS)
    assert _statements(client) == few
    assert len(LISTS) >= 9
    assert max(few.values()) <= STATEMENTS_MAX
