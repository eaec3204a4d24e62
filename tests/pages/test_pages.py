"""The pages about jobs, steps and hosts: what is found, for whom, and at what cost."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from joblogs.choices import StepType
from joblogs.models import JobInstance
from joblogs.pages.step.groups import groups
from joblogs.query import Attempts
from joblogs.query.overview import overview
from joblogs.step_groups import step_groups
from tests.builders import JOB, Fields, file_log, job, load, result, script_log, step
from tests.pages.page_helpers import page, reads, staff
from tests.queries import the_step

pytestmark = pytest.mark.django_db
STATEMENTS_MAX = 15


def _names(hosts: Iterable[int]) -> dict[int, str]:
    return {host: f"web-{host:05}" for host in hosts}


def _load_step(hosts: int, bad: dict[int, tuple[int, int | None, str]] | None = None) -> None:
    """A step on hosts 1…n; `bad` says status, exit code and what is printed instead."""
    bad = bad or {}
    records: list[Fields] = [job(), step()]
    for host, name in _names(range(1, hosts + 1)).items():
        status, code, text = bad.get(host, (9, 0, "checked\nall is well\n"))
        said: Fields = {"host_name": name, "status": status, "exit_code": code, "total_time": 1000}
        records.append(result(host, **said))
        if text:
            content = f"2026-11-22 08:00:{host % 60:02} starting on {name}\n{text}"
            records.append(script_log(content, host=host))
    load(*records)


PLANTED = {
    7: (104, 2, "checked\ntar: Cannot write: No space left on device\n"),
    9: (104, 2, "checked\ntar: Cannot write: No space left on device\n"),
    11: (104, 7, "curl: (7) Connection refused\n"),
    15: (104, 139, "checked\nSegmentation fault\n"),
    20: (102, None, ""),
    21: (9, 0, "checked\nall is well, but late\n"),
}


def _html(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def _text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))


def test_planted_differences_are_the_groups_exactly() -> None:
    _load_step(200, PLANTED)
    found = groups(step_groups(overview(the_step(), Attempts()), seconds=60), prints=True)
    by_hosts = {tuple(host.bk_host_id for host in group.hosts): group for group in found}
    crowd = tuple(host for host in range(1, 201) if host not in PLANTED)
    assert set(by_hosts) == {(7, 9), (11,), (15,), (20,), (21,), crowd}
    assert [len(group.hosts) for group in found] == [2, 1, 1, 1, 1, 194]
    kinds = {hosts: group.kind.value for hosts, group in by_hosts.items() if len(hosts) < 9}
    assert kinds == {(7, 9): "bad", (11,): "bad", (15,): "bad", (20,): "silent", (21,): "ok"}
    assert by_hosts[crowd].crowd


def test_the_page_says_it_in_a_sentence_and_shows_the_lines_that_differ() -> None:
    _load_step(200, PLANTED)
    html = _html(staff(), page("step", host=None))
    text = _text(html)
    assert "195 succeeded, 4 failed in 3 ways, 1 had no output." in text
    assert "1 succeeded with different output." in text
    assert "web-[00007,00009]" in text
    assert "first differs from the largest group (194 hosts) at line 3" in text
    assert re.search(r'class="sl differs"[^>]*><a[^>]*line=3#L3">3</a>.*No space left', html)
    assert html.count("<a class=") - html.count("<a class=plain") >= 200
    assert [read[:3] for read in reads()] == [("zoe", "page step", 5)]


def test_in_identical_groups_noise_counts() -> None:
    _load_step(8)
    assert "web-[00001-00008]" in _text(_html(staff(), page("step", host=None)))
    client = staff("yan", scope=("biz", "2"))
    text = _text(_html(client, page("step", host=None) + "?alike=identical"))
    assert "differs only in values that change from run to run" in text


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"status": 2}, "No host has reported yet."),
        ({"status": 1}, "This step has not started yet."),
        ({"status": 3}, "No host results have been recorded."),
        ({"status": 3, "step_type": 3}, "Approval steps do not run on hosts."),
    ],
)
def test_a_step_without_hosts(said: Fields, sentence: str) -> None:
    load(job(status=said["status"]), step(**said))
    shown = _text(_html(staff(), page("step", host=None)))
    assert sentence in shown
    assert ("Hosts appear here as soon as they report." in shown) == (said["status"] < 3)


def test_hosts_that_run_or_wait_are_no_failures() -> None:
    records = [result(1, status=7), result(2, status=5), result(3, status=9), result(4, status=13)]
    load(job(), step(status=2), *records, script_log(host=3), script_log(host=4))
    text = _text(_html(staff(), page("step", host=None)))
    assert "1 succeeded, 1 timed out, 1 is running, 1 is waiting." in text


def test_after_expiry_the_outcome_is_still_told() -> None:
    _load_step(5, {2: PLANTED[7]})
    JobInstance.objects.update(expired_at=1_700_000_000_000, expired_policy="90 days")
    html = _html(staff(), page("step", host=None))
    assert "4 succeeded, 1 failed." in _text(html)
    assert "90 days" in html
    assert "No space left" not in html
    assert reads() == []


def test_a_log_with_masked_parts_is_a_log_like_others() -> None:
    masked = result(2, status=104, redacted=[[0, 4]])
    load(job(), step(), result(1, status=9), script_log(host=1), masked, script_log(host=2))
    assert "1 succeeded, 1 failed." in _text(_html(staff(), page("step", host=None)))


def test_an_earlier_attempt_can_be_chosen() -> None:
    load(
        job(),
        step(),
        result(1, status=104, exit_code=1),
        result(1, status=9, execute_count=1),
    )
    client = staff()
    assert "1 succeeded." in _text(_html(client, page("step", host=None)))
    assert "failed" in _text(_html(client, page("step", host=None) + "?attempt=0"))


def test_transfers_are_grouped_by_outcome_and_source() -> None:
    load(
        job(),
        step(step_type=StepType.FILE),
        *[result(host, status=9, host_name=f"web-{host:02}") for host in range(1, 6)],
        result(6, status=202, host_name="web-06"),
        *[file_log(host, status=4) for host in range(1, 6)],
        file_log(6, status=5, source=103),
    )
    text = _text(_html(staff(), page("step", host=None)))
    assert "5 succeeded, 1 failed." in text
    assert "web-[01-05]done · from 10.0.0.102 · 5 files" in text
    assert "web-06failed · file transfer failed · from 10.0.0.103 · 1 file" in text


ADDRESSES = {
    "step": page("step", host=None),
    "identical": page("step", host=None) + "?alike=identical",
    "job": reverse("staff:job", args=["biz", "2", JOB]),
    "jobs": reverse("staff:jobs"),
    "list": page("step-hosts", host=None),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_more_hosts_cost_no_more_statements(name: str) -> None:
    client = staff()
    counts = []
    for hosts in (5, 200):
        _load_step(hosts)
        client.get(ADDRESSES[name])
        with CaptureQueriesContext(
            connection,
        ) as made:
            _html(client, ADDRESSES[name])
        counts.append(len(made))
    assert counts[0] == counts[1] <= STATEMENTS_MAX


def test_hosts_are_listed_to_be_copied() -> None:
    _load_step(12, {3: PLANTED[7]})
    client = staff()
    address = page("step-hosts", host=None)
    assert _html(client, f"{address}?as=ids&outcome=bad") == "3\n"
    assert _html(client, f"{address}?as=addresses&outcome=bad") == "10.0.0.3\n"
    bad = groups(step_groups(overview(the_step(), Attempts()), seconds=60), prints=True)[0]
    assert _html(client, f"{address}?as=names&group={bad.key}") == "web-00003\n"
    assert len(_html(client, address).splitlines()) == 12


def test_the_table_is_narrowed_and_sorted() -> None:
    _load_step(120, {3: PLANTED[7]})
    client = staff()
    address = page("step", host=None)

    def hosts(query: str) -> list[str]:
        table = _html(client, address + query).partition("<tbody>")[2]
        return re.findall(r'<th scope="row"><a [^>]*>([^<]*)</a>', table)

    assert hosts("")[:2] == ["web-00003", "web-00001"]
    assert hosts("?q=web-00050") == ["web-00050"]
    assert hosts("?sort=-name")[0] == "web-00120"
    assert len(hosts("?page=2")) == 20
    assert hosts("?outcome=bad") == ["web-00003"]


def test_names_that_try_to_be_markup_are_text() -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    load(
        job(name=evil, operator=evil[:20]),
        step(name=evil),
        result(1, status=104, host_name=evil, tag=evil),
        result(2, status=9, host_name="x onmouseover=alert(3)"),
        script_log(f"{evil}\n\x1b]8;;javascript:alert(4)\x07hit\n", host=1),
        script_log(host=2),
    )
    client = staff()
    for address in (*ADDRESSES.values(), reverse("staff:host", args=[1])):
        response = client.get(address)
        if response["Content-Type"].startswith("text/html"):
            html = response.content.decode()
            assert "<script>alert" not in html
            assert "<img" not in html
            assert not re.search(r"<a [^>\"]*onmouseover=", re.sub(r'"[^"]*"', '""', html))


def test_pages_hold_no_script_or_style_of_their_own() -> None:
    _load_step(12, {3: PLANTED[7]})
    client = staff()
    for name in ("step", "job", "jobs"):
        html = _html(client, ADDRESSES[name])
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=", html)


def test_the_step_is_the_same_in_chinese() -> None:
    _load_step(2)
    client = staff()
    client.post(reverse("set_language"), {"language": "zh-hans", "next": "/logs/"})
    html = _html(client, page("step", host=None))
    assert '<html lang="zh-hans"' in html
    verdict = re.search(r'<p class="verdict".*?</p>', html)
    assert verdict
    assert "。" in verdict[0]
    assert not re.search(r"[,.](?:<| |$)", re.sub(r"<[^>]+>", "<", verdict[0]))
