"""Pages of what runs, in a real browser: they update by themselves and keep what a reader does."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, expect
from pytest_django.live_server_helper import LiveServer

from tests.builders import job, load, result, script_log, step
from tests.pages.page_helpers import page as address
from tests.pages.page_helpers import staff

pytestmark = pytest.mark.django_db(transaction=True)
STEP_PAGE = address("step", host=None)
JOB_PAGE = reverse("staff:job", args=["biz", "2", 100])
STARTED = 1_700_000_000_000


def _context(browser: Browser, server: LiveServer, client: Client, **how: object) -> BrowserContext:
    context = browser.new_context(base_url=server.url, locale="en", **how)  # type: ignore[arg-type]
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": server.url}])
    return context


@pytest.fixture
def zoe() -> Client:
    return staff()


@pytest.fixture
def screen(browser: Browser, live_server: LiveServer, zoe: Client) -> Iterator[Page]:
    """A page whose clock the test turns, and in which nothing may go wrong unseen."""
    context = _context(browser, live_server, zoe)
    page = context.new_page()
    page.clock.install(time=STARTED / 1000 + 60)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def _running(*more: dict[str, object]) -> None:
    load(job(status=2, start_time=STARTED), step(status=2, start_time=STARTED))
    hosts = [result(host, status=7, host_name=f"web-{host}") for host in (101, 102, 103)]
    load(*hosts, *more)


def _polls(page: Page) -> list[int]:
    """Statuses of the answers to what the page's script asks from now on."""
    asked: list[Request] = []
    statuses: list[int] = []

    def note(response: Response) -> None:
        # An answer to what was asked before now may show what was there before now.
        if response.request in asked:
            statuses.append(response.status)

    def begin(request: Request) -> None:
        if "x-part" in request.headers:
            asked.append(request)

    page.on("request", begin)
    page.on("response", note)
    return statuses


def _turn(page: Page, seconds: int = 31) -> None:
    """Let the page's clock run on until it has asked again and has been answered."""
    answers = _polls(page)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        page.clock.run_for(seconds * 1000)
        if answers:
            return
    raise AssertionError("the page did not ask again")


def test_a_step_updates_by_itself_until_it_has_ended(screen: Page) -> None:
    _running()
    screen.goto(STEP_PAGE)
    verdict, live = screen.locator(".verdict"), screen.locator("#live-state")
    expect(verdict).to_contain_text("3 are running")
    expect(live).to_contain_text("Updates by itself")
    load(result(101, status=9), result(102, status=104, exit_code=2))
    load(script_log("no space left\n", host=102))
    _turn(screen)
    expect(verdict).to_contain_text("1 succeeded, 1 failed, 1 is running")
    expect(screen.locator(".map a.bad1")).to_have_count(1)
    expect(screen.locator("#hosts + form + .scrolls tbody")).to_contain_text("exit code 2")
    load(result(103, status=9), step(status=4), job(status=4))
    _turn(screen)
    expect(verdict).to_contain_text("2 succeeded, 1 failed.")
    expect(live).to_have_count(0)
    polls = _polls(screen)
    screen.clock.run_for(120_000)
    assert polls == []


def test_what_a_reader_does_is_kept_when_the_page_updates(screen: Page) -> None:
    _running(script_log("one\n"))
    load(result(102, status=104, exit_code=2), script_log("no space left\n", host=102))
    screen.goto(STEP_PAGE)
    screen.locator("details.copy summary").first.click()
    search = screen.get_by_label("name, address or id")
    search.fill("web-10")
    load(result(101, status=9), result(104, status=7, host_name="web-104"))
    _turn(screen)
    expect(screen.locator(".map a")).to_have_count(4)
    expect(search).to_be_focused()
    expect(search).to_have_value("web-10")
    assert screen.locator("details.copy[open]").count() == 1


def test_a_page_without_news_asks_more_seldom(screen: Page) -> None:
    _running()
    screen.goto(STEP_PAGE)
    asked = _polls(screen)
    for _ in range(6):
        _turn(screen)
    assert asked[0] == 200  # now it has a version
    assert set(asked[1:]) == {304}


def test_the_time_that_a_step_runs_is_counted_on(screen: Page) -> None:
    _running()
    screen.goto(STEP_PAGE)
    clock = screen.locator(".meta [data-since]")
    before = clock.inner_text()
    screen.clock.run_for(2_000)
    expect(clock).not_to_have_text(before)


def test_a_job_and_the_list_of_jobs_update_by_themselves(screen: Page) -> None:
    _running()
    screen.goto(reverse("staff:jobs"))
    expect(screen.locator("tbody tr")).to_have_count(1)
    load(job(101, name="another", status=2), step(300, job=101))
    _turn(screen)
    expect(screen.locator("tbody tr")).to_have_count(2)
    screen.goto(JOB_PAGE)
    load(step(201, status=1, name="second"))
    _turn(screen)
    expect(screen.locator("ol.steps > li")).to_have_count(2)


def test_a_page_that_may_no_longer_be_seen_says_so_and_stops(screen: Page, zoe: Client) -> None:
    _running()
    screen.goto(STEP_PAGE)
    screen.context.clear_cookies()
    _turn(screen)
    expect(screen.locator("#live-state")).to_contain_text("you do not have access")


def test_without_script_a_link_refreshes(
    browser: Browser, live_server: LiveServer, zoe: Client
) -> None:
    _running()
    context = _context(browser, live_server, zoe, java_script_enabled=False)
    page = context.new_page()
    page.goto(STEP_PAGE)
    expect(page.locator(".verdict")).to_contain_text("3 are running")
    load(result(101, status=9))
    page.get_by_role("link", name="Refresh").click()
    expect(page.locator(".verdict")).to_contain_text("1 succeeded, 2 are running")
    context.close()
