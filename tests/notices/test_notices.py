"""Notices: what is told of what came in, to whom, and until when."""

from __future__ import annotations

import base64
import datetime
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from joblogs import notices
from joblogs.models import HostResult, LogRead, Notice, NoticeState, NoticeWork, SavedSearch
from tests.builders import Fields, file_log, job, load, result, script_log, step
from tests.notices.receivers import receiving, saved_search

pytestmark = pytest.mark.django_db

FAILED, SUCCEEDED = 4, 3


def send() -> notices.Sent:
    return notices.Sender(at_once=2).run()


def run(number: int, text: str, *, status: int = FAILED, **fields: Any) -> None:
    """A job of one step on one host that printed a text and ended."""
    place: Fields = {"job": number, "step": number + 500}
    code = {"status": 104, "exit_code": 2} if status == FAILED else {"status": 9, "exit_code": 0}
    load(
        job(number, status=status, **fields),
        step(number + 500, job=number, status=status),
        result(1, host_name="web-1", **place, **code),
        script_log(text, host=1, **place),
    )


def test_a_text_that_came_in_is_told_with_the_groups_of_its_step(settings: Any) -> None:
    settings.PUBLIC_URL = "https://logs.example.com"
    with receiving() as receiver:
        saved_search(receiver.address, pattern="No space left", ignores_case=True)
        run(1, "begun\nE: no space LEFT on device\n")
        run(2, "all is well\n")
        send()
        (message,) = receiver.taken
        headers, body = receiver.requests[0]
    assert message["id"] == headers["Webhook-Id"]
    assert (message["type"], message["job_instance_id"]) == ("text.found", 1)
    assert message["sentence"] == "1 failed."
    assert message["matches"] == [{"host": "web-1", "line": "E: no space LEFT on device"}]
    (group,) = message["groups"]
    assert (group["hosts"], group["exit_code"], group["history"]) == ("web-1", 2, "new")
    assert "E: no space LEFT on device" in group["excerpt"]
    assert message["address"] == "https://logs.example.com/logs/biz/2/jobs/1/steps/501/"
    read = LogRead.objects.get()
    assert (read.who, read.channel, read.job_instance_id) == ("zoe", "notice", 1)
    assert read.size > 0


def test_the_receiver_of_the_docs_knows_what_is_genuine() -> None:
    page = (Path(__file__).parents[2] / "docs" / "notices.md").read_text("utf-8")
    code = page.partition("<!-- receiver -->\n```python\n")[2].partition("```")[0]
    receiver_of_docs: dict[str, Any] = {}
    exec(code, receiver_of_docs)  # noqa: S102 - it is ours
    is_genuine = receiver_of_docs["is_genuine"]
    with receiving() as receiver:
        search = saved_search(receiver.address, statuses=[FAILED])
        run(1, "boom\n")
        send()
        headers, body = receiver.requests[0]
    secret = search.secret  # type: ignore[attr-defined]
    assert is_genuine(secret, headers, body)
    assert not is_genuine(secret, headers, body + b" ")
    assert not is_genuine(secret, headers | {"Webhook-Id": "another"}, body)
    assert not is_genuine(secret, headers | {"Webhook-Timestamp": "1700000000"}, body)


def test_what_came_in_pieces_is_found() -> None:
    with receiving() as receiver:
        saved_search(receiver.address, pattern="^needle in a .*stack$", is_regex=True)
        load(job(), step(), result(1))
        for offset, part in ((0, "x" * 40_000 + "\nnee"), (40_004, "dle in a hay"), (40_016, "st")):
            load(script_log(part, host=1, offset=offset))
            send()
        assert receiver.taken == []
        load(script_log("ack\nmore\n", host=1, offset=40_018))
        send()
        assert [one["matches"][0]["line"] for one in receiver.taken] == ["needle in a haystack"]
        load(script_log("needle in a stack\n", host=1, offset=40_027))
        send()
        assert len(receiver.taken) == 1


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8"])
def test_it_is_found_in_every_encoding_and_between_codes(encoding: str) -> None:
    with receiving() as receiver:
        saved_search(receiver.address, pattern="磁盘已满")
        load(job(), step(), result(1), result(2))
        text = ("开始检查磁盘\n" * 3 + "错误：磁盘已满\n").encode(encoding)
        load(
            script_log(None, host=1, content_base64=base64.b64encode(text).decode()),
            script_log("磁\x1b[31m盘已满\x1b[0m\n", host=2),
        )
        send()
        (message,) = receiver.taken
        assert len(message["matches"]) == 2


def test_only_what_a_search_asks_of_is_told() -> None:
    with receiving() as receiver:
        saved_search(receiver.address, name="job", pattern="boom", job_name="deploy [web]*")
        saved_search(receiver.address, name="ended", statuses=[FAILED])
        saved_search(receiver.address, name="both", pattern="boom", statuses=[FAILED])
        run(1, "boom\n", name="deploy [web] now", status=SUCCEEDED)
        run(2, "boom\n", name="deploy w", status=FAILED)
        run(3, "quiet\n", status=FAILED)
        run(4, "boom\n", bk_scope_id="3", name="deploy [web]", status=FAILED)
        send()
        told = sorted((one["search"]["name"], one["job_instance_id"]) for one in receiver.taken)
    assert told == [("both", 2), ("ended", 2), ("ended", 3), ("job", 1)]


def test_a_retry_that_fails_again_is_told_again() -> None:
    with receiving() as receiver:
        saved_search(receiver.address, statuses=[FAILED])
        run(1, "boom\n")
        run(1, "boom\n")
        send()
        load(
            job(1, status=FAILED, execute_count=1),
            step(501, job=1, status=FAILED, execute_count=1),
        )
        send()
        assert len(receiver.taken) == 2


def test_a_file_log_is_told() -> None:
    with receiving() as receiver:
        saved_search(receiver.address, pattern="permission denied")
        load(job(), step(step_type=2), result(1, status=9))
        load(file_log(1, offset=0, content="permission denied\n", status=5))
        send()
        assert len(receiver.taken) == 1


def test_a_receiver_that_fails_gets_each_once_more_under_the_same_id_and_in_order() -> None:
    with receiving(lambda number: 500 if number in (1, 2, 4) else 302 if number == 5 else 200) as r:
        search = saved_search(r.address, statuses=[FAILED])
        for number in range(1, 5):
            run(number, "boom\n")
        for _ in range(6):
            send()
            SavedSearch.objects.filter(pk=search.pk).update(next_try_at=None)
        assert [one["job_instance_id"] for one in r.taken] == [1, 2, 3, 4]
        ids = [headers["Webhook-Id"] for headers, _ in r.requests]
    assert len(ids) == 8
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert len(set(ids)) == 4
    assert set(Notice.objects.values_list("state", flat=True)) == {NoticeState.SENT}


def test_a_receiver_that_fails_is_not_asked_at_once_again() -> None:
    with receiving(lambda number: 500) as receiver:
        saved_search(receiver.address, statuses=[FAILED])
        run(1, "boom\n")
        send()
        send()
        assert len(receiver.requests) == 1


def test_what_fails_for_a_day_is_given_up_and_the_next_one_goes() -> None:
    with receiving(lambda number: 500 if number < 3 else 200) as receiver:
        search = saved_search(receiver.address, statuses=[FAILED])
        run(1, "boom\n")
        run(2, "boom\n")
        send()
        day_before = timezone.now() - datetime.timedelta(hours=24)
        Notice.objects.filter(tries=1).update(first_tried_at=day_before)
        SavedSearch.objects.filter(pk=search.pk).update(next_try_at=None)
        counts = send()
        assert (counts.dead, counts.sent) == (1, 1)
        assert [one["job_instance_id"] for one in receiver.taken] == [2]
    dead = Notice.objects.get(state=NoticeState.DEAD)
    assert dead.detail == "HTTP 500"


def test_who_lost_the_scope_gets_nothing_more_and_the_search_says_so() -> None:
    with receiving() as receiver:
        search = saved_search(receiver.address, pattern="boom")
        run(1, "boom\n")
        notices.match()
        User.objects.get(username="zoe").groups.clear()
        run(2, "boom\n")
        send()
        assert receiver.requests == []
    search.refresh_from_db()
    assert (search.active, search.off_reason) == (False, "no access")
    assert not Notice.objects.filter(state=NoticeState.PENDING).exists()
    assert not LogRead.objects.exists()


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_who_is_no_longer_staff_gets_nothing_more(change: dict[str, bool]) -> None:
    with receiving() as receiver:
        saved_search(receiver.address, pattern="boom")
        run(1, "boom\n")
        User.objects.filter(username="zoe").update(**change)
        send()
        assert receiver.requests == []


def test_what_was_masked_meanwhile_is_not_told(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.write_text("hunter2-and-more")
    with receiving() as receiver:
        saved_search(receiver.address, pattern="hunter2")
        saved_search(receiver.address, name="ended", statuses=[FAILED])
        run(1, "is it hunter2-and-more\n")
        notices.match()
        call_command("redact_logs", "--texts", str(texts), stdout=io.StringIO())
        send()
        (message,) = receiver.taken
    assert message["search"]["name"] == "ended"
    assert "hunter2" not in json.dumps(message)
    assert Notice.objects.get(state=NoticeState.DROPPED).detail == "no longer there"


def test_what_was_removed_or_has_expired_meanwhile_is_not_told(settings: Any) -> None:
    settings.LOG_RETENTION_DAYS = 30
    with receiving() as receiver:
        saved_search(receiver.address, pattern="boom")
        run(1, "boom\n")
        run(2, "boom\n")
        notices.match()
        call_command("remove_jobs", "--job", "1", stdout=io.StringIO(), stderr=io.StringIO())
        call_command("maintain_logs", stdout=io.StringIO())
        send()
        assert receiver.requests == []
    assert Notice.objects.get().detail == "expired"


def test_no_row_holds_text() -> None:
    saved_search("http://127.0.0.1:9/", pattern="boom")
    run(1, "a secret boom\n")
    work = NoticeWork.objects.all()
    assert all(b"boom" not in bytes(row.numbers) for row in work)
    notices.match()
    rows = list(Notice.objects.values())
    assert rows
    assert "boom" not in str(rows)


def test_nothing_is_written_down_where_nobody_waits_for_it() -> None:
    saved_search("http://127.0.0.1:9/", pattern="boom", active=False)
    run(1, "boom\n")
    assert not NoticeWork.objects.exists()


def test_ingest_asks_no_more_for_a_hundred_searches_than_for_one() -> None:
    counts = []
    for number in (1, 2):
        run(number, "warm\n")
        saved_search("http://127.0.0.1:9/", pattern="boom")
        with CaptureQueriesContext(connection) as queries:
            run(number + 10, "boom\n")
        ours = [query for query in queries if "notice" in query["sql"]]
        counts.append(len(ours))
        for _ in range(99):
            saved_search("http://127.0.0.1:9/", pattern="boom")
    assert counts == [2, 2]  # what came in, and that it ended


def test_a_search_whose_secret_is_gone_is_switched_off(settings: Any) -> None:
    with receiving() as receiver:
        search = saved_search(receiver.address, statuses=[FAILED])
        run(1, "boom\n")
        settings.SECRET_KEY = "another"
        send()
        assert receiver.requests == []
    search.refresh_from_db()
    assert search.off_reason == "no secret"


def test_a_notice_goes_by_mail(settings: Any, mailoutbox: list[Any]) -> None:
    settings.NOTICE_CHANNELS = ("webhook", "mail")
    saved_search("ops@example.com", channel="mail", pattern="boom", language="zh-hans")
    run(1, "boom at night\n")
    send()
    (mail,) = mailoutbox
    assert mail.to == ["ops@example.com"]
    assert "boom at night" in mail.body
    assert "1 台执行失败。" in mail.body


def test_a_mailbox_of_no_name_holds_up_no_other_notice(
    settings: Any, mailoutbox: list[Any]
) -> None:
    settings.NOTICE_CHANNELS = ("webhook", "mail")
    too_long = f"ops@{'é' * 60}.com"
    saved_search(too_long, channel="mail", pattern="boom")
    saved_search("ops@example.com", channel="mail", pattern="boom")
    run(1, "boom at night\n")
    counts = send()
    assert (counts.sent, counts.failed) == (1, 1)
    assert [mail.to for mail in mailoutbox] == [["ops@example.com"]]
    assert Notice.objects.get(state=NoticeState.PENDING).search.target == too_long


def test_the_command_sends_and_says_how_many() -> None:
    with receiving() as receiver:
        saved_search(receiver.address, statuses=[FAILED])
        run(1, "boom\n")
        out = io.StringIO()
        call_command("send_notices", stdout=out)
        assert len(receiver.taken) == 1
    assert out.getvalue().startswith("Done: 1 notices sent")


def test_the_beginning_of_a_long_line_is_found_behind_many_pieces() -> None:
    with receiving() as receiver:
        saved_search(receiver.address, pattern="^begun .* ended$", is_regex=True)
        load(job(), step(), result(1))
        line, offset = "begun " + "x" * 5_000 + " ended\n", 0
        for start in range(0, len(line), 700):
            part = line[start : start + 700]
            load(script_log(part, host=1, offset=offset))
            offset += len(part)
            send()
        assert len(receiver.taken) == 1


@pytest.mark.parametrize("pattern", ["", "No space"])
def test_a_log_that_cannot_be_read_holds_up_no_other_notice(pattern: str) -> None:
    with receiving() as receiver:
        saved_search(receiver.address, pattern=pattern, statuses=[FAILED])
        run(1, "No space left\n")
        run(2, "No space left\n")
        HostResult.objects.filter(step__step_instance_id=501).update(held_size=99)
        send()
        told = {message["job_instance_id"]: message for message in receiver.taken}
    # How the step ended is known; what a damaged log holds is not.
    assert list(told) == ([2] if pattern else [1, 2])
    assert told[2]["groups"][0]["excerpt"] == ["No space left"]
    assert pattern or told[1]["groups"][0]["excerpt"] == []


def test_a_search_with_an_address_of_no_name_holds_up_no_other() -> None:
    with receiving() as receiver:
        saved_search("http://a..b/", statuses=[FAILED])
        saved_search(receiver.address, statuses=[FAILED])
        run(1, "No space left\n")
        counts = send()
        assert len(receiver.taken) == 1
    assert (counts.sent, counts.failed) == (1, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_bytes_that_may_become_a_mask_are_not_told(encoding: str) -> None:
    place: Fields = {"job": 1, "step": 501}
    begun = "deploy of all the shops with password=hunt".encode(encoding).decode()
    with receiving() as receiver:
        saved_search(receiver.address, pattern="deploy")
        load(job(1, status=2), step(501, job=1, status=2), result(1, **place))
        load(script_log(begun, host=1, **place))
        send()
        (message,) = receiver.taken
        load(script_log("er2\n".encode(encoding).decode(), host=1, offset=len(begun), **place))
    assert HostResult.objects.get().masked == 1
    (match,) = message["matches"]
    assert match["line"].startswith("deploy")
    assert "hunt" not in str(message)


def test_what_a_search_that_was_switched_off_did_not_send_is_forgotten_later() -> None:
    search = saved_search("http://127.0.0.1:9/", statuses=[FAILED])
    run(1, "No space left\n")
    notices.match()
    search.owner.groups.clear()
    send()
    assert Notice.objects.get().state == NoticeState.DROPPED
    Notice.objects.update(ended_at=F("ended_at") - datetime.timedelta(days=31))
    send()
    assert not Notice.objects.exists()
