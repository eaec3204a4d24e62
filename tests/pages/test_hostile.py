"""What machines print, and what they call themselves, does nothing on any page."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from joblogs.choices import StepType
from joblogs.models import JobInstance, Scope
from tests.builders import HOST, JOB, STEP, Fields, file_log, job, load, result, script_log, step
from tests.pages.page_helpers import PLACE, html, page

pytestmark = pytest.mark.django_db
FILES = ("biz", "2", JOB, 201)
EVIL = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7|add:7 }}{% now 'Y' %}"
    "\x1b]0;owned\x07\x1b]8;;javascript:alert(3)\x1b\\link\x1b]8;;\x1b\\\x1b[2J\x1b[31mred\x9b31m"
    "\u202egpj.exe\u2066\u200f\u2028\x01 onmouseover=alert(4) "
)
PAGES = [
    reverse("staff:jobs"),
    reverse("staff:jobs") + "?name=%3Cscript%3E&host=%E2%80%AE&number=%22",
    reverse("staff:job", args=PLACE[:3]),
    page("step", host=None),
    page("step", host=None) + "?alike=identical&q=%3Cscript%3E%E2%80%AE",
    page("step", host=None, place=FILES),
    page("log"),
    page("log") + "?line=%3Cscript%3E",
    page("log", place=FILES),
    page("search", host=None) + "?q=alert",
    page("search", host=None) + "?q=%3Cscript%3E(&regex=1",
    page("search", host=None, place=FILES) + "?q=alert",
    page("compare"),
    page("compare") + "?to=host&other=%22%3E%3Cscript%3E&view=inline&masks=0&all=1",
    page("compare") + "?to=host&other=103&view=inline&masks=0&all=1",
    reverse("staff:host", args=[HOST]),
    *(
        reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")
        for model in admin.site._registry
        if model._meta.app_label == "joblogs"
    ),
]
UNSEEN = "\x00\x01\x07\x1b\x9b\u200f\u202e\u2028\u2066"


class _Markup(HTMLParser):
    """What a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        ours = (
            said.get("src", "").startswith(("/static/", "/admin/jsi18n/"))
            or said.get("type") == "application/json"
        )
        if tag in ("script", "img", "iframe", "object", "embed") and not ours:
            self.faults.append(f"{tag} {said}")
        for name, value in said.items():
            followed = name in ("href", "src", "action", "formaction")
            elsewhere = urlsplit(value).scheme or value.startswith("//")
            if name.startswith("on") or name == "style" or "{{" in name:
                self.faults.append(f"{tag} {name}={value}")
            if followed and elsewhere:
                self.faults.append(f"{tag} {name}={value}")


def _load() -> None:
    name: Fields = {"name": EVIL[:256]}
    host: Fields = {"host_name": EVIL[:256], "tag": EVIL[:256], "status": 104, "exit_code": 1}
    path = f"/data/{EVIL}"
    load(
        job(operator=EVIL[:60], **name),
        step(STEP, **name),
        *[result(number, **host) for number in (HOST, 102)],
        *[script_log(f"{EVIL}\nsame\n{EVIL}{number}\n", host=number) for number in (HOST, 102)],
        result(103, status=9, host_name="web-3"),
        script_log("same\nbut fine\n", host=103),
        step(201, step_type=StepType.FILE, **name),
        result(step=201, **host),
        file_log(
            step=201, status=4, src_path=path, dest_path=path, content=EVIL, offset=0,
            process=EVIL[:32], size=EVIL[:32], speed=EVIL[:32],
        ),
    )  # fmt: skip
    Scope.objects.update(name=EVIL[:200])


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", first_name="<script>x"))
    return client


def test_on_every_page_it_is_text(root: Client) -> None:
    _load()
    for address in PAGES:
        shown = html(root, address)
        markup = _Markup()
        markup.feed(shown)
        assert markup.faults == [], address
        assert [char for char in UNSEEN if char in shown] == [], address
    assert "⟨U+202E⟩gpj.exe" in html(root, page("step", host=None))


def test_a_policy_and_a_holder_are_text_too(root: Client) -> None:
    _load()
    JobInstance.objects.update(
        expired_at=1, expired_policy=EVIL[:256], held_at="2026-01-01T00:00:00Z", held_by=EVIL[:256]
    )
    for address in (PAGES[0], PAGES[2], page("step", host=None), page("log")):
        markup = _Markup()
        markup.feed(html(root, address))
        assert markup.faults == []


@pytest.mark.slow
def test_two_megabytes_without_a_newline_make_a_small_page_everywhere(root: Client) -> None:
    load(
        job(), step(), *[result(number, status=9 + 95 * (number - HOST)) for number in (HOST, 102)]
    )
    for number in (HOST, 102):
        for at in range(2):
            text = f"{number}x\x1b[1m<b>" * 100_000
            load(script_log(text, host=number, offset=at * len(text)))
    for address in (
        page("step", host=None),
        page("log"),
        page("log") + "?byte=1000000",
        page("search", host=None) + "?q=x",
        page("compare") + "?to=host&other=102",
    ):
        assert len(html(root, address)) < 500_000, address


SEQUENCES = [
    f"{opening}{parameters}{end}"
    for opening in ("\x1b[", "\x1b]", "\x1bP", "\x1b", "\x9b")
    for parameters in ("38;5:1", "38:5;1", "48;2;1:2;3", "38;2", "38;;", ":", ";:;", "4:", "9" * 30)
    for end in ("m", "M", "\x07", "\x1b\\", "")
]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_whatever_a_terminal_sequence_holds_a_page_answers(encoding: str) -> None:
    text = "".join(f"{sequence}error {n}\n" for n, sequence in enumerate(SEQUENCES))
    load(job(), step(), *(result(host, status=9) for host in (HOST, HOST + 1)))
    load(*(script_log(text + str(host), host=host) for host in (HOST, HOST + 1)))
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    for address in (
        page("log") + f"?encoding={encoding}",
        page("log-more") + f"?byte=0&encoding={encoding}",
        page("step", host=None),
        page("search", host=None) + f"?q=error&encoding={encoding}",
        page("compare") + f"?to=host&other={HOST + 1}&encoding={encoding}",
    ):
        assert client.get(address).status_code == 200, address
