"""Groups that are kept of a step that has ended: found only while all that they say is true."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from joblogs import kept_groups, step_groups
from joblogs.choices import HostStatus
from joblogs.grouping.host_ranges import fold
from joblogs.logtext import store
from joblogs.models import HostResult, KeptGroups, LogFeatures, StepInstance
from joblogs.query import Attempts
from joblogs.query.overview import overview
from tests.builders import JOB, job, load, result, script_log, step
from tests.pages.page_helpers import html, page, reads, staff, text
from tests.queries import the_step

pytestmark = pytest.mark.django_db

OK = "starting\nall is well, 7 users\n"
BAD = "starting\ncould not reach the registry as sekrit-phrase\n"
FAILED = {"status": 104, "exit_code": 2}


def _load() -> None:
    """A step of 12 hosts that has ended, of which the last failed."""
    hosts = range(1, 13)
    load(
        *(job(status=4), step(status=4)),
        *(result(host, host_name=f"web-{host}", status=9, exit_code=0) for host in hosts[:-1]),
        result(12, host_name="web-12", **FAILED),
        *(script_log(OK, host=host) for host in hosts),
        script_log(BAD, host=12, offset=len(OK)),
    )


def _opened(client: Client, query: str = "") -> str:
    """The page once all is compared; the page before it computed features, and keeps no groups."""
    html(client, page("step", host=None) + query)
    return html(client, page("step", host=None) + query)


def _lines(content: str) -> list[str]:
    """Its lines, but for what is another one at each request."""
    changing = ("data-now", "csrfmiddlewaretoken")
    return [line for line in content.splitlines() if not any(name in line for name in changing)]


def _redact(folder: Path, secret: str) -> None:
    texts = folder / "texts"
    texts.write_text(secret)
    call_command("redact_logs", "--texts", str(texts), stdout=io.StringIO())


def test_a_page_of_kept_groups_is_the_same_page() -> None:
    _load()
    client = staff()
    first = _opened(client)
    assert KeptGroups.objects.count() == 1
    LogFeatures.objects.all().delete()  # nothing of them is asked
    assert _lines(_opened(client)) == _lines(first)
    assert not LogFeatures.objects.exists()
    assert "sekrit-phrase" in first


def test_a_page_of_kept_groups_reads_no_log_and_is_recorded_all_the_same() -> None:
    _load()
    client, address = staff(), page("step", host=None)
    _opened(client)
    with CaptureQueriesContext(connection) as made:
        html(client, address)
    tables = [query["sql"] for query in made if "FROM" in query["sql"]]
    assert not [sql for sql in tables if "logchunk" in sql or "logfeatures" in sql]
    *_, before, last = reads()
    assert last == before
    assert last[2] > 1


def test_a_redaction_is_seen_at_once_and_leaves_nothing_that_was_kept(tmp_path: Path) -> None:
    _load()
    client = staff()
    assert "sekrit-phrase" in _opened(client)
    _redact(tmp_path, "sekrit-phrase")
    assert not KeptGroups.objects.exists()
    assert "sekrit-phrase" not in html(client, page("step", host=None))
    assert "*************" in _opened(client)


def test_a_secret_whose_end_comes_late_leaves_nothing_that_was_kept() -> None:
    _load()
    token = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
    start = len(OK + BAD)
    load(script_log(token[:20], host=12, offset=start))
    client = staff()
    _opened(client)
    assert token[:20] in text(client, page("step", host=None))
    load(script_log(token[20:] + "\n", host=12, offset=start + 20))
    assert not KeptGroups.objects.exists()
    assert token[:20] not in text(client, page("step", host=None))


@pytest.mark.parametrize(
    "late",
    [
        script_log("and then\n", host=12, offset=len(OK + BAD)),
        result(12, status=104, exit_code=2, tag="late"),
        result(13, host_name="web-13", **FAILED),
        result(12, host_name="web-12", status=9, exit_code=0, execute_count=1),
    ],
    ids=["a late piece", "a tag", "another host", "a new attempt"],
)
def test_what_comes_late_is_seen_at_once(late: dict[str, object]) -> None:
    _load()
    client = staff()
    before = _opened(client)
    load(late)
    after = html(client, page("step", host=None))
    assert _lines(after) != _lines(before)
    KeptGroups.objects.all().delete()
    assert _lines(after) == _lines(_opened(client))


def test_a_removed_job_leaves_nothing_that_was_kept() -> None:
    _load()
    _opened(staff())
    call_command("remove_jobs", "--job", str(JOB), stdout=io.StringIO(), stderr=io.StringIO())
    assert not StepInstance.objects.exists()
    assert not KeptGroups.objects.exists()


def test_a_step_that_runs_keeps_no_groups() -> None:
    _load()
    HostResult.objects.filter(host_id=3).update(status=HostStatus.RUNNING)
    _opened(staff())
    assert not KeptGroups.objects.exists()


def test_an_earlier_attempt_is_not_what_was_kept_of_the_last_one() -> None:
    _load()
    load(result(12, host_name="web-12", status=9, exit_code=0, execute_count=1))
    client = staff()
    assert "sekrit-phrase" not in _opened(client)
    assert "sekrit-phrase" in _opened(client, "?attempt=0")
    assert "sekrit-phrase" not in _opened(client)


def test_two_who_ask_for_other_groups_do_not_take_turns_at_computing_them() -> None:
    _load()
    _opened(staff())
    found = overview(the_step(), Attempts())
    for open_key in (True, False, True):
        made = step_groups.step_groups(found)
        failing = [group for group in made.groups if group.failed]
        step_groups.excerpts(made, failing if open_key else made.groups)
    with CaptureQueriesContext(connection) as queries:
        made = step_groups.step_groups(found)
        read = step_groups.excerpts(made, made.groups)
    assert len(queries) == 1
    assert read.by_key.keys() == {group.key for group in made.groups}
    assert [fold(host.name for host in group.hosts) for group in made.groups] == [
        ["web-12"],
        ["web-[1-11]"],
    ]


def test_who_read_beside_a_redaction_keeps_nothing(tmp_path: Path) -> None:
    _load()
    _opened(staff())
    KeptGroups.objects.all().delete()
    made = step_groups.step_groups(overview(the_step(), Attempts()))
    _redact(tmp_path, "sekrit-phrase")
    step_groups.excerpts(made, made.groups)
    assert not KeptGroups.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_while_a_log_is_being_masked_nobody_keeps_its_lines() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    _load()
    _opened(staff())
    KeptGroups.objects.all().delete()
    found = overview(the_step(), Attempts())

    def look() -> None:
        made = step_groups.step_groups(found)
        step_groups.excerpts(made, made.groups)
        connection.close()

    with transaction.atomic():
        list(HostResult.objects.select_for_update().filter(host_id=12))
        kept_groups.delete(the_step().day, [the_step().pk])
        reader = threading.Thread(target=look)
        reader.start()
        reader.join()
        HostResult.objects.filter(host_id=12).update(masked=1)
    assert not KeptGroups.objects.exists()
    look()
    assert not KeptGroups.objects.exists()


def test_groups_of_an_expired_day_are_deleted_with_it() -> None:
    _load()
    _opened(staff())
    with transaction.atomic():
        kept_groups.empty_day(the_step().day)
    assert not KeptGroups.objects.exists()


def test_what_is_kept_of_a_step_is_small() -> None:
    _load()
    _opened(staff())
    (kept,) = KeptGroups.objects.all()
    assert len(kept.data) < 2_000


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data[:16] + b"\x09" + data[17:],
        lambda data: b"\x00\xc1",
    ],
    ids=["nothing", "a part", "a bit", "another codec", "no message"],
)
def test_groups_that_were_damaged_are_computed_and_kept_again(
    damage: Callable[[bytes], bytes],
) -> None:
    _load()
    client = staff()
    before = _opened(client)
    (data,) = KeptGroups.objects.values_list("data", flat=True)
    KeptGroups.objects.update(data=damage(bytes(data)))
    assert _lines(html(client, page("step", host=None))) == _lines(before)
    assert [bytes(kept.data) for kept in KeptGroups.objects.all()] == [bytes(data)]


def _load_many_ways() -> None:
    """A step of 12 hosts that have ended, of which 8 failed, each in its own way."""
    hosts = range(1, 13)
    load(
        *(job(status=4), step(status=4)),
        *(result(host, host_name=f"web-{host}", status=9, exit_code=0) for host in range(9, 13)),
        *(result(host, host_name=f"web-{host}", status=104, exit_code=host) for host in hosts[:8]),
        *(script_log(f"{OK}error {'abcdefgh'[host % 8] * 5} here\n", host=host) for host in hosts),
    )


@pytest.mark.parametrize("queries", [["?open={}", ""], ["", "?open={}"], ["?only=failed", ""]])
def test_what_is_shown_and_recorded_does_not_depend_on_who_looked_before(
    queries: list[str],
) -> None:
    _load_many_ways()
    client, address = staff(), page("step", host=None)
    html(client, address)
    found = overview(the_step(), Attempts())
    made = step_groups.step_groups(found)
    queries = [query.format(made.groups[6].key) for query in queries]

    def look(query: str) -> tuple[list[str], object]:
        return _lines(html(client, address + query)), reads()[-1]

    alone = []
    for query in queries:
        KeptGroups.objects.all().delete()
        alone.append(look(query))
    KeptGroups.objects.all().delete()
    step_groups.excerpts(made, made.groups)  # as `summary` does
    assert KeptGroups.objects.exists()
    assert [look(query) for query in queries] == alone
    assert [look(query) for query in queries] == alone


def test_what_an_older_program_masks_is_not_shown_and_goes_with_a_run_for_every_day() -> None:
    _load()
    client = staff()
    _opened(client)
    log = HostResult.objects.get(host_id=12)
    whole = (OK + BAD).encode()
    at = whole.index(b"sekrit-phrase")
    store.replace(log.day, store.span_of(log, at, at + 13), bytearray(b"*" * 13))
    HostResult.objects.filter(pk=log.pk).update(masked=1, redacted=[[at, at + 13]])
    LogFeatures.objects.all().delete()
    call_command("maintain_logs", "--every-day", stdout=io.StringIO())
    assert not KeptGroups.objects.exists()
    assert "sekrit-phrase" not in _opened(client)
