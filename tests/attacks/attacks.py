"""What an attacker tries by HTTP, each against a live server; an attack says how often it tried and
how often it got through."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import stat
import threading
from collections.abc import Callable
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.builders import BATCH, CREATED, Fields, asking, job, lines, result, script_log, step
from tests.serving import Server, manage

NAME, PASSWORD = "attacked", "correct-horse-battery"
RAW = "/api/v1/biz/2/jobs/100/steps/200/hosts/101/log"


class Outcome(NamedTuple):
    """How often an attack was tried, and how often it got through."""

    tried: int
    through: int


def prepare(server: Server) -> None:
    """What the attacks are about: a log, and a login."""
    server.post(lines(job(), step(), result(status=9), script_log("password hunter2\n")))
    own = server.environment | {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    account = ("--noinput", "--username", NAME, "--email", "attacked@example.com")
    manage(own, "createsuperuser", *account)


def times_of_no_calendar(server: Server) -> Outcome:
    """Times that no calendar has, or of the future, which would break lists for every reader."""
    times = [2**53 - 1, CREATED * 1000, 253_402_300_799_999, 9_000_000_000_000]
    through = 0
    for number, time in enumerate(times, 500):
        answer = server.post(lines(job(number, create_time=time)))
        through += answer["data"]["accepted"]
    return Outcome(len(times), through + (_status(server, "GET", "/admin/login/") != 200))


def lines_of_a_million_keys(server: Server) -> Outcome:
    """A record with a million keys, which would cost hundreds of megabytes to read."""
    keys = ",".join(f'"k{n}":0' for n in range(1_000_000))
    answer = server.post(b"{" + keys.encode() + b"}")
    return Outcome(1, answer["data"]["accepted"])


def empty_host_lists(server: Server) -> Outcome:
    """A list that was filtered down to nothing, which would be answered with every host."""
    lists: list[dict[str, Any]] = [
        {"ip_list": []},
        {"host_id_list": []},
        {"ip_list": [], "host_id_list": [], "start": 0},
    ]
    answers = [server.post(json.dumps(asking(**said)).encode(), BATCH) for said in lists]
    return Outcome(len(lists), sum(answer["code"] != 1241007 for answer in answers))


def reads_held_open(server: Server) -> Outcome:
    """Readers that never end their connection, so as to leave no record of what they read."""
    through = 0
    before = _reads(server)
    for tried in range(1, 6):
        with server.answer("GET", RAW) as response:
            response.read(1)
            through += _reads(server) != before + tried
    return Outcome(5, through)


def guesses_at_once(server: Server) -> Outcome:
    """32 guesses of one password at once from one address: more than 10 that are looked at."""
    looked_at: list[int] = []

    def guess() -> None:
        looked_at.append(_login(server, "guessed", client="198.51.100.1")[0])

    threads = [threading.Thread(target=guess) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    admitted = sum(status == 200 for status in looked_at)
    # Each wait that ends meanwhile admits one more: seconds, while 32 guesses take a few.
    return Outcome(32, max(0, admitted - 10 - 3))


def lockouts_from_elsewhere(server: Server) -> Outcome:
    """Failures from five addresses, so that the owner of the name is refused at a sixth."""
    for address in range(5):
        for _ in range(12):
            _login(server, "guessed", client=f"203.0.113.{address}")
    forged = [_login(server, PASSWORD, client=f"203.0.113.1, 192.0.2.{n}")[0] for n in range(3)]
    return Outcome(60 + len(forged), sum(status != 302 for status in forged))


def files_of_others(server: Server) -> Outcome:
    """Another user of the machine who reads the database and what lies beside it."""
    path = Path(server.environment["DATABASE_URL"].removeprefix("sqlite:///"))
    files = [file for file in path.parent.glob(path.name + "*") if file.is_file()]
    return Outcome(len(files), sum(bool(stat.S_IMODE(os.stat(f).st_mode) & 0o077) for f in files))


def terminal_sequences(server: Server) -> Outcome:
    """Logs with terminal sequences that would make their page fail."""
    _, cookie = _login(server, PASSWORD, client="192.0.2.77")
    text = "".join(f"\x1b[{codes}mx\n" for codes in ("38;5:1", "48;2;1:2;3", ":;:", "38;;"))
    server.post(lines(job(600), step(601, job=600), result(102, job=600, step=601, status=9)))
    server.post(lines(script_log(text, host=102, job=600, step=601)))
    pages = ["hosts/102/", "search?q=x", ""]
    statuses = [
        _status(server, "GET", f"/logs/biz/2/jobs/600/steps/601/{page}", cookie=cookie)
        for page in pages
    ]
    return Outcome(len(pages), sum(status >= 500 for status in statuses))


def a_machine_of_another_scope(server: Server) -> Outcome:
    """A writer of another scope that names a machine of ours: to read what it is called here, or to
    be found in its place."""
    other: Fields = {"bk_scope_type": "biz", "bk_scope_id": "3"}
    taken: Fields = {"job": 700, "step": 701, "ip": "172.16.9.9", "host_name": "mallory"}
    sender = _app(server, "neighbour", "--scope=biz:3", "--read", "--write")
    times = {"create_time": CREATED + 1000, "update_time": CREATED + 10**9}
    server.post(
        lines(
            job(700, **other, **times),
            step(701, job=700, **other),
            # More machines of one address than a look-up takes.
            *(result(host, **taken, **other, status=9) for host in range(101, 221)),
        ),
        **sender,
    )
    foreign = [
        _found(server, sender, "3", "10.0.0.101") != [],
        b"10.0.0.101" in _body(server, "/api/v1/biz/3/export?format=ndjson", sender),
        _found(server, {}, "2", "172.16.9.9") != [],
        _found(server, {}, "2", "10.0.0.101") != [100],
        b"172.16.9.9" in _body(server, "/api/v1/biz/2/export?format=ndjson&job=100", {}),
    ]
    return Outcome(len(foreign), sum(foreign))


def guesses_by_a_writer(server: Server) -> Outcome:
    """An app that may write but not read, which asks for each byte of a log whether it is the one,
    by sending it again: one guess a request, then all guesses of a byte in one."""
    hidden, letters = "zyxwvut", "abcdefghijklmnopqrstuvwxyz"
    server.post(lines(job(710), step(711, job=710), result(job=710, step=711, status=7)))
    server.post(lines(script_log(hidden, job=710, step=711)))
    sender = _app(server, "writer", "--scope=biz:2", "--write")

    def is_right(at: int, guesses: str) -> bool:
        pieces = [script_log(guess, offset=at, job=710, step=711) for guess in guesses]
        return bool(server.post(lines(*pieces), **sender)["data"]["duplicates"])

    known = sum(any(is_right(at, guess) for guess in letters) for at in range(len(hidden)))
    at_once = sum(is_right(at, letters) for at in range(len(hidden)))
    return Outcome(len(hidden) * (len(letters) + 1), known + at_once)


def digests_of_masked_logs(server: Server) -> Outcome:
    """The digest of a log with a masked password, by which the password could be guessed."""
    text = "postgresql://joblogs:hunter2!@db/x\n"
    declared: Fields = {
        "log_size": len(text),
        "log_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    records: list[list[Fields]] = [
        [result(job=720, step=721, status=9, **declared), script_log(text, job=720, step=721)],
        [
            result(102, job=720, step=721, status=7),
            script_log(text, host=102, job=720, step=721),
            result(102, job=720, step=721, status=9, update_time=CREATED, **declared),
        ],
        [
            result(103, job=720, step=721, status=7, **declared),
            script_log(text[:25], host=103, job=720, step=721),
            script_log(text[25:], host=103, offset=25, job=720, step=721),
        ],
        # All again, and newer.
        [
            result(host, job=720, step=721, status=9, update_time=CREATED + 1, **declared)
            for host in (101, 102, 103)
        ],
    ]
    server.post(lines(job(720), step(721, job=720)))
    shown = 0
    for body in records:
        server.post(lines(*body))
        exported = _body(server, "/api/v1/biz/2/export?format=ndjson&job=720", {})
        shown += b"log_sha256" in exported or b"hunter2" in exported
    return Outcome(len(records), shown)


ATTACKS: list[tuple[str, Callable[[Server], Outcome]]] = [
    ("times that no calendar has", times_of_no_calendar),
    ("a line of a million keys", lines_of_a_million_keys),
    ("an empty list for every host", empty_host_lists),
    ("a read held open, unrecorded", reads_held_open),
    ("a page broken by a log's colours", terminal_sequences),
    ("locking a login out from elsewhere", lockouts_from_elsewhere),
    ("32 guesses of a password at once", guesses_at_once),
    ("reading the database's files", files_of_others),
    ("a machine claimed by another scope", a_machine_of_another_scope),
    ("a log read by guesses of a writer", guesses_by_a_writer),
    ("the digest of a masked log", digests_of_masked_logs),
]


def _status(server: Server, method: str, path: str, *, cookie: str = "") -> int:
    with server.answer(method, path, Cookie=cookie) as response:
        response.read()
        return response.status


def _app(server: Server, code: str, *rights: str) -> dict[str, str]:
    """The headers of a new app with these rights."""
    secret = manage(server.environment, "create_app", code, *rights).splitlines()[-1]
    keys = {"bk_app_code": code, "bk_app_secret": secret, "bk_username": "mallory"}
    return {"X-Bkapi-Authorization": json.dumps(keys)}


def _body(server: Server, path: str, sender: dict[str, Any]) -> bytes:
    with server.answer("GET", path, **sender) as response:
        assert response.status == 200, response.read()
        return response.read()


def _found(server: Server, sender: dict[str, str], scope: str, address: str) -> list[int]:
    """The jobs of a scope that ran on an address."""
    span = {"create_time_start": CREATED - 1000, "create_time_end": CREATED + 10**6}
    asked = {"bk_scope_type": "biz", "bk_scope_id": scope, "ip": address, "length": 1000} | span
    answer = json.loads(_body(server, f"/api/v3/get_job_instance_list?{urlencode(asked)}", sender))
    return [entry["job_instance_id"] for entry in answer["data"]["data"]]


def _login(server: Server, password: str, *, client: str) -> tuple[int, str]:
    """The status of a login as a client of this address sends it, and the session's cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", "/admin/login/", headers={"X-Forwarded-For": client})
        first = connection.getresponse()
        found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', first.read().decode())
        assert found
        token = SimpleCookie(first.headers["Set-Cookie"])["csrftoken"].value
        said = {"username": NAME, "password": password, "csrfmiddlewaretoken": found[1]}
        headers = {
            "X-Forwarded-For": client,
            "Cookie": f"csrftoken={token}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request("POST", "/admin/login/", urlencode(said | {"next": "/"}), headers)
        answer = connection.getresponse()
        answer.read()
        cookies = SimpleCookie("; ".join(answer.headers.get_all("Set-Cookie") or []))
        session = cookies.get("sessionid")
        return answer.status, f"sessionid={session.value}" if session else ""
    finally:
        connection.close()


COUNT = "from joblogs.models import LogRead; print(LogRead.objects.count())"


def _reads(server: Server) -> int:
    return int(manage(server.environment, "shell", "--no-imports", "-c", COUNT).split()[-1])
