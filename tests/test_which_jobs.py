"""Which jobs ran on a host: one answer by API, page, admin and export, and never another scope's.

A job matches if the host had that name, in any case, or that address when it ran.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from joblogs.models import HostResult, Scope
from tests.builders import CREATED, Fields, credentials, job, load, result, send, step
from tests.pages.page_helpers import staff

pytestmark = pytest.mark.django_db

ADMIN_JOBS, ADMIN_HOSTS = "/admin/joblogs/jobinstance/", "/admin/joblogs/host/"
OTHER = {"bk_scope_type": "biz", "bk_scope_id": "3"}


def run(number: int, host: int = 1, *, scope: Fields | None = None, **fields: Any) -> list[Fields]:
    """The records of a job with one host."""
    when = {"create_time": fields.pop("create_time", CREATED + number)}
    own = scope or {}
    return [
        job(number, name="nightly", **when, **own),
        step(number + 1000, job=number, **own),
        result(host, job=number, step=number + 1000, status=9, **own, **fields),
    ]


def by_api(text: str, scope: str = "2") -> list[int]:
    span = {"create_time_start": CREATED - 1000, "create_time_end": CREATED + 10**6}
    asked = {"bk_scope_type": "biz", "bk_scope_id": scope, "ip": text, "length": 1000} | span
    address = f"/api/v3/get_job_instance_list?{urlencode(asked)}"
    answer: Any = Client().get(address, headers=credentials(scopes=(("biz", scope),)))
    envelope = answer.json()
    assert envelope["code"] == 0, envelope
    return sorted(entry["job_instance_id"] for entry in envelope["data"]["data"])


def _html(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def by_page(client: Client, text: str) -> list[int]:
    html = _html(client, f"{reverse('staff:jobs')}?{urlencode({'host': text})}")
    # A job of one step leads to that.
    links = re.findall(r'href="/logs/biz/[0-9]+/jobs/([0-9]+)/(?:steps/[0-9]+/)?"', html)
    return sorted({int(number) for number in links})


def by_admin(client: Client, text: str) -> list[int]:
    html = _html(client, f"{ADMIN_JOBS}?{urlencode({'q': text})}")
    return sorted({int(n) for n in re.findall(r'href="/logs/biz/[0-9]+/jobs/([0-9]+)/"', html)})


def by_page_export(client: Client, text: str) -> list[int]:
    asked = urlencode({"host": text, "format": "ndjson"})
    response: Any = client.get(f"{reverse('staff:jobs-export')}?{asked}")
    return _jobs_of(response.getvalue()) if response.status_code == 200 else []


def by_command(capfdbinary: Any, text: str) -> list[int]:
    call_command("export_logs", "--scope=biz:2", f"--ip=0:{text}", "--format=ndjson")
    return _jobs_of(capfdbinary.readouterr().out)


def _jobs_of(records: bytes) -> list[int]:
    found = [json.loads(line) for line in records.splitlines()]
    return sorted(r["job_instance_id"] for r in found if r["type"] == "job")


RENAMED = [
    *run(1, ip="10.0.0.1", host_name="Web-1"),
    *run(2, ip="10.0.0.1", host_name="web-1"),
    # Then it got another address, and another machine got its own.
    *run(3, ip="10.0.0.2", host_name="web-1"),
    *run(4, 2, ip="10.0.0.1", host_name="db-1"),
    *run(5, 3, ip=None, ipv6="fd00::7", host_name="10.0.0.1"),
    *run(6, 3, ip=None, ipv6="fd00::7", host_name="STRASSE"),
]


def test_an_address_finds_the_same_jobs_by_api_page_admin_and_export(capfdbinary: Any) -> None:
    load(*RENAMED)
    zoe = staff("zoe")
    for text, jobs in {
        "10.0.0.1": [1, 2, 4, 5],
        "10.0.0.2": [3],
        "fd00::7": [5, 6],
        "FD00:0:0::0007": [5, 6],
    }.items():
        assert by_api(text) == jobs
        assert by_page(zoe, text) == jobs
        assert by_admin(zoe, text) == jobs
        assert by_page_export(zoe, text) == jobs
        assert by_command(capfdbinary, text) == jobs


@pytest.mark.parametrize(
    ("name", "jobs"),
    [("WEB-1", [1, 2, 3]), ("db-1", [4]), ("straße", [6]), ("web", []), ("web-_", [])],
)
def test_a_name_in_any_case_finds_the_same_jobs_by_page_admin_and_export(
    name: str, jobs: list[int]
) -> None:
    load(*RENAMED)
    zoe = staff("zoe")
    for asked in (by_page, by_admin, by_page_export):
        assert asked(zoe, name) == jobs


def test_names_are_folded_alike_on_both_databases() -> None:
    load(*run(1, host_name="ΣΊΣΥΦΟΣ"), *run(2, host_name="İstanbul"), *run(3, host_name="ﬁle"))
    zoe = staff("zoe")
    assert by_page(zoe, "σίσυφος") == [1]
    assert by_page(zoe, "i̇stanbul") == [2]
    assert by_page(zoe, "FILE") == [3]


def test_a_run_whose_address_is_corrected_is_found_by_the_new_one_only() -> None:
    load(*run(1, ip="10.0.0.1", host_name="web-1", update_time=5))
    load(*run(1, ip="10.0.0.9", host_name="web-9", update_time=6))
    zoe = staff("zoe")
    assert (by_api("10.0.0.1"), by_page(zoe, "web-1")) == ([], [])
    assert (by_api("10.0.0.9"), by_page(zoe, "web-9")) == ([1], [1])
    assert "web-1" not in _html(zoe, ADMIN_HOSTS)


def test_what_another_scope_says_of_a_machine_is_neither_shown_nor_believed() -> None:
    load(*run(1, 7, ip="10.0.0.1", host_name="payroll-db"))
    # A producer of another scope names the same id, with a job of next week.
    later: Fields = {"scope": OTHER, "create_time": CREATED + 7 * 86_400_000}
    load(*run(2, 7, ip="10.66.0.6", host_name="mine-now", **later))
    zoe, mallory = staff("zoe"), staff("mallory", scope=("biz", "3"))
    for client, own, others in (
        (zoe, ("payroll-db", "10.0.0.1"), ("mine-now", "10.66.0.6")),
        (mallory, ("mine-now", "10.66.0.6"), ("payroll-db", "10.0.0.1")),
    ):
        for address in (ADMIN_HOSTS, "/admin/joblogs/hostresult/", "/logs/hosts/7/"):
            html = _html(client, address)
            assert all(text in html for text in own)
            assert not any(text in html for text in others)
        for text in others:
            assert by_page(client, text) == by_admin(client, text) == []
            assert by_page_export(client, text) == []
            assert "0 hosts" in _html(client, f"{ADMIN_HOSTS}?q={text}")
    assert by_page(zoe, "7") == by_admin(zoe, "7") == [1]
    assert by_api("10.66.0.6") == []


def test_hosts_of_another_scope_crowd_nobodys_out() -> None:
    load(*itertools.chain.from_iterable(
        run(1000 + n, n, scope=OTHER, host_name="web-1") for n in range(1, 151)
    ))  # fmt: skip
    load(*run(1, 900, host_name="web-1"))
    zoe = staff("zoe")
    for asked in (by_page, by_admin, by_page_export):
        assert asked(zoe, "web-1") == [1]


def test_hosts_of_one_name_are_found_however_many_they_are() -> None:
    load(job(1), step(1001, job=1))
    load(*(result(n, job=1, step=1001, host_name="localhost") for n in range(2, 202)))
    load(*run(2, 900, host_name="localhost"))
    zoe = staff("zoe")
    for asked in (by_page, by_admin, by_page_export):
        assert asked(zoe, "localhost") == [1, 2]


def test_a_reader_of_two_scopes_finds_the_jobs_of_both() -> None:
    load(*run(1, host_name="web-1"), *run(2, scope=OTHER, host_name="web-1"))
    zoe = staff("zoe")
    group = Group.objects.get()
    Scope.objects.get(scope_id="3").groups.add(group, Group.objects.create(name="another"))
    User.objects.get(username="zoe").groups.add(Group.objects.get(name="another"))
    for asked in (by_page, by_admin, by_page_export):
        assert asked(zoe, "web-1") == [1, 2]
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    assert by_page(root, "web-1") == by_admin(root, "web-1") == [1, 2]


@pytest.mark.slow
def test_any_order_of_the_same_records_ends_with_the_same_lists() -> None:
    """Of a machine that was renamed and moved, whichever run is told first."""
    results = [
        result(1, job=n, step=n + 1000, ip=ip, host_name=name, update_time=n)
        for n, ip, name in ((1, "10.0.0.1", "old"), (2, "10.0.0.2", "new"), (3, "10.0.0.1", "New"))
    ]
    results.append(result(1, job=1, step=1001, ip="10.0.0.3", host_name="corrected", update_time=9))
    parents = [r for n in (1, 2, 3) for r in (job(n), step(n + 1000, job=n))]
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    seen = set()
    for order in itertools.permutations(results):
        HostResult.objects.all().delete()
        load(*parents)
        assert send(*order).refused == []
        rows = re.findall(r'class="field-(?:name|ip)">([^<]*)<', _html(root, ADMIN_HOSTS))
        found = tuple(
            tuple(by_page(root, text)) for text in ("old", "new", "corrected", "10.0.0.1")
        )
        seen.add((tuple(sorted(rows)), found))
    (only,) = seen
    assert only[1] == ((), (2, 3), (1,), (3,))


def _statements(client: Client, address: str) -> int:
    _html(client, address)
    with CaptureQueriesContext(connection) as made:
        _html(client, address)
    return len(made)


@pytest.mark.parametrize(
    "address",
    ["/logs/?host=web-1", "/logs/hosts/1/", f"{ADMIN_HOSTS}?q=web-1", f"{ADMIN_JOBS}?q=web-1"],
)
def test_other_scopes_and_more_identities_cost_no_statement(address: str) -> None:
    load(*run(1, host_name="web-1"))
    zoe = staff("zoe")
    before = _statements(zoe, address)
    for n in range(2, 40):
        load(*run(n + 5000, scope=OTHER, host_name="web-1", ip=f"10.1.0.{n}"))
    assert _statements(zoe, address) == before
    for n in range(2, 12):
        load(*run(n, host_name="web-1", ip=f"10.2.0.{n}"))
    assert _statements(zoe, address) == before
