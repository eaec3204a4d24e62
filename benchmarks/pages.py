"""Pages for staff: a step of many hosts, and a search."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client as TestClient
from django.test.utils import CaptureQueriesContext

from . import client
from .client import Client
from .filling import Filled
from .measuring import Finding, interleaved, ratio
from .reading import Question, asking, beside
from .servers import FLOOR, OURS, Server, serving

SOUGHT = "pool exhausted, waited 1"


def log_page(database: str, server: Server, packed: Filled, merged: Filled, rounds: int) -> Finding:
    """The page of one host of a packed step, against that of a step in chunks."""
    cookie = {"Cookie": f"sessionid={_session()}"}
    runs = [
        asking(server, client.get(f"{_path(each)}hosts/{each.hosts[7]}/", cookie), times=20)
        for each in (packed, merged)
    ]
    return beside(database, "page of a host from packs", "from chunks", 1.15, *runs, rounds=rounds)


def step_page(database: str, filled: Filled, rounds: int, *, output: str) -> list[Finding]:
    """The page of a step with some kind of output, against its host results as bare JSON by the
    floor."""
    path, cookie = _path(filled), _session()
    browser = TestClient(SERVER_NAME="localhost")
    browser.cookies["sessionid"] = cookie
    with CaptureQueriesContext(connection) as captured:
        page = browser.get(path)
    if page.status_code != 200:
        raise SystemExit(f"the page of a step answered {page.status_code}")
    with serving(OURS) as ours, serving(FLOOR) as floor:
        bare = client.post("/", b'{"step":%d}' % filled.row.pk)
        runs = {
            "page": asking(ours, client.get(path, {"Cookie": f"sessionid={cookie}"})),
            "bare": asking(floor, bare),
        }
        taken = interleaved(runs, rounds=rounds)
        size = Client(floor.port).ask(bare).size
    found = ratio(taken["page"], taken["bare"])
    case = f"step page, {len(filled.hosts):,} hosts, {output}"
    count = len(captured)
    milliseconds = sorted(taken["page"])[len(taken["page"]) // 2] * 1000
    note = f"{milliseconds:.0f} ms, {len(page.content):,} bytes; JSON {size:,} bytes"
    return [
        Finding(database, case, "≤ 15 statements", str(count), count <= 15),
        Finding(database, case, "≤ 3 × bare JSON", found.shown(), found.median <= 3, note),
    ]


def search(database: str, filled: Filled, question: Question, rounds: int) -> list[Finding]:
    """Text looked for in a step, by an integration and by a person, against reading all of it."""
    with serving(OURS) as ours:
        address = f"{_path(filled)}search/?q={SOUGHT.replace(' ', '+')}"
        runs = {
            "grep": asking(ours, question.ours(grep=SOUGHT)),
            "page": asking(ours, client.get(address, {"Cookie": f"sessionid={_session()}"})),
            "read": asking(ours, question.ours()),
        }
        taken = interleaved(runs, rounds=rounds)
    found = []
    for name, how in (("grep", "by the API"), ("page", "on the page")):
        times = ratio(taken[name], taken["read"])
        middle = sorted(taken[name])[len(taken[name]) // 2] * 1000
        case = f"search of {len(question.hosts)} × {filled.size // 1024} KB for a literal, {how}"
        reached = times.median <= 2
        found.append(
            Finding(database, case, "≤ 2 × batch read", times.shown(), reached, f"{middle:.0f} ms")
        )
    return found


def _path(filled: Filled) -> str:
    return f"/logs/biz/2/jobs/{filled.job}/steps/{filled.step}/"


def _session() -> str:
    user, _ = get_user_model().objects.get_or_create(
        username="bench", defaults={"is_staff": True, "is_superuser": True}
    )
    browser = TestClient()
    browser.force_login(user)
    return browser.cookies["sessionid"].value
