"""Following the logs of a whole step by a cursor: every byte of every host once, in order."""

from __future__ import annotations

import base64
import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from joblogs.errors import BadRequest
from joblogs.models import JobInstance, LogRead
from joblogs.query.follow import Cursor, Position
from tests import builders
from tests.builders import job, load, result, script_log, step

URL = "/api/v1/biz/2/jobs/100/steps/200/follow"
Key = tuple[int, int]

pytestmark = pytest.mark.django_db


@pytest.fixture
def headers() -> dict[str, str]:
    return builders.credentials()


@pytest.fixture
def groups(headers: dict[str, str]) -> Callable[[], Any]:
    """The groups of the step's summary."""
    url = URL.replace("follow", "summary")
    return lambda: Client().get(url, headers=headers).json()["data"]["groups"]


@pytest.fixture
def post(headers: dict[str, str]) -> Callable[..., Any]:
    client = Client()

    def post(**body: Any) -> Any:
        return client.post(URL, body, content_type="application/json", headers=headers).json()

    return post


class Follower:
    """A client that keeps what it was sent, by host and attempt, and checks that nothing is lost or
    comes twice."""

    def __init__(self, post: Callable[..., Any], **options: Any) -> None:
        self.post, self.options, self.cursor = post, options, None
        self.texts: dict[Key, bytes] = defaultdict(bytes)
        self.statuses: dict[Key, int] = {}
        self.finished = False

    def ask(self) -> dict[str, Any]:
        """Ask once."""
        said = self.options | ({"cursor": self.cursor} if self.cursor else {})
        envelope = self.post(**said)
        assert envelope["code"] == 0, envelope
        data: dict[str, Any] = envelope["data"]
        for host in data["hosts"]:
            key = host["bk_host_id"], host["execute_count"]
            assert host["offset"] == len(self.texts[key])
            text = host.get("content", "").encode()
            self.texts[key] += text or base64.b64decode(host.get("content_base64", ""))
            self.statuses[key] = host["status"]
        self.cursor, self.finished = data["cursor"], data["finished"]
        return data

    def catch_up(self) -> None:
        """Ask until there is no more for now."""
        while self.ask()["more"]:
            pass


def test_text_comes_once_and_a_change_of_status_without_text(post: Any) -> None:
    load(job(status=2), step(status=2), result(status=7), script_log("one\n"))
    follower = Follower(post)
    follower.catch_up()
    assert (follower.texts, follower.statuses) == ({(101, 0): b"one\n"}, {(101, 0): 7})
    assert follower.ask()["hosts"] == []
    load(script_log("two\n", offset=4))
    assert [host["content"] for host in follower.ask()["hosts"]] == ["two\n"]
    load(result(status=9, exit_code=0))
    (host,) = follower.ask()["hosts"]
    assert (host["content"], host["status"], host["exit_code"], host["state"]) == (
        *("", 9, 0, "complete"),
    )
    assert not follower.finished
    load(step(status=3))
    assert follower.ask()["finished"]


def test_a_retry_is_another_attempt(post: Any) -> None:
    load(job(), step(), result(status=11), script_log("bad\n"))
    follower = Follower(post)
    follower.catch_up()
    load(result(status=9, execute_count=1), script_log("good\n", execute_count=1))
    follower.catch_up()
    assert follower.texts == {(101, 0): b"bad\n", (101, 1): b"good\n"}


def test_hosts_and_statuses_are_chosen(post: Any) -> None:
    load(job(), step(), *(result(host, status=9 if host < 103 else 11) for host in range(101, 105)))
    assert {host for host, _ in _followed(post, host_id_list=[101, 104])} == {101, 104}
    assert {host for host, _ in _followed(post, status_list=[11])} == {103, 104}
    assert {host for host, _ in _followed(post, status_list=[11], host_id_list=[101])} == set()


def test_a_group_of_the_summary_is_chosen_and_stays_chosen(post: Any, groups: Any) -> None:
    statuses = {101: 9, 102: 9, 103: 11, 104: 11}
    load(job(), step(), *(result(host, status=status) for host, status in statuses.items()))
    load(*(script_log("one\n", host=host) for host in statuses))
    (key,) = [one["key"] for one in groups() if one["status"] == 11]
    follower = Follower(post, group=key)
    follower.catch_up()
    assert set(follower.statuses) == {(103, 0), (104, 0)}
    # Groups change with what comes; whom it follows does not.
    retry = {"execute_count": 1}
    load(step(execute_count=1), result(103, status=9, **retry), result(101, status=9, **retry))
    load(script_log("two\n", host=103, **retry), script_log("two\n", host=101, **retry))
    follower.catch_up()
    assert set(follower.statuses) == {(103, 0), (104, 0), (103, 1)}
    assert follower.texts[103, 1] == b"two\n"


@pytest.mark.parametrize(
    "options",
    [{"group": "0" * 12}, {"group": "x"}, {"group": 7}, {"group": "0" * 12, "host_id_list": [1]}],
)
def test_a_group_that_is_none_is_refused(post: Any, options: Any) -> None:
    load(job(), step(), result(status=9), script_log("one\n"))
    envelope = post(**options)
    assert (envelope["code"], envelope["data"]) == (1240003, None)
    assert "group" in envelope["message"]


def test_following_a_group_asks_as_often_for_many_hosts(post: Any, groups: Any) -> None:
    load(job(), step(), *(result(host, status=9) for host in range(101, 131)), result(7, status=11))
    counts = {}
    for group in groups():
        with CaptureQueriesContext(connection) as queries:
            Follower(post, group=group["key"]).ask()
        counts[group["host_count"]] = len(queries)
    assert counts[30] == counts[1]


def _followed(post: Any, **options: Any) -> dict[Key, int]:
    follower = Follower(post, **options)
    follower.catch_up()
    return follower.statuses


def test_a_loud_host_starves_nobody(post: Any) -> None:
    load(job(), step(), *(result(host, status=7) for host in range(101, 141)))
    load(script_log("y" * 200_000 + "\n", host=101))
    load(*(script_log(f"host {host}\n", host=host) for host in range(102, 141)))
    follower = Follower(post, max_bytes=20_000)
    follower.ask()
    follower.ask()
    follower.ask()
    assert all(follower.texts[host, 0] for host in range(101, 141))
    follower.catch_up()
    assert follower.texts[101, 0] == b"y" * 200_000 + b"\n"


def test_bytes_that_may_become_part_of_a_mask_wait_until_they_are_settled(post: Any) -> None:
    load(job(), step(), result(status=7), script_log("start\nexport DB_PASSW"))
    follower = Follower(post)
    follower.catch_up()
    assert follower.texts[101, 0].startswith(b"start\n")
    load(script_log("ORD=Hunter2Hunter2x\nnext\n", offset=21))
    load(result(status=9))
    follower.catch_up()
    stored = Client().get(
        URL.replace("follow", "hosts/101/log"), headers=builders.credentials("reader")
    )
    assert follower.texts[101, 0] == b"".join(stored.streaming_content)  # type: ignore[attr-defined]
    assert b"Hunter2" not in follower.texts[101, 0]


def test_a_character_is_not_cut_and_other_bytes_come_as_base64(post: Any) -> None:
    load(job(), step(), result(status=7), script_log("三三三三"))
    follower = Follower(post, max_bytes=4)
    assert [host["content"] for host in follower.ask()["hosts"]] == ["三"]
    follower.catch_up()
    raw = base64.b64encode(b"\xff\xfe\x00").decode()
    load(result(103, status=9), script_log(None, host=103, content_base64=raw))
    follower.catch_up()
    assert follower.texts[101, 0] == "三三三三".encode()
    assert follower.texts[103, 0] == b"\xff\xfe\x00"


def test_what_has_expired_is_said_once(post: Any) -> None:
    load(job(), step(), result(status=9), script_log("one\n"))
    follower = Follower(post)
    follower.catch_up()
    JobInstance.objects.update(expired_at=1_700_000_000_000)
    assert [host["state"] for host in follower.ask()["hosts"]] == ["expired"]
    assert follower.ask()["hosts"] == []
    assert [host["state"] for host in Follower(post).ask()["hosts"]] == ["expired"]


@pytest.mark.parametrize("cursor", ["guessed", "eyJhIjoxfQ:1rX:abc", "x" * 300_000, 7, ["a"]])
def test_another_cursor_is_refused(post: Any, cursor: Any) -> None:
    load(job(), step(), result(status=9))
    envelope = post(cursor=cursor)
    assert (envelope["code"], envelope["result"]) == (1240003, False)
    assert "cursor" in envelope["message"]


def test_a_cursor_of_another_step_is_refused(post: Any) -> None:
    load(job(), step(), step(201), result(status=9))
    cursor = post()["data"]["cursor"]
    other = Client().post(
        URL.replace("200", "201"),
        {"cursor": cursor},
        content_type="application/json",
        headers=builders.credentials("reader"),
    )
    assert other.json()["code"] == 1240003


def test_an_answer_is_bounded_and_a_step_larger_than_one_comes_in_several(post: Any) -> None:
    hosts = range(1, 2_501)
    load(job(), step(), *(result(host, status=7) for host in hosts))
    load(*(script_log("y" * (host % 97) + "\n", host=host) for host in hosts))
    follower = Follower(post)
    assert len(follower.ask()["hosts"]) == 2_000
    follower.catch_up()
    assert {host: len(text) for (host, _), text in follower.texts.items()} == {
        host: host % 97 + 1 for host in hosts
    }


@pytest.mark.parametrize(("hosts", "fits"), [(20_000, True), (200_000, False)])
def test_a_cursor_holds_20_000_hosts_and_asks_for_fewer_beyond(hosts: int, fits: bool) -> None:
    chance = random.Random(1)  # noqa: S311 - a test
    positions = {
        chance.randrange(10**12): Position(chance.randrange(10**6), chance.choice([7, 2**32 - 1]))
        for _ in range(hosts)
    }
    cursor = Cursor(1, 0, positions)
    if fits:
        assert len(cursor.signed()) < 256 * 1024
    else:
        with pytest.raises(BadRequest, match="host_id_list"):
            cursor.signed()


def test_a_poll_is_recorded_and_asks_as_often_for_many_hosts(post: Any) -> None:
    load(job(), step(), *(result(host, status=7) for host in range(101, 151)))
    load(*(script_log("one\n", host=host) for host in range(101, 151)))
    Follower(post).ask()
    with CaptureQueriesContext(connection) as many:
        Follower(post).ask()
    with CaptureQueriesContext(connection) as few:
        Follower(post, host_id_list=[101]).ask()
    assert len(many) == len(few)
    (read,) = LogRead.objects.all()
    assert (read.channel, read.size, read.answers) == ("follow", 404, 3)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.slow
def test_whatever_comes_and_whenever_it_is_asked_every_byte_comes_once(
    post: Any, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test
    load(job(status=2), step(status=2))
    logs = {(host, attempt): _printed(chance) for host in range(101, 107) for attempt in range(2)}
    sent = dict.fromkeys(logs, 0)
    follower = Follower(post, max_bytes=chance.choice([7, 100, 10_000]))
    open_logs = [key for key in logs if key[1] == 0]
    load(*(result(host, status=7) for host, _ in open_logs))
    while open_logs:
        host, attempt = key = chance.choice(open_logs)
        size = chance.randrange(1, 300)
        piece = logs[key][sent[key] : sent[key] + size]
        if piece:
            raw = base64.b64encode(piece).decode()
            more: dict[str, Any] = {
                "execute_count": attempt,
                "offset": sent[key],
                "content_base64": raw,
            }
            load(script_log(None, host=host, **more))
        sent[key] += len(piece)
        if sent[key] == len(logs[key]):
            load(result(host, execute_count=attempt, status=9 if attempt else 11))
            open_logs.remove(key)
            if not attempt:
                load(result(host, execute_count=1, status=7))
                open_logs.append((host, 1))
        if chance.random() < 0.5:
            follower.ask()
    load(step(status=3))
    follower.catch_up()
    assert follower.finished
    assert {key: len(text) for key, text in follower.texts.items()} == {
        key: len(text) for key, text in logs.items()
    }
    assert all(follower.texts[key] == _stored(*key) for key in logs)


def _printed(chance: random.Random) -> bytes:
    words = ["ok", "三", "password=Hunter2Hunter2", "\n", "AKIAABCDEFGHIJKLMNOP", "\x1b[31m", "é"]
    return " ".join(chance.choices(words, k=chance.randrange(1, 60))).encode()


def _stored(host: int, attempt: int) -> bytes:
    path = URL.replace("follow", f"hosts/{host}/log?execute_count={attempt}")
    response: Any = Client().get(path, headers=builders.credentials("reader"))
    return b"".join(response.streaming_content)
