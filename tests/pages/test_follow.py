"""Following a log on its page: one text, whatever else begins, and what is said of it meanwhile."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from joblogs.models import JobInstance
from tests.builders import file_log, job, load, result, script_log, step
from tests.pages.page_helpers import page, reads, staff

pytestmark = pytest.mark.django_db


class Follower:
    """A browser that opened a page and asks as its script does."""

    def __init__(self, client: Client, query: str = "") -> None:
        self.client = client
        self.page = client.get(page("log") + query).content.decode()
        (more,) = re.findall(r'data-more="([^"]*)"', self.page)
        (at,) = re.findall(r'data-next="([^"]*)"', self.page)
        masked = re.findall(r'data-masked="([^"]*)"', self.page)
        self.more, self.next = html.unescape(more), int(at)
        self.masked = int(masked[0]) if masked else 0

    def answer(self) -> Any:
        response = self.client.get(f"{self.more}masked={self.masked}&byte={self.next}")
        assert response.status_code == 200
        answer = response.json()
        self.next, self.masked = answer["next"], answer["masked"]
        return answer

    def text(self) -> str:
        return _plain(self.answer()["html"])


def _plain(markup: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", markup))).strip()


def _notice(answer: Any) -> tuple[str, list[str]]:
    """What is said, and where it leads."""
    links = [html.unescape(link) for link in re.findall(r'href="([^"]*)"', answer["notice"])]
    return _plain(answer["notice"]), links


@pytest.fixture
def follower() -> Follower:
    load(job(), step(), result(status=7), script_log("one\n"))
    return Follower(staff())


def test_a_retry_is_told_and_its_text_is_not_put_behind_the_old(follower: Follower) -> None:
    load(script_log("two\n", offset=4), result(status=104))
    load(result(status=7, execute_count=1), script_log("again " * 20, execute_count=1))
    answer = follower.answer()
    assert _plain(answer["html"]) == "2 two"
    assert _notice(answer) == ("Attempt 2 has begun: show it", ["?"])
    assert (answer["grows"], answer["over"]) == (False, False)
    assert "again" in _plain(follower.client.get(page("log") + "?").content.decode())


def test_text_that_comes_late_for_an_attempt_is_still_followed_beside_a_retry(
    follower: Follower,
) -> None:
    load(result(status=7, execute_count=1), script_log("again\n", execute_count=1))
    assert follower.answer()["grows"]
    load(script_log("late\n", offset=4))
    assert follower.text() == "2 late"


@pytest.mark.parametrize("query", ["", "?batch=0", "?attempt=0", "?attempt=0&batch=0"])
def test_the_next_rolling_batch_is_told_and_is_another_text(query: str) -> None:
    load(job(), step(), result(status=7), script_log("one\n"))
    follower = Follower(staff(), query)
    load(result(status=9), result(status=7, batch=1), script_log("batch\n", batch=1))
    answer = follower.answer()
    assert (answer["html"], answer["grows"]) == ("", False)
    assert _notice(answer) == ("Batch 1 has begun: show it", ["?"])


def test_the_link_keeps_how_the_reader_looks_at_text() -> None:
    load(job(), step(), result(status=7), script_log("one\n"))
    follower = Follower(staff(), "?wrap=0&encoding=gb18030&attempt=0")
    load(result(status=7, execute_count=1))
    assert _notice(follower.answer())[1] == ["?encoding=gb18030&wrap=0"]


def test_a_retry_of_an_earlier_batch_does_not_move_what_is_followed() -> None:
    load(job(), step(), *(result(status=7, batch=batch) for batch in (1, 2)))
    load(script_log("a\n", batch=1), script_log("b\n", batch=2))
    follower = Follower(staff())
    load(result(status=7, batch=1, execute_count=1))
    load(script_log("longer than before\n", batch=1, execute_count=1))
    load(script_log("c\n", batch=2, offset=2))
    answer = follower.answer()
    assert _plain(answer["html"]) == "3 c"
    assert _notice(answer)[0] == "Attempt 2 has begun: show it"


def test_an_earlier_batch_that_grows_ends_the_following_and_is_told() -> None:
    load(job(), step(), *(result(status=7, batch=batch) for batch in (1, 2)))
    load(script_log("a\n", batch=1), script_log("b\n", batch=2))
    follower = Follower(staff())
    load(script_log("A\n", batch=1, offset=2))
    answer = follower.answer()
    assert (answer["html"], answer["over"]) == ("", True)
    assert _notice(answer) == ("An earlier part of this log has grown: show it", ["?"])


def test_a_host_that_is_not_run_again_has_no_attempt_that_has_begun(follower: Follower) -> None:
    load(result(status=9, execute_count=1, actual_execute_count=0))
    assert _notice(follower.answer())[0] == ""


def test_the_head_follows_along_until_the_end(follower: Follower) -> None:
    load(script_log("two\n", offset=4))
    head = _plain(follower.answer()["head"])
    assert "still receiving 8 bytes · 2 lines" in head
    load(result(status=104, exit_code=3, log_size=20), script_log("x", offset=8))
    answer = follower.answer()
    assert "incomplete: 11 bytes missing 9 bytes · 3 lines" in _plain(answer["head"])
    assert "exit code 3" in _plain(answer["head"])
    assert answer["grows"] is False


def test_the_head_is_the_pages_own(follower: Follower) -> None:
    (head,) = re.findall(
        r'<header class="log-head" id="log-head">(.*?)</header>', follower.page, re.S
    )
    assert head.strip() == follower.answer()["head"]


def test_the_head_stays_that_of_the_attempt_that_is_shown(follower: Follower) -> None:
    load(result(status=104, exit_code=3), result(status=9, execute_count=1))
    assert "exit code 3" in _plain(follower.answer()["head"])


def test_text_that_expires_meanwhile_is_said_to_be_deleted(follower: Follower) -> None:
    JobInstance.objects.update(expired_at=1_800_000_000_000, expired_policy="biz 2: 30 days")
    answer = follower.answer()
    assert (answer["html"], answer["grows"], answer["over"]) == ("", False, True)
    assert _notice(answer)[0].startswith("Deleted by the retention policy (biz 2: 30 days):")
    assert "expired" in _plain(answer["head"])


def test_a_job_that_was_removed_and_sent_again_is_another_text(follower: Follower) -> None:
    call_command("remove_jobs", "--scope", "biz:2", "--by", "zoe", stdout=io.StringIO())
    load(job(), step(), result(status=7), script_log("one\nother\n"))
    response = follower.client.get(f"{follower.more}byte={follower.next}")
    assert response.status_code == 404
    assert [size for *_, size in reads()] == [4]


def redact(tmp_path: Path, secret: str) -> None:
    texts = tmp_path / "texts"
    texts.write_text(secret)
    call_command("redact_logs", "--texts", str(texts), stdout=io.StringIO())


def test_a_page_learns_that_what_it_shows_was_masked(follower: Follower, tmp_path: Path) -> None:
    load(script_log("my hunter2\ntwo\n", offset=4))
    assert not follower.answer()["stale"]
    load(script_log("then swordfish\n", offset=19))
    redact(tmp_path, "swordfish")
    assert not follower.answer()["stale"]  # it was not shown yet
    redact(tmp_path, "hunter2")
    assert follower.answer()["stale"]
    assert not follower.answer()["stale"]
    assert not Follower(follower.client).answer()["stale"]


def test_a_secret_in_new_text_does_not_make_a_page_stale(follower: Follower) -> None:
    load(script_log("AKIAIOSFODNN7EXAMPLE\n" * 2, offset=4))
    answer = follower.answer()
    assert answer["masked"] > 0
    assert not answer["stale"]
    assert not follower.answer()["stale"]


def test_a_secret_in_new_text_after_hundreds_does_not_make_a_page_stale(follower: Follower) -> None:
    many = "AKIAIOSFODNN7EXAMPLE\n" * 600
    load(script_log(many + "free\n" * 10, offset=4))
    while follower.answer()["behind"]:
        pass
    load(script_log("AKIAIOSFODNN7EXAMPLE\n", offset=4 + len(many) + 50))
    assert not follower.answer()["stale"]


def test_a_masked_batch_before_a_followed_one_makes_a_page_stale(tmp_path: Path) -> None:
    load(job(), step(), result(status=9, batch=1), script_log("hunter2\n", batch=1))
    load(result(status=7, batch=2), script_log("two\n", batch=2))
    follower = Follower(staff())
    assert not follower.answer()["stale"]
    redact(tmp_path, "hunter2")
    assert follower.answer()["stale"]


def test_a_file_that_is_shown_stays_the_one_that_is_followed() -> None:
    load(job(task_type=2), step(step_type=2), result(status=7))
    load(file_log(src_path="/data/2.log", dest_path="/b/2", content="[2]\n", status=3, offset=0))
    follower = Follower(staff())
    load(file_log(src_path="/data/1.log", dest_path="/a/1", content="[1]\n", status=3, offset=0))
    load(file_log(src_path="/data/2.log", dest_path="/b/2", content="two\n", status=3, offset=4))
    assert follower.text() == "2 two"


@pytest.mark.parametrize("pin", ["1", "1.2", "0.0.0", "x", "9.9.9", f"1.2.{2**70}", "1.2.3\n"])
def test_a_pin_that_names_nothing_shows_no_text(follower: Follower, pin: str) -> None:
    address = f"{page('log-more')}?{urlencode({'shown': pin, 'byte': 0})}"
    assert follower.client.get(address).status_code == 404


def test_a_pin_of_another_hosts_text_shows_nothing(follower: Follower) -> None:
    load(job(9, bk_scope_id="9"), step(job=9), result(job=9, status=7))
    load(script_log("theirs\n", job=9))
    theirs = JobInstance.objects.get(job_instance_id=9).steps.get().host_results.get().pk
    address = f"{page('log-more')}?shown={theirs}.0.{theirs}&byte=0"
    assert follower.client.get(address).status_code == 404


def test_statements_do_not_grow_with_the_attempts(follower: Follower) -> None:
    counts = []
    for count in (1, 2, 5):
        load(*(result(status=7, execute_count=number + 1) for number in range(count)))
        with CaptureQueriesContext(connection) as asked:
            follower.answer()
        counts.append(len(asked))
    assert len(set(counts)) == 1


def test_it_is_said_in_chinese(follower: Follower) -> None:
    load(result(status=7, execute_count=1))
    follower.client.cookies["django_language"] = "zh-hans"
    assert _notice(follower.answer())[0] == "第 2 次执行已开始： 显示"
