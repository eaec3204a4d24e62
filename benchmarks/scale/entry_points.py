"""Everything that the store is asked by, walked in one process by Django's test client."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client

from joblogs import access
from joblogs.models import Host, JobInstance, StepInstance

from .filling import BUSY_HOST, FIRST_JOB, LAST_DAY

RUNS, SLOW_MILLISECONDS = 3, 2000
METRICS_TOKEN = "of a benchmark"  # noqa: S105 - of a store that lives as long as it
READERS = ("root", "two", "many")
ADMIN = {
    "jobinstance": {"name": "q=part 7", "rare": "status__exact=10"},
    "stepinstance": {"name": "q=step 1", "rare": "status__exact=10&step_type__exact=2"},
    "hostresult": {
        **{"rare": "status__exact=103", "common": "status__exact=9"},
        "rare, of a day": f"status__exact=103&q={LAST_DAY - timedelta(days=50)}",
    },
    "filelog": {"rare": "status__exact=5"},
    "logread": {"user": "q=user7", "rare": "channel=page.raw"},
    "host": {"name": "q=web-150-7", "address": "q=10.150.0.7"},
    "notice": {"rare": "state__exact=2"},
    "savedsearch": {},
    "searchread": {"user": "q=user7"},
}
SUPERUSERS_ONLY, UNSEARCHED = ("searchread",), ("savedsearch",)
ABSENT, PRESENT = "c0ffee00-4f1c-4b6e-9d0a-7d1e4a5b6c7d", "Accepted password"


def entry_points(jobs: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Name of each entry point of a store of so many jobs, and how it is entered."""
    yield from _api(jobs)
    readers = {name: Client() for name in READERS}
    for name, client in readers.items():
        client.force_login(User.objects.get(username=name))
    yield from _pages(jobs, readers)
    yield from _admin(jobs, readers)
    yield from _commands(jobs)


class Cost(NamedTuple):
    """What an entry took: time, and pages of 8 KB that the database looked at."""

    milliseconds: float
    pages: int


def cost(enter: Callable[[], object]) -> Cost:
    """The best time of some runs behind a first one; of a slow one there is only the first."""
    best = _once(enter)
    if best.milliseconds < SLOW_MILLISECONDS:
        runs = [_once(enter) for _ in range(RUNS)]
        best = Cost(min(run.milliseconds for run in runs), min(run.pages for run in runs))
    return best


def _once(enter: Callable[[], object]) -> Cost:
    pages, started = _pages_so_far(), time.perf_counter()
    enter()
    took = (time.perf_counter() - started) * 1000
    return Cost(took, _pages_so_far() - pages)


def _pages_so_far() -> int:
    for each in connections.all():  # pages read through one of their own
        with each.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def _job(jobs: int, *, hosts: int) -> JobInstance:
    """The newest job of scope 1 whose script ran on so many hosts."""
    numbers = range(jobs, 0, -1)
    if hosts == 2000:
        return JobInstance.objects.get(pk=next(n for n in numbers if n % 10_000 == 1077))
    if hosts == 300:
        return JobInstance.objects.get(pk=next(n for n in numbers if n % 1000 == 577))
    small = JobInstance.objects.filter(scope=1).exclude(pk__in=[n for n in numbers if n % 20 == 7])
    return next(job for job in small.order_by("-pk") if job.pk % 20 not in (7, 17))


def _get(client: Client, address: str, **headers: str) -> None:
    answer = client.get(address, headers=headers)
    if answer.status_code == 302 and "p=3" in address:
        return  # a small store has no third page
    if answer.status_code != 200:
        raise SystemExit(f"{address}: {answer.status_code}")
    if answer.streaming:
        for _ in answer.streaming_content:  # type: ignore[union-attr] # never asynchronous here
            pass
    elif address.startswith("/api/v3") and not json.loads(answer.content)["result"]:
        raise SystemExit(f"{address}: {answer.content!r}")


def _api(jobs: int) -> Iterator[tuple[str, Callable[[], object]]]:
    _, secret = access.create_app(
        code="scale", all_scopes=True, read=True, write=False, rotate=True
    )
    keys = {"bk_app_code": "scale", "bk_app_secret": secret, "bk_username": "scale"}
    headers = {"X-Bkapi-Authorization": json.dumps(keys)}
    client = Client()
    scope = {"bk_scope_type": "biz", "bk_scope_id": "1"}

    def get(name: str, **fields: object) -> Callable[[], object]:
        return partial(_get, client, f"/api/v3/{name}?{urlencode(scope | fields)}", **headers)

    def batch(step: StepInstance, hosts: list[int]) -> None:
        fields = scope | _named(step) | {"host_id_list": hosts}
        answer = client.post(
            "/api/v3/batch_get_job_instance_ip_log", fields, "application/json", headers=headers
        )
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[arg-type]
        if not json.loads(body)["result"]:
            raise SystemExit(body.decode())

    for hosts, some in ((8, 8), (300, 300), (2000, 500)):
        step = _job(jobs, hosts=hosts).steps.get(step_type=1)
        numbers = list(step.host_results.order_by("host_id").values_list("host_id", flat=True))
        yield f"API, batch of {some} of {hosts} hosts", partial(batch, step, numbers[:some])
    step = _job(jobs, hosts=300).steps.get(step_type=1)
    host = step.host_results.order_by("host_id").values_list("host_id", flat=True)[0]
    job = {"job_instance_id": step.job.job_instance_id}
    yield "API, get_job_instance_status", get("get_job_instance_status", **job)
    yield (
        "API, get_job_instance_ip_log",
        get("get_job_instance_ip_log", **_named(step), bk_host_id=host),
    )
    yield "API, get_step_instance_status", get("get_step_instance_status", **_named(step))
    yield "API, get_step_instance_detail", get("get_step_instance_detail", **_named(step))
    end = int(datetime.combine(LAST_DAY + timedelta(days=1), datetime.min.time()).timestamp())
    span = {
        "create_time_start": (end - 29 * 86_400) * 1000,
        "create_time_end": end * 1000,
        "length": 20,
    }
    addresses = {
        "of the busy host": Host.objects.get(scope=1, bk_host_id=BUSY_HOST).ip,
        "of another host": Host.objects.get(pk=100_777).ip,
        "that no host has": "10.250.0.1",
    }
    yield "API, list of 29 days", get("get_job_instance_list", **span)
    yield "API, list, operator", get("get_job_instance_list", **span, operator="user7")
    for what, address in addresses.items():
        yield f"API, list, address {what}", get("get_job_instance_list", **span, ip=address)
    for number in (1, 150):
        history = f"/api/v1/biz/{number}/search_history"
        for what, text in (("absent", ABSENT), ("present", PRESENT)):
            days = urlencode({"q": text, "since": LAST_DAY, "until": LAST_DAY, "length": 5})
            name = f"API, search of a day's history, scope {number}, {what}"
            yield name, partial(_get, client, f"{history}?{days}", **headers)


def _named(step: StepInstance) -> dict[str, object]:
    return {
        "job_instance_id": step.job.job_instance_id,
        "step_instance_id": step.step_instance_id,
    }


def _pages(jobs: int, readers: dict[str, Client]) -> Iterator[tuple[str, Callable[[], object]]]:
    middle = JobInstance.objects.get(pk=jobs // 2)
    host = Host.objects.get(scope=1, bk_host_id=BUSY_HOST)
    for name, client in readers.items():
        queries = {
            "": "",
            ", far back": f"after={middle.create_time}.{middle.pk}",
            ", a name": "name=part 7",
            ", a name that no job has": "name=nothing",
            ", a rare status": "status=10",
            ", the address of the busy host": f"host={host.ip}",
            ", a name that no host has": "host=nothing",
        }
        for what, query in queries.items():
            yield f"jobs page, {name}{what}", partial(_get, client, f"/logs/?{query}")
        if name != "two":  # the busy host of its scopes has another number only if it ran there
            yield f"host page, {name}", partial(_get, client, f"/logs/hosts/{BUSY_HOST}/")
    root = readers["root"]
    yield "jobs page, one large scope", partial(_get, root, "/logs/?scope=biz:1")
    for hosts in (8, 300, 2000):
        step = _job(jobs, hosts=hosts).steps.get(step_type=1)
        job = f"/logs/biz/1/jobs/{step.job.job_instance_id}/"
        page = f"{job}steps/{step.step_instance_id}/"
        yield f"job page, {hosts} hosts", partial(_get, root, job)
        yield f"step page, {hosts} hosts", partial(_get, root, page)
        yield f"search, {hosts} hosts", partial(_get, root, f"{page}search/?q=Accepted")
    number = step.host_results.order_by("host_id").values_list("host_id", flat=True)[0]
    yield "log page", partial(_get, root, f"{page}hosts/{number}/")
    for name, client in readers.items():
        days = urlencode({"q": ABSENT, "since": LAST_DAY, "until": LAST_DAY})
        yield f"search of a day's history, {name}", partial(_get, client, f"/logs/search/?{days}")
    yield "comparison", partial(_get, root, f"{page}hosts/{number}/compare/")


def _admin(jobs: int, readers: dict[str, Client]) -> Iterator[tuple[str, Callable[[], object]]]:
    for table, queries in ADMIN.items():
        for name, client in readers.items():
            if name != "root" and table in SUPERUSERS_ONLY:
                continue
            every = (
                {"open": ""}
                if table in UNSEARCHED
                else {
                    "open": "",
                    "page 3": "p=3",
                    "by another column": "o=5",
                    "a day": f"q={LAST_DAY - timedelta(days=50)}",
                    "a job's number": f"q={FIRST_JOB + jobs // 2}",
                    "a host's number": "q=15000007",
                    **queries,
                }
            )
            for what, query in every.items():
                address = f"/admin/joblogs/{table}/?{query.replace(' ', '+')}"
                yield f"admin {table}, {name}, {what}", partial(_get, client, address)


def _commands(jobs: int) -> Iterator[tuple[str, Callable[[], object]]]:
    job = _job(jobs, hosts=300).job_instance_id
    call = partial(call_command, stdout=io.StringIO(), stderr=io.StringIO())
    call("maintain_logs")  # what the store does with the first run of a program
    yield "maintain_logs, nothing to do", partial(call, "maintain_logs")
    yield (
        "verify_logs, a job of 300 hosts",
        partial(call, "verify_logs", scope=("biz", "1"), job=job),
    )
    yield "/readyz", partial(_get, Client(), "/readyz")
    token = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    yield "/metrics", partial(_get, Client(), "/metrics", **token)
