"""Keys of the pages, and what a step shows of failed hosts only."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.browser_scenes import DEPLOY, place
from tests.browser.conftest import Demo, log_in

STEP_PAGE = place(DEPLOY)


def test_a_question_mark_shows_the_keys_of_the_page(screen: Page) -> None:
    screen.goto(STEP_PAGE)
    screen.keyboard.press("?")
    dialog = screen.get_by_role("dialog", name="Keys of this page")
    for key, label in (("j k", "next, previous"), ("/", "Search the output"), ("f", "failed only")):
        expect(dialog.locator("dt", has_text=key)).to_be_visible()
        expect(dialog).to_contain_text(label)
    screen.keyboard.press("?")
    expect(dialog).to_be_hidden()
    screen.get_by_role("button", name="?").click()
    expect(dialog).to_be_visible()
    screen.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_slash_goes_to_the_search_of_each_page(screen: Page) -> None:
    for address in ("/logs/", STEP_PAGE, f"{STEP_PAGE}search/?q=checksum"):
        screen.goto(address)
        screen.locator("body").click(position={"x": 5, "y": 300})
        screen.keyboard.press("/")
        expect(screen.locator("[data-key='/']")).to_be_focused()
        screen.keyboard.type("j?f")
        assert "j?f" in screen.locator("[data-key='/']").input_value()


def test_j_and_k_go_through_groups_and_hosts_and_enter_opens(screen: Page) -> None:
    screen.goto(STEP_PAGE)
    groups = screen.locator(".group")
    screen.keyboard.press("j")
    expect(groups.nth(0).locator("a").first).to_be_focused()
    screen.keyboard.press("j")
    expect(groups.nth(1).locator("a").first).to_be_focused()
    screen.keyboard.press("k")
    expect(groups.nth(0).locator("a").first).to_be_focused()
    screen.keyboard.press("k")
    for _ in range(groups.count()):
        screen.keyboard.press("j")
    expect(screen.locator("table tbody th a").first).to_be_focused()
    screen.keyboard.press("Enter")
    screen.wait_for_url("**/hosts/*/**")


def test_n_goes_to_the_next_failing_group(screen: Page) -> None:
    screen.goto(STEP_PAGE)
    failing = screen.locator(".group[class*=c-bad]").nth(0).locator("a").first
    for key in "nN":
        screen.keyboard.press("j")
        screen.keyboard.press("j")
        expect(failing).not_to_be_focused()
        screen.keyboard.press(key)
        expect(failing).to_be_focused()


def test_f_leaves_only_what_failed_in_groups_and_map(screen: Page) -> None:
    screen.goto(STEP_PAGE)
    squares = screen.locator(".map a:visible")
    expect(squares).to_have_count(30)
    screen.keyboard.press("f")
    screen.wait_for_url("**only=failed*")
    expect(screen.locator(".group")).to_have_count(1)
    expect(screen.locator(".group")).to_contain_text("exit code 2")
    expect(squares).to_have_count(1)
    expect(screen.get_by_role("button", name="failed only")).to_have_attribute(
        "aria-pressed", "true"
    )
    screen.keyboard.press("f")
    expect(squares).to_have_count(30)


def test_the_table_of_hosts_is_short_on_a_phone(context: BrowserContext, demo: Demo) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/logs/biz/2/jobs/1001/steps/10011/")
    rows = page.locator("#live .list tbody tr")
    assert rows.count() == 100
    table = page.locator("#live .list").bounding_box()
    assert table
    assert table["height"] < 50 * 100
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_times_of_the_first_page_after_the_login_are_of_the_reader(
    context: BrowserContext, demo: Demo
) -> None:
    browser = context.browser
    assert browser
    own = browser.new_context(base_url=demo.url, timezone_id="Asia/Shanghai", locale="en")
    page = own.new_page()
    log_in(page, demo)
    expect(page.locator("tbody time").first).to_contain_text("+0800")
    own.close()
