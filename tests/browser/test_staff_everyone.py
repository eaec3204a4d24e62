"""The pages for everyone: by keyboard, without script, in Chinese, in the dark, on a phone."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.browser_scenes import DEPLOY, ODD_HOST, RUNNING, RUNNING_HOST, place
from tests.browser.conftest import Demo
from tests.builders import Fields, job, lines, result, script_log, step

FILES = "/logs/biz/2/jobs/1001/steps/10013/"
PAGES = {
    "jobs": "/logs/?number=1001",
    "job": "/logs/biz/2/jobs/1001/",
    "step": place(DEPLOY),
    "failed only": f"{place(DEPLOY)}?only=failed",
    "running step": place(RUNNING),
    "file step": FILES,
    "log": f"{place(DEPLOY)}hosts/7/?line=2#L2",
    "running log": f"{place(RUNNING)}hosts/{RUNNING_HOST}/",
    "file log": FILES + "hosts/102/",
    "search": place(DEPLOY) + "search/?q=checksum",
    "search all": "/logs/search/?q=checksum&since=2020-01-01&until=2021-01-01",
    "compare": f"{place(DEPLOY)}hosts/{ODD_HOST}/compare/",
    "host": "/logs/hosts/102/",
    "not found": "/logs/biz/2/jobs/9/",
    "admin list": "/admin/joblogs/jobinstance/",
}
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
DJANGOS = {"admin list"}
"""Pages whose markup is Django's own: that they fit a phone, and that their search has a label
besides its title, is not for us to say."""
VIOLATIONS = {"resultTypes": ["violations"]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_in_the_way_of_anyone(
    browser: Browser, demo: Demo, logged_in: StorageState, scheme: str
) -> None:
    context = browser.new_context(
        base_url=demo.url,
        storage_state=logged_in,
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page, axe = context.new_page(), Axe()
    told = []
    for name, address in PAGES.items():
        page.set_viewport_size(WIDE if scheme == "light" else NARROW)  # type: ignore[arg-type]
        page.goto(address)
        for fault in axe.run(page, options=VIOLATIONS).response["violations"]:
            theirs = name in DJANGOS and fault["id"] == "label-title-only"
            if fault["impact"] in ("serious", "critical") and not theirs:
                told += [(name, fault["id"], node["html"][:160]) for node in fault["nodes"]]
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        if name not in DJANGOS and page.evaluate(
            "document.documentElement.scrollWidth > innerWidth"
        ):
            told.append((name, "wider than a phone", ""))
    context.close()
    assert told == []


def _outline(page: Page) -> str:
    return str(
        page.evaluate(
            """() => { const style = getComputedStyle(document.activeElement);
            return style.outlineStyle === "none" && style.boxShadow === "none"
              ? document.activeElement.outerHTML : ""; }"""
        )
    )


def test_the_keyboard_reaches_everything_and_is_seen(screen: Page) -> None:
    screen.goto(place(DEPLOY))
    reached = set()
    for _ in range(90):
        screen.keyboard.press("Tab")
        assert _outline(screen) == ""
        reached.add(str(screen.evaluate("document.activeElement.className")))
        if screen.evaluate("document.activeElement.id") == "host-q":
            break
    assert {"skip", "ok", "bad1", "odd", "sample"} <= {
        name for one in reached for name in one.split()
    }
    expect(screen.locator("#host-q")).to_be_focused()
    screen.keyboard.type("web-09")
    screen.keyboard.press("Enter")
    expect(screen.locator("table.list tbody tr")).to_have_count(1)


def test_the_map_of_hosts_can_be_skipped(screen: Page) -> None:
    screen.goto(place(DEPLOY))
    screen.get_by_role("link", name="Skip the map of hosts").press("Enter")
    screen.keyboard.press("Tab")
    assert screen.evaluate("document.activeElement.closest('#groups') !== null")


def test_long_lines_of_a_group_wrap_and_the_line_before_them_is_grey(
    screen: Page, demo: Demo
) -> None:
    number = 9_701
    where: Fields = {"job": number, "step": int(f"{number}1")}
    records: list[Fields] = [job(number, status=4), step(where["step"], job=number, status=4)]
    for host in range(1, 13):
        end: Fields = {"status": 104, "exit_code": 2} if host == 1 else {"status": 9}
        error = f"error: {'the disk of the mirror is full ' * 9}END\n" if host == 1 else ""
        records += [
            result(host, **where, **end),
            script_log(f"begun\n{error}", host=host, **where),
        ]
    demo.server.post(lines(*records))
    screen.set_viewport_size(WIDE)  # type: ignore[arg-type]
    screen.goto(place(number))
    sample = screen.locator("section.group.c-bad1 .sample")
    expect(sample).to_contain_text("END")
    assert sample.evaluate("it => it.scrollWidth <= it.clientWidth")
    before, own = sample.locator("code").all()
    colour = "it => getComputedStyle(it).color"
    assert before.evaluate(colour) != own.evaluate(colour)


def test_one_switches_to_chinese_and_back(screen: Page) -> None:
    screen.goto(place(DEPLOY))
    screen.get_by_role("button", name="简体中文").click()
    expect(screen.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(screen.get_by_role("status")).to_contain_text("29 台执行成功")
    expect(screen).to_have_url(re.compile(re.escape(place(DEPLOY))))
    screen.locator("section.group.c-odd").get_by_text("4be07a55").wait_for()
    screen.get_by_role("button", name="English").click()
    expect(screen.get_by_role("status")).to_contain_text("29 succeeded")


def test_one_logs_in_in_chinese(browser: Browser, demo: Demo) -> None:
    context = browser.new_context(base_url=demo.url)
    page = context.new_page()
    page.goto("/logs/")
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("button", name="登录")).to_be_visible()
    page.locator("#id_username").fill("demo")
    page.locator("#id_password").fill(demo.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="作业", exact=True)).to_be_visible()
    assert page.url == f"{demo.url}/logs/"
    context.close()


def test_without_script_all_but_copying_and_following_works(
    browser: Browser, demo: Demo, logged_in: StorageState
) -> None:
    context = browser.new_context(
        base_url=demo.url, storage_state=logged_in, java_script_enabled=False
    )
    page = context.new_page()
    page.goto("/logs/")
    page.get_by_label("job name").fill("deploy")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="deploy 4.18").click()  # of one step, which it opens at
    page.locator("a.odd").first.click()
    expect(page.locator("#L2")).to_contain_text("checksum")
    page.get_by_role("link", name="Compare", exact=True).click()
    expect(page.locator(".usual")).to_contain_text("4be07a55")
    page.locator("ol.crumbs").get_by_role("link", name="deploy 4.18").last.click()
    page.get_by_label("Search the output").fill("No space")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("status")).to_contain_text("1 line on 1 host")
    page.goto(place(DEPLOY))
    page.locator("section.group.c-bad1").get_by_text("copy hosts").click()
    expect(page.locator("section.group.c-bad1 textarea")).to_have_value("web-07\n")
    page.locator(".copyall").get_by_role("link", name="names").click()
    assert len(page.inner_text("body").split()) == 30
    context.close()


def test_a_running_log_is_followed_until_one_stops(screen: Page, demo: Demo) -> None:
    where: Fields = {"job": RUNNING, "step": int(f"{RUNNING}1"), "host": RUNNING_HOST}
    screen.goto(f"{place(RUNNING)}hosts/{RUNNING_HOST}/")
    follow = screen.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    demo.server.post(lines(script_log("restarted\n", offset=11, **where)))
    expect(screen.locator("#L2")).to_contain_text("restarted", timeout=20_000)
    follow.press("Enter")
    expect(follow).to_have_attribute("aria-pressed", "false")
