"""What pages say of logs that are not simply there: gone, cut, masked, on their way, not yours."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from joblogs.choices import StepType
from joblogs.models import FileLog, HostResult, JobInstance
from tests.builders import HOST, JOB, STEP, Fields, file_log, job, load, result, script_log, step
from tests.pages.page_helpers import PLACE, page, reads, staff, text

pytestmark = pytest.mark.django_db
FILES = ("biz", "2", JOB, 201)
JOB_PAGE = reverse("staff:job", args=PLACE[:3])
HOST_PAGE = reverse("staff:host", args=[HOST])


def _load_expired() -> None:
    load(
        job(),
        step(),
        *[result(host, status=9) for host in (HOST, 102)],
        *[script_log(host=host) for host in (HOST, 102)],
        step(201, step_type=StepType.FILE),
        result(step=201, status=9),
        file_log(step=201, status=4, content="sent\n", offset=0),
    )  # fmt: skip
    JobInstance.objects.update(expired_at=1_700_000_000_000, expired_policy="biz:2 retention 90")


@pytest.mark.parametrize(
    "address",
    [
        JOB_PAGE,
        page("step", host=None),
        page("step", host=None, place=FILES),
        page("log"),
        page("log", place=FILES),
        page("search", host=None) + "?q=hello",
        page("compare"),
        page("compare") + "?to=host&other=102",
    ],
)
def test_pages_say_when_logs_expired_and_by_which_policy(address: str) -> None:
    _load_expired()
    said = text(staff(), address)
    assert "Expired 2023-11-14 22:13 +0000 (biz:2 retention 90)." in said
    for untrue in (
        "Identical",
        "No matching logs",
        "This host has no output",
        "No files have been recorded",
        "not compared yet",
    ):
        assert untrue not in said
    assert reads() == []


def test_lists_tell_of_expired_logs() -> None:
    _load_expired()
    client = staff()
    assert "logs expired" in text(client, reverse("staff:jobs"))
    assert "bytesexpired" in text(client, HOST_PAGE)
    assert "expired" in text(client, page("step", host=None)).partition("Hosts 2")[2]


def test_an_earlier_run_that_expired_is_said_so() -> None:
    load(job(), step(), result(status=9), script_log())
    load(job(300, create_time=1_750_000_000_000), step(301, job=300))
    load(result(job=300, step=301, status=9), script_log(job=300, step=301))
    JobInstance.objects.filter(job_instance_id=JOB).update(
        expired_at=1_700_000_000_000, expired_policy="LOG_RETENTION_DAYS 1"
    )
    said = text(staff(), page("compare", place=("biz", "2", 300, 301)) + "?to=earlier")
    assert "Expired 2023-11-14 22:13 +0000 (LOG_RETENTION_DAYS 1)." in said


@pytest.mark.parametrize(
    ("said", "stored", "words"),
    [
        ({"status": 9}, {"truncated": True}, "truncated: over the size limit"),
        ({"status": 9, "log_size": 1030}, {}, "incomplete: 1.0 KB missing"),
        (
            {"status": 9, "log_size": 6, "log_sha256": "0" * 64},
            {},
            "does not match what was declared",
        ),
        ({"status": 7}, {}, "still receiving"),
        ({"status": 9}, {}, "complete"),
    ],
)
def test_how_whole_a_log_is_stands_on_every_page_about_it(
    said: Fields, stored: Fields, words: str
) -> None:
    load(job(), step(), result(**said), script_log())
    HostResult.objects.update(**stored)
    client = staff()
    for address in (page("step", host=None), page("log"), HOST_PAGE):
        assert words in text(client, address)
    searched = text(client, page("search", host=None) + "?q=nowhere")
    assert ("1 log is incomplete" in searched) == (words != "complete")


def test_masked_parts_are_told_of() -> None:
    load(job(), step(), result(status=9, redacted=[[0, 2]]), script_log("**llo\n"))
    assert "masked" in text(staff(), page("log"))


def test_nothing_yet_is_no_failure() -> None:
    load(job(status=2), step(status=2), result(status=7))
    client = staff()
    assert "Nothing received yet." in text(client, page("log"))
    assert "1 is running. Refresh" in text(client, page("step", host=None))
    assert "No groups yet" in text(client, page("compare"))
    load(job(300))
    empty = reverse("staff:job", args=["biz", "2", 300])
    assert "No steps of this job have been recorded yet." in text(client, empty)


def test_who_may_browse_nothing_is_told_whom_to_ask() -> None:
    load(job())
    assert "You don't have access to any scope yet" in text(
        staff(scope=None), reverse("staff:jobs")
    )
    client = staff("yan", scope=("biz", "3"))
    assert "No jobs have been recorded yet" in text(client, reverse("staff:jobs"))
    assert "No jobs match." in text(client, reverse("staff:jobs") + "?name=x")


def test_a_superuser_on_an_empty_store_reads_how_to_fill_it() -> None:
    client = staff("root", scope=None)
    User.objects.update(is_superuser=True)
    assert "The store is empty. In the admin, add an app" in text(client, reverse("staff:jobs"))
    assert "No jobs match." in text(client, reverse("staff:jobs") + "?name=x")
    load(job())
    assert "The store is empty" not in text(client, reverse("staff:jobs"))


def _not_found(client: Client) -> str:
    response = client.get(page("step", host=None))
    assert response.status_code == 404
    return response.content.decode()


def test_a_page_that_is_not_there_says_so_in_the_same_frame_and_language() -> None:
    load(job(), step())
    charlie = staff("charlie", scope=("biz", "3"))
    assert "Not found, or you do not have access" in _not_found(charlie)
    charlie.post(reverse("set_language"), {"language": "zh-hans", "next": "/logs/"})
    html = _not_found(charlie)
    assert '<html lang="zh-hans"' in html
    assert "restart web" not in html


def test_files_of_hosts_tell_how_far_they_have_come() -> None:
    load(
        job(),
        step(201, step_type=StepType.FILE),
        *[result(host, step=201, status=7, host_name=f"web-{host}") for host in (1, 2)],
        file_log(1, step=201, status=4, process="100%"),
        file_log(1, step=201, status=3, process="50 %", src_path="/data/2.log"),
        file_log(2, step=201, status=3, process="10%"),
    )
    said = text(staff(), page("step", host=None, place=FILES))
    assert "web-[1-2]downloading · from 10.0.0.102 · 2 files · 30 % 30 %" in said
    assert "1 / 2" in said
    assert "75 %" in said
    assert "0 / 1" in said


def test_the_log_of_a_file_is_as_whole_as_that_file() -> None:
    load(
        job(),
        step(201, step_type=StepType.FILE),
        result(step=201, status=9),
        file_log(step=201, status=3, content="half\n", offset=0),
    )
    assert "still receiving" in text(staff(), page("log", place=FILES))
    load(file_log(step=201, status=4))
    FileLog.objects.update(truncated=True)
    assert "truncated: over the size limit" in text(staff("yan"), page("log", place=FILES))


def test_the_address_of_a_step_may_be_anything_in_its_scope() -> None:
    load(job(), step(STEP))
    assert staff().get(page("step", host=None, place=("biz", "2", JOB, 999))).status_code == 404
