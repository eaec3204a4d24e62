"""Lists of the admin whose tables hold millions of rows: what they show, what a search finds."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from joblogs.audit import Channel
from joblogs.maintenance import legal_hold
from joblogs.models import FileLog, HostResult, JobInstance, LogRead, Scope, StepInstance
from tests.builders import CREATED, file_log, job, load, result, step
from tests.pages.page_helpers import staff

pytestmark = pytest.mark.django_db
LARGE = [JobInstance, StepInstance, HostResult, FileLog, LogRead]
LATEST_JOBS, CAP = 200, 1000
DAY = 86_400_000


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def zoe() -> Client:
    client = staff("zoe")
    user = User.objects.get(username="zoe")
    user.user_permissions.add(Permission.objects.get(codename="view_logread"))
    return client


def load_jobs(count: int, *, first: int = 1, scope: str = "2", created: int = CREATED) -> None:
    """Jobs with a step, a host and a file each, one a second; their numbers tell which is older."""
    records = []
    for n in range(first, first + count):
        at = {"bk_scope_id": scope, "create_time": created + n * 1000}
        records += [
            job(n, name="deploy", **at),
            step(n, job=n, name="send", step_type=2),
            result(n, job=n, step=n, host_name=f"host-{n}", status=9),
            file_log(n, job=n, step=n),
        ]
    load(*records)
    for row in JobInstance.objects.filter(job_instance_id__gte=first):
        LogRead.objects.create(
            at=datetime.fromtimestamp(row.create_time / 1000, UTC),
            who=f"reader{row.job_instance_id}",
            channel=Channel.PAGE,
            scope_type="biz",
            scope_id=scope,
            job_instance_id=row.job_instance_id,
            step_instance_id=row.job_instance_id,
            host_count=1,
            size=1,
        )


def rows(client: Client, model: type, query: str = "") -> int:
    """How many rows a list says that it has."""
    answer = client.get(reverse(f"admin:joblogs_{model.__name__.lower()}_changelist") + query)
    assert answer.status_code == 200
    found = re.search(r'<p class="paginator">.*?(\d+) [^<]*</p>', answer.content.decode(), re.S)
    return int(found[1]) if found else answer.context["cl"].result_count


def order(client: Client, model: type, query: str = "") -> list[object]:
    address = reverse(f"admin:joblogs_{model.__name__.lower()}_changelist") + query
    return [row.pk for row in client.get(address).context["cl"].result_list]


@pytest.mark.parametrize("model", LARGE, ids=lambda model: model.__name__)
def test_no_column_sorts_a_list(root: Client, model: type) -> None:
    load_jobs(3)
    newest_first = order(root, model)
    assert newest_first == sorted(newest_first, reverse=True)  # type: ignore[type-var]
    for column in ("1", "4", "-4", "6.-1"):
        assert order(root, model, f"?o={column}") == newest_first
    html = root.get(reverse(f"admin:joblogs_{model.__name__.lower()}_changelist")).content
    assert b"sortable" not in html


@pytest.mark.parametrize("model", LARGE, ids=lambda model: model.__name__)
def test_a_list_joins_nothing_to_find_its_rows(root: Client, model: type) -> None:
    load_jobs(3)
    table = model._meta.db_table  # type: ignore[attr-defined]
    with CaptureQueriesContext(connection) as made:
        order(root, model)
    (keys, *_) = [q["sql"] for q in made if f'FROM "{table}"' in q["sql"] and "LIMIT" in q["sql"]]
    assert "JOIN" not in keys
    assert f"LIMIT {CAP}" in keys


def test_the_rows_of_a_page_are_asked_for_by_their_own_keys_alone(root: Client) -> None:
    load_jobs(60)
    day = datetime.fromtimestamp(CREATED / 1000, UTC).date()
    with CaptureQueriesContext(connection) as made:
        assert len(order(root, JobInstance, f"?q={day}")) == 50
    *_, asked = [q["sql"] for q in made if 'FROM "joblogs_jobinstance"' in q["sql"]]
    (keys,) = re.findall(r'"joblogs_jobinstance"."id" IN \(([^)]*)\)', asked)
    assert len(keys.split(",")) == 50


@pytest.mark.parametrize("model", [StepInstance, HostResult, FileLog], ids=lambda m: m.__name__)
def test_staff_see_what_their_newest_jobs_did_and_search_for_the_rest(
    zoe: Client, model: type
) -> None:
    load_jobs(LATEST_JOBS + 5)
    load_jobs(3, first=901, scope="3")
    assert rows(zoe, model) == LATEST_JOBS
    assert rows(zoe, model, "?q=2") == 1
    assert rows(zoe, model, "?q=902") == 0
    day = datetime.fromtimestamp(CREATED / 1000, UTC).date()
    assert rows(zoe, model, f"?q={day}") == LATEST_JOBS + 5
    assert rows(zoe, model, "?q=2001-02-03") == rows(zoe, model, "?q=2001-99-03") == 0


def test_a_host_is_found_however_old_its_results_are(zoe: Client) -> None:
    load_jobs(LATEST_JOBS + 5)
    for term in ("host-2", "10.0.0.2", "2"):
        assert rows(zoe, HostResult, f"?q={term}") == 1
        assert rows(zoe, FileLog, f"?q={term}") == 1
        assert rows(zoe, HostResult, f"?q={term}&status__exact=9") == 1
        assert rows(zoe, HostResult, f"?q={term}&status__exact=103") == 0


def test_a_held_job_is_listed_however_old_it_is(zoe: Client) -> None:
    load(*(job(n, create_time=CREATED + n) for n in range(1, CAP + 3)))
    assert rows(zoe, JobInstance) == CAP
    oldest = JobInstance.objects.filter(job_instance_id=1)
    legal_hold.hold(oldest, by="root")
    assert order(zoe, JobInstance, "?held_at__isempty=0") == [oldest.get().pk]
    assert order(zoe, JobInstance, "?q=1") == [oldest.get().pk]


def test_staff_see_reads_of_their_scopes_however_many_others_there_are(zoe: Client) -> None:
    load_jobs(3, created=CREATED - 9 * DAY)
    load_jobs(5, first=901, scope="3")
    assert rows(zoe, LogRead) == 3
    assert rows(zoe, LogRead, "?q=reader2") == 1
    assert rows(zoe, LogRead, "?q=reader902") == rows(zoe, LogRead, "?q=902") == 0
    assert rows(zoe, LogRead, f"?channel={Channel.PAGE}") == 3


def test_more_scopes_cost_no_more_statements(zoe: Client) -> None:
    user = User.objects.get(username="zoe")
    counts: dict[type, list[int]] = {model: [] for model in LARGE}
    for scope in range(2, 6):
        load_jobs(2, first=scope * 100, scope=str(scope))
        for group in user.groups.all():
            Scope.objects.get(scope_id=str(scope)).groups.add(group)
        for model in LARGE:
            with CaptureQueriesContext(connection) as made:
                order(zoe, model)
            counts[model].append(len(made))
    for model in LARGE:
        assert len(set(counts[model][1:])) == 1, (model, counts[model])
