"""Two scopes with marked text in them, and everybody who may come and ask."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client

from joblogs import app_tokens
from joblogs.models import (
    App,
    AppGrant,
    AppToken,
    FileLog,
    Host,
    HostResult,
    JobInstance,
    LogRead,
    Scope,
    StepInstance,
)
from tests.builders import Fields, credentials, file_log, job, load, result, script_log, step
from tests.pages.page_helpers import staff

HISTORY: tuple[type[Model], ...] = (
    JobInstance, StepInstance, Host, HostResult, FileLog,
)  # fmt: skip
GONE_KEY = 7_000_000_001


@dataclass(frozen=True)
class Place:
    """What the addresses of one scope's logs are made of, and what is there to be seen."""

    scope: str
    number: int
    """Its ids begin with it."""
    word: str
    """Its names begin with it; what is asked for is never one of the markers."""
    text: str = ""
    """Is in the logs, and nowhere else."""
    facts: tuple[str, ...] = ()
    """Are in what is told about the logs."""
    keys: dict[type[Model], int] = field(default_factory=dict)

    @property
    def job(self) -> int:
        return self.number * 10_000 + 1001

    @property
    def step(self) -> int:
        return self.number * 10_000 + 2001

    @property
    def file_step(self) -> int:
        return self.number * 10_000 + 2002

    @property
    def host(self) -> int:
        return self.number * 10_000 + 3001

    @property
    def other_host(self) -> int:
        return self.number * 10_000 + 3002

    @property
    def host_name(self) -> str:
        return f"{self.word}-web-1"

    @property
    def address(self) -> str:
        return f"10.{self.number % 200}.77.1"

    @property
    def operator(self) -> str:
        return f"{self.word}-zoe"

    @property
    def path(self) -> tuple[object, ...]:
        return ("biz", self.scope, self.job, self.step)

    @property
    def words(self) -> set[str]:
        """What may stand in an answer because the caller said it."""
        ids = (self.job, self.step, self.file_step, self.host, self.other_host, GONE_KEY)
        names = {f"{self.word}-job", f"{self.word}-needle", self.host_name, self.operator}
        return names | {self.address, *map(str, ids)}


def place(scope: str, number: int, word: str) -> Place:
    empty = Place(scope, number, word)
    facts = (f"{word}-fact", str(empty.host), empty.host_name, empty.address, empty.operator)
    return dataclasses.replace(empty, text=f"{word}-secret", facts=facts)


HERE, ELSEWHERE = place("2", 7101, "payroll"), place("3", 7202, "fishing")
GONE = Place("2", 7909, "nothing")
"""Nothing of it exists; its words are as long as those of the others."""


@dataclass(frozen=True)
class Ask:
    """One request."""

    path: str
    method: str = "GET"
    json: Any = None
    form: dict[str, Any] | None = None
    step: int | None = None
    """The step whose reading is recorded."""
    also: tuple[int, ...] = ()
    """Further steps that are read with it."""
    shows: bool = True
    """Whether it answers those who may with what the row says; else with nothing at all."""


@dataclass
class Answer:
    """What came back, all of it."""

    status: int
    headers: dict[str, str]
    body: str

    def without(self, ask: Ask, words: Iterable[str]) -> Answer:
        """The answer less what the caller said itself and what differs by chance."""
        told = sorted({ask.path, *words}, key=len, reverse=True)
        headers = {k: _strip(v, told) for k, v in self.headers.items() if k not in _BY_CHANCE}
        return Answer(self.status, headers, _strip(self.body, told))

    @property
    def everything(self) -> str:
        return f"{self.status}\n{self.headers}\n{self.body}"


_BY_CHANCE = {
    *("Content-Length", "Expires", "Set-Cookie"),
    *("X-Bkapi-Request-Id", "X-Bk-Job-Request-Id", "X-Request-ID"),
}
# A message is about the request before.
_CHANCE = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"|"(?:job_)?request_id":"[^"]*"'
    r'|data-now="\d+"'
    r'|<ul class="messagelist">.*?</ul>',
    re.DOTALL,
)


def _strip(text: str, told: list[str]) -> str:
    for word in told:
        for written in {word, html.escape(word), quote(word), quote(word, safe=""),
                        quote_plus(word)}:  # fmt: skip
            text = text.replace(written, "«»")
    return " ".join(_CHANCE.sub(" ", text).split())


class Caller:
    """Somebody with a way of proving who they are, or none."""

    def __init__(self, name: str, client: Client, headers: dict[str, str] | None = None) -> None:
        self.name, self.client, self.headers = name, client, headers or {}

    def send(self, ask: Ask, *, method: str | None = None) -> Answer:
        data, kind = b"", "application/octet-stream"
        if ask.json is not None:
            data, kind = json.dumps(ask.json).encode(), "application/json"
        if ask.form is not None:
            data = "&".join(f"{quote(k)}={quote(str(v))}" for k, v in ask.form.items()).encode()
            kind = "application/x-www-form-urlencoded"
        response: Any = self.client.generic(
            method or ask.method, ask.path, data, kind, headers=self.headers
        )
        body = response.getvalue().decode(errors="replace")
        return Answer(response.status_code, dict(response.headers), body)


SUPERUSER, STAFF, STAFF_ELSEWHERE = "superuser", "staff", "staff of another scope"
AUDITOR, AUDITOR_ELSEWHERE = "auditor", "auditor of another scope"
APP, APP_ELSEWHERE = "app", "app of another scope"
TOKEN, TOKEN_ELSEWHERE = "token", "token for another scope"
APP_OR_TOKEN = frozenset({APP, TOKEN})
PRODUCER, PRODUCER_ELSEWHERE = "producer", "producer of another scope"
MEMBER, NOBODY = "login without staff", "anyone"

TWINS = {
    STAFF: STAFF_ELSEWHERE,
    AUDITOR: AUDITOR_ELSEWHERE,
    APP: APP_ELSEWHERE,
    TOKEN: TOKEN_ELSEWHERE,
    PRODUCER: PRODUCER_ELSEWHERE,
}
"""Who is to the other scope what somebody is to this one."""
CALLERS = (SUPERUSER, *TWINS, *TWINS.values(), MEMBER, NOBODY)


@dataclass
class World:
    callers: dict[str, Caller]
    here: Place
    elsewhere: Place


def make_world() -> World:
    for where in (HERE, ELSEWHERE):
        _fill(where)
    callers = _people() | _apps()
    for name in (SUPERUSER, AUDITOR, AUDITOR_ELSEWHERE, STAFF, STAFF_ELSEWHERE):
        callers[name].client.cookies["django_language"] = "en"
    here, elsewhere = _keyed(HERE, "staff"), _keyed(ELSEWHERE, "staff-elsewhere")
    LogRead.objects.exclude(pk__in=[here.keys[LogRead], elsewhere.keys[LogRead]]).delete()
    return World(callers, here, elsewhere)


def _fill(where: Place) -> None:
    text = f"{where.word} begins\ndenied: {where.word}-needle {where.text}\nerror: none\n"
    moved = f"{text}{where.text} was not moved\n"
    scope = {"bk_scope_type": "biz", "bk_scope_id": where.scope}
    fact = where.facts[0]
    said: Fields = {"status": 9, "host_name": where.host_name, "ip": where.address, "tag": fact}
    steps: Fields = {"job": where.job}
    load(
        job(where.job, name=f"{where.word}-job {fact}", operator=where.operator, **scope),
        step(where.step, name=f"{where.word} {fact}", **steps),
        result(where.host, step=where.step, **steps, **said),
        script_log(text, host=where.host, step=where.step, **steps),
        result(where.other_host, step=where.step, **steps, status=9, host_name=where.host_name),
        script_log(f"other\n{text}", host=where.other_host, step=where.step, **steps),
        step(where.file_step, name=f"{where.word} {fact}", step_type=2, **steps),
        result(where.host, step=where.file_step, **steps, **said),
        file_log(where.host, step=where.file_step, source=where.other_host, **steps, status=5,
                 dest_path=f"/{fact}", src_path=f"/{fact}", content=moved, offset=0),
    )  # fmt: skip


def _people() -> dict[str, Caller]:
    browsers = {
        STAFF: staff("staff", scope=("biz", HERE.scope)),
        STAFF_ELSEWHERE: staff("staff-elsewhere", scope=("biz", ELSEWHERE.scope)),
        AUDITOR: staff("auditor", scope=("biz", HERE.scope)),
        AUDITOR_ELSEWHERE: staff("auditor-elsewhere", scope=("biz", ELSEWHERE.scope)),
        SUPERUSER: Client(),
        MEMBER: Client(),
        NOBODY: Client(),
    }
    browsers[SUPERUSER].force_login(User.objects.create_superuser("root"))
    browsers[MEMBER].force_login(User.objects.create_user("member"))
    may_see = Permission.objects.get(codename="view_logread")
    for user in User.objects.filter(username__startswith="auditor"):
        user.user_permissions.add(may_see)
    return {name: Caller(name, client) for name, client in browsers.items()}


def _apps() -> dict[str, Caller]:
    made = {}
    for name, scope, write in (
        (APP, HERE.scope, False), (APP_ELSEWHERE, ELSEWHERE.scope, False),
        (PRODUCER, HERE.scope, True), (PRODUCER_ELSEWHERE, ELSEWHERE.scope, True),
    ):  # fmt: skip
        code = name.replace(" ", "-")
        headers = credentials(code, scopes=(("biz", scope),), read=not write, write=write)
        made[name] = Caller(name, Client(), headers)
    for name, scope in ((TOKEN, HERE.scope), (TOKEN_ELSEWHERE, ELSEWHERE.scope)):
        # The app may do more than the token.
        code = name.replace(" ", "-")
        credentials(code, scopes=(("biz", HERE.scope), ("biz", ELSEWHERE.scope)), write=True)
        token = app_tokens.create(
            code=code, name="t", scope=("biz", scope), rights=frozenset({"read"})
        )
        made[name] = Caller(name, Client(), {"Authorization": f"Bearer {token}"})
    return made


def _keyed(where: Place, who: str) -> Place:
    """The place with the keys of its rows, one of which says that somebody read there."""
    of_job = JobInstance.objects.get(job_instance_id=where.job)
    read = LogRead.objects.create(
        at="2026-01-02T03:04:05Z", who=f"{where.operator}", channel="page log",
        scope_type="biz", scope_id=where.scope, job_instance_id=where.job,
        step_instance_id=where.step, host_count=1, size=5,
    )  # fmt: skip
    keys: dict[type[Model], int] = {
        Scope: of_job.scope.pk,
        JobInstance: of_job.pk,
        StepInstance: StepInstance.objects.get(step_instance_id=where.step).pk,
        Host: Host.objects.filter(bk_host_id=where.host).earliest("pk").pk,
        HostResult: HostResult.objects.filter(host_id=where.host).earliest("pk").pk,
        FileLog: FileLog.objects.get(dest_host_id=where.host).pk,
        LogRead: read.pk,
        App: App.objects.get(app_code=APP).pk,
        AppGrant: AppGrant.objects.get(app__app_code=APP).pk,
        AppToken: AppToken.objects.get(app__app_code=TOKEN).pk,
        User: User.objects.get(username=who).pk,
    }
    return dataclasses.replace(where, keys=keys)
