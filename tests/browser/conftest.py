"""A browser for each file, and one server of the demo for all who only look at it."""

from __future__ import annotations

import os
import re
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

from tests.browser.browser_scenes import SCENES
from tests.builders import lines
from tests.serving import Server, manage, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    warnings.warn("NO CHROMIUM: the pages were not tried in a browser", stacklevel=1)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("NO CHROMIUM on this machine")
    # Playwright keeps an event loop in this thread, which Django takes for an asynchronous caller.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass(frozen=True)
class Demo:
    """The demo, served: where it is, and who may look at it."""

    server: Server
    password: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    if CHROMIUM is None:
        pytest.skip("NO CHROMIUM on this machine")
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        pytest.skip("pages look the same from both databases: they are looked at on SQLite")
    with serving(tmp_path_factory.mktemp("demo"), workers=1) as server:
        said = manage(server.environment, "demo", "--no-serve")
        found = re.search(r"user demo, password (\S+)", said)
        assert found
        assert server.post(lines(*SCENES))["data"]["refused"] == []
        yield Demo(server, found[1])


@pytest.fixture(scope="module")
def logged_in(browser: Browser, demo: Demo) -> StorageState:
    """What the browser of a person keeps who has logged in."""
    context = browser.new_context(base_url=demo.url)
    page = context.new_page()
    log_in(page, demo)
    state = context.storage_state()
    context.close()
    return state


def log_in(page: Page, demo: Demo) -> None:
    page.goto("/logs/")
    page.get_by_label("Username:").fill("demo")
    page.get_by_label("Password:").fill(demo.password)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Jobs", exact=True).wait_for()


@pytest.fixture
def context(browser: Browser, demo: Demo, logged_in: StorageState) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url=demo.url,
        storage_state=logged_in,
        locale="en",
        permissions=["clipboard-read", "clipboard-write"],
        viewport={"width": 1280, "height": 900},
    )
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def screen(context: BrowserContext, demo: Demo) -> Iterator[Page]:
    """A page in which nothing may go wrong unseen, and that may ask no other host."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(demo.url) else faults.append(asked.url),
    )
    page.on("response", lambda got: faults.append(got.url) if got.status >= 400 else None)
    yield page
    assert faults == []
