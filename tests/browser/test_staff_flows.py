"""What staff do on the pages, step by step, in a real browser on the demo's runs."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.browser_scenes import DEPLOY, EVIL, FAILED_HOST, HOSTILE, ODD_HOST, place
from tests.browser.conftest import Demo, log_in

STEP = "/logs/biz/2/jobs/1001/steps/10011/"
FILES = "/logs/biz/2/jobs/1001/steps/10013/"


def _clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_one_logs_in_and_lands_where_one_wanted_to_go(browser: Browser, demo: Demo) -> None:
    context = browser.new_context(base_url=demo.url)
    page = context.new_page()
    page.goto("/logs/")
    page.get_by_label("Username:").fill("demo")
    page.get_by_label("Password:").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Please enter the correct username and password")).to_be_visible()
    log_in(page, demo)
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    context.close()


def test_jobs_are_filtered_and_lead_to_the_log_of_a_host(screen: Page) -> None:
    screen.goto("/logs/")
    screen.get_by_label("job name").fill("prices")
    screen.keyboard.press("Enter")
    expect(screen.locator("tbody tr")).to_have_count(2)
    screen.get_by_text("dates, job id").click()
    screen.get_by_label("job id", exact=True).fill("1001")
    screen.get_by_role("button", name="Filter").click()
    expect(screen.locator("tbody tr")).to_have_count(1)
    expect(screen.get_by_label("job id", exact=True)).to_be_visible()
    screen.get_by_role("link", name="roll out prices").click()
    expect(screen.locator("ol.steps > li")).to_have_count(3)
    expect(screen.locator("svg.line rect")).to_have_count(3)
    screen.get_by_role("link", name="apply prices").click()
    expect(screen.get_by_role("status")).to_contain_text("236 succeeded, 4 failed in 2 ways")
    screen.locator(".map a.bad1").first.click()
    expect(screen.locator("#log")).to_contain_text("sha256sum")
    screen.get_by_role("link", name="roll out prices").click()
    screen.locator("ol.crumbs").get_by_role("link", name="Jobs").click()
    expect(screen.get_by_role("heading", name="Jobs")).to_be_visible()


@pytest.mark.parametrize(
    ("address", "wrong", "beside"),
    [("/logs/search/?q=a&since=x", "from", "to"), ("/logs/?since=x", "from", "job id")],
)
def test_a_refused_field_stays_level_with_the_others(
    screen: Page, address: str, wrong: str, beside: str
) -> None:
    screen.goto(address)
    boxes = [screen.get_by_label(name, exact=True).bounding_box() for name in (wrong, beside)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]


def test_a_group_opens_at_its_line_and_lists_its_hosts(screen: Page) -> None:
    screen.goto(place(DEPLOY))
    group = screen.locator("section.group", has_text="except for one value")
    expect(group).to_contain_text("checksum 9f2c11d0, where 28 hosts have 4be07a55")
    group.get_by_role("link", name="open").click()
    expect(screen.locator("#L2.asked")).to_contain_text("checksum: 9f2c11d0")
    screen.go_back()
    group.get_by_role("link", name="list").click()
    expect(screen.locator("table.list tbody tr")).to_have_count(1)
    expect(screen.locator("table.list tbody")).to_contain_text(f"web-0{ODD_HOST}")
    screen.goto(STEP + "?alike=identical")
    expect(screen.locator(".tabs [aria-current]")).to_have_text("identical")


def test_hosts_are_sorted_filtered_and_copied(screen: Page) -> None:
    screen.goto(place(DEPLOY))
    names = screen.locator("table.list tbody th")
    expect(names.first).to_have_text(f"web-0{FAILED_HOST}")
    screen.get_by_role("columnheader").get_by_role("link", name="duration").click()
    expect(screen.get_by_role("columnheader", name="duration")).to_have_attribute(
        "aria-sort", "descending"
    )
    expect(names.nth(1)).to_have_text("web-30")
    screen.get_by_label("name, address or id").fill("web-1")
    screen.get_by_label("outcome", exact=True).select_option("ok")
    screen.get_by_role("button", name="Filter").click()
    expect(names).to_have_count(10)
    screen.locator(".copyall").get_by_role("link", name="ids").click()
    expect(screen.locator("a.copied")).to_have_count(1)
    assert _clipboard(screen).split() == [str(host) for host in range(10, 20)]
    group = screen.locator("section.group.c-bad1")
    group.get_by_text("copy hosts").click()
    group.get_by_role("link", name="addresses").click()
    expect(group.locator("a.copied")).to_have_count(1)
    assert _clipboard(screen).split() == [f"10.0.0.{FAILED_HOST}"]


def test_an_earlier_attempt_is_chosen(screen: Page) -> None:
    screen.goto(STEP)
    verdict = screen.get_by_role("status")
    newest = verdict.inner_text()
    screen.get_by_label("as of attempt").select_option("0")
    screen.get_by_role("button", name="Show").click()
    expect(verdict).not_to_have_text(newest)


def test_one_moves_through_a_log_and_takes_it_along(screen: Page, demo: Demo) -> None:
    screen.goto(f"{place(DEPLOY)}hosts/1/")
    screen.get_by_role("link", name="End", exact=True).click()
    expect(screen.locator("#L900")).to_be_visible()
    screen.get_by_label("Line", exact=True).fill("450")
    screen.get_by_role("button", name="Go").click()
    expect(screen.locator("#L450.asked")).to_be_in_viewport()
    screen.get_by_role("link", name="450", exact=True).click()
    assert screen.url.endswith("line=450#L450")
    screen.get_by_role("link", name="Start", exact=True).click()
    expect(screen.locator("#L1")).to_be_visible()
    wrap = screen.get_by_role("button", name="Wrap")
    expect(wrap).to_have_attribute("aria-pressed", "true")
    wrap.click()
    expect(screen.locator("#log.wrap")).to_have_count(0)
    screen.get_by_label("encoding").select_option("gb18030")
    screen.wait_for_url("**encoding=gb18030*")
    expect(screen.get_by_label("encoding")).to_have_value("gb18030")
    with screen.expect_download() as taken:
        screen.get_by_role("link", name="Download").first.click()
    data = taken.value.path().read_bytes()
    assert data.decode() == demo.server.logs(job=DEPLOY, step=int(f"{DEPLOY}1"))[1]


def test_the_first_error_is_found(screen: Page) -> None:
    screen.goto(f"{place(DEPLOY)}hosts/{FAILED_HOST}/")
    screen.get_by_role("link", name="First error").click()
    expect(screen.locator("#L2.asked")).to_contain_text("No space left on device")
    screen.get_by_role("link", name="Next error").click()
    expect(screen.get_by_text("No more error lines.")).to_be_visible()


def test_a_file_step_shows_transfers_and_their_logs(screen: Page) -> None:
    screen.goto(FILES)
    expect(screen.get_by_role("heading", name="Transfers")).to_be_visible()
    screen.locator("section.group.c-bad").first.get_by_role("link", name="open").click()
    expect(screen.locator("table.files tr.chosen")).to_have_count(1)
    expect(screen.locator("table.files")).to_contain_text("failed")


def test_search_finds_and_says_who_does_not_have_it(screen: Page) -> None:
    screen.goto(place(DEPLOY))
    screen.get_by_label("Search the output").fill("checksum")
    screen.keyboard.press("Enter")
    verdict = screen.get_by_role("status")
    expect(verdict).to_have_text("29 lines on 29 hosts, 1 host without a match.")
    screen.get_by_label("Text or expression").fill("line 8[0-9]+$")
    screen.get_by_label("regular expression").check()
    screen.get_by_label("lines of context").select_option("2")
    screen.get_by_role("button", name="Search").click()
    expect(verdict).to_contain_text("3,190 lines on 29 hosts")
    screen.get_by_label("Text or expression").fill("line (")
    screen.get_by_role("button", name="Search").click()
    expect(screen.get_by_role("alert")).to_contain_text("Invalid search")


def test_comparing_switches_sides_masks_and_partners(screen: Page) -> None:
    screen.goto(f"{place(DEPLOY)}hosts/{ODD_HOST}/compare/")
    expect(screen.get_by_role("status")).to_contain_text("1 line differs")
    expect(screen.locator(".usual")).to_contain_text("4be07a55")
    expect(screen.locator(".diff.split")).to_have_count(1)
    screen.get_by_role("button", name="Inline").click()
    expect(screen.locator(".diff.inline")).to_have_count(1)
    screen.get_by_role("button", name="Ignore changing values").click()
    expect(screen.get_by_role("status")).to_contain_text("2 lines differ")
    screen.get_by_label("another host").fill(f"web-0{FAILED_HOST}")
    screen.get_by_role("button", name="Compare").click()
    expect(screen.locator(".diff .heads")).to_contain_text(f"web-0{FAILED_HOST}")


def test_all_that_ran_on_a_host(screen: Page) -> None:
    screen.goto(f"{STEP}hosts/102/")
    screen.get_by_title("history of this host").click()
    expect(screen.locator("table.list tbody tr")).not_to_have_count(0)
    screen.locator("table.list tbody th a").first.click()
    expect(screen.locator("#log, table.files").first).to_be_visible()


def test_a_job_is_held_and_released_in_the_admin(screen: Page) -> None:
    screen.goto(f"/admin/joblogs/jobinstance/?q={DEPLOY}")
    for action, said in (("hold", "1 job is now held."), ("release", "1 job was released.")):
        screen.locator("input.action-select").check()
        screen.get_by_label("Action:").select_option(action)
        screen.get_by_role("button", name="Go").click()
        expect(screen.get_by_text(said)).to_be_visible()
    screen.get_by_role("link", name="page", exact=True).click()
    expect(screen.get_by_role("heading", name="deploy 4.18")).to_be_visible()


def test_the_secret_of_an_app_is_shown_once(screen: Page) -> None:
    screen.goto("/admin/joblogs/app/?q=demo")
    screen.locator("input.action-select").check()
    screen.get_by_label("Action:").select_option("rotate")
    screen.get_by_role("button", name="Go").click()
    expect(screen.get_by_text("(shown only once):")).to_be_visible()
    # It stands in the answer to the form itself: what is opened next shows it no more.
    screen.goto("/admin/joblogs/app/?q=demo")
    expect(screen.locator("input.action-select")).to_be_visible()
    expect(screen.get_by_text("(shown only once):")).to_have_count(0)


@pytest.mark.parametrize("tail", ["", "hosts/1/", "search/?q=gpj", "hosts/1/compare/"])
def test_hostile_names_and_output_do_nothing(screen: Page, tail: str) -> None:
    screen.goto(place(HOSTILE) + tail)
    assert EVIL not in screen.content()
    expect(screen.locator("body")).to_contain_text("⟨U+202E⟩gpj.exe")
    expect(screen).not_to_have_title("owned")
    expect(screen.locator("img, #content script")).to_have_count(0)


def test_times_are_in_the_readers_zone(
    browser: Browser, demo: Demo, context: BrowserContext
) -> None:
    state = context.storage_state()
    there = browser.new_context(
        base_url=demo.url, storage_state=state, timezone_id="Asia/Tokyo", locale="en"
    )
    page = there.new_page()
    page.goto("/logs/")
    page.reload()
    expect(page.locator("tbody time").first).to_contain_text("+0900")
    page.goto("/admin/joblogs/logread/")
    expect(page.locator("#user-tools")).to_contain_text("Asia/Tokyo")
    there.close()
