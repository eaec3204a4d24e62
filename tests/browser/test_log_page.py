"""The log page in a real browser: hostile output, following, permalinks, keyboard, no script."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from joblogs.models import JobInstance
from tests.builders import job, load, result, script_log, step
from tests.pages.page_helpers import page as address
from tests.pages.page_helpers import staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def zoe() -> Client:
    return staff()


def _context(browser: Browser, server: LiveServer, client: Client, **how: object) -> BrowserContext:
    context = browser.new_context(base_url=server.url, locale="en", **how)  # type: ignore[arg-type]
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": server.url}])
    return context


@pytest.fixture
def screen(browser: Browser, live_server: LiveServer, zoe: Client) -> Iterator[Page]:
    """A page in which nothing may go wrong unseen."""
    context = _context(browser, live_server, zoe)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    yield page
    context.close()
    assert faults == []


def _load(content: str, status: int = 9) -> None:
    load(job(), step(), result(status=status, host_name="web-1"), script_log(content))


def test_hostile_output_does_nothing_and_is_seen(screen: Page) -> None:
    _load(
        "<script>document.title='owned'</script><img src=x onerror=alert(1)>\n"
        "\x1b]0;owned\x07\x1b]8;;javascript:alert(2)\x1b\\click\x1b]8;;\x1b\\\n"
        "user\u202egpj.exe\n\x1b[31;1mred\x1b[0m\n"
    )
    screen.goto(address("log"))
    expect(screen).not_to_have_title("owned")
    log = screen.locator("#log")
    expect(log).to_contain_text("<script>document.title='owned'</script>")
    expect(log).to_contain_text("⟨U+202E⟩gpj.exe")
    assert log.locator("script, img, a[href^=javascript]").count() == 0
    assert log.locator("span.f1.bold").inner_text() == "red"


def test_ten_megabytes_without_a_newline_open_at_once_and_on(screen: Page) -> None:
    load(job(), step(), result(status=9))
    for at in range(10):
        load(script_log("x" * 1_000_000, offset=at * 1_000_000))
    load(script_log("\nlast\n", offset=10_000_000))
    screen.goto(address("log"))
    assert screen.evaluate("document.documentElement.outerHTML.length") < 100_000
    expect(screen.locator("#L2")).to_contain_text("last")
    screen.locator("#log a.cut").first.click()
    expect(screen.locator("#log .ln code").first).to_contain_text("x" * 1000)
    assert screen.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_line_has_an_address_that_brings_it_into_view(screen: Page) -> None:
    _load("".join(f"line {n}\n" for n in range(1, 3001)))
    screen.goto(address("log") + "?line=1500#L1500")
    expect(screen.locator("#L1500")).to_be_in_viewport()
    screen.get_by_label("Line", exact=True).fill("2900")
    screen.keyboard.press("Enter")
    expect(screen.locator("#L2900.asked")).to_have_count(1)
    screen.get_by_role("link", name="Start", exact=True).press("Enter")
    expect(screen.locator("#L1")).to_have_count(1)


def test_following_shows_what_arrives_and_notices_the_end(screen: Page) -> None:
    _load("one\ntw", status=7)
    screen.goto(address("log"))
    expect(screen.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")
    load(script_log("o\n<b>three</b>\n", offset=6))
    expect(screen.locator("#L3")).to_contain_text("<b>three</b>", timeout=15_000)
    assert screen.locator("#L2 code").inner_text() == "two"
    load(result(status=9))
    expect(screen.locator("#edge")).to_have_text("The log has ended", timeout=15_000)


def test_text_that_is_masked_meanwhile_leaves_the_page(screen: Page, tmp_path: Path) -> None:
    _load("my hunter2\n", status=7)
    screen.goto(address("log"))
    expect(screen.locator("#L1 code")).to_have_text("my hunter2")
    texts = tmp_path / "texts"
    texts.write_text("hunter2")
    call_command("redact_logs", "--texts", str(texts), stdout=StringIO())
    expect(screen.locator("#L1 code")).not_to_contain_text("hunter2", timeout=15_000)


def test_a_retry_is_linked_and_its_text_never_joins_the_old(screen: Page) -> None:
    _load("one\n", status=7)
    screen.goto(address("log"))
    expect(screen.locator("#edge")).to_have_text("Following: waiting for new output")
    load(result(status=7, execute_count=1), script_log("first\nsecond\n", execute_count=1))
    expect(screen.locator("#notice")).to_have_text("Attempt 2 has begun: show it", timeout=15_000)
    load(script_log("late\n", offset=4), result(status=104, exit_code=3))
    expect(screen.locator("#edge")).to_have_text("The log has ended", timeout=15_000)
    assert screen.locator("#log .ln code").all_inner_texts() == ["one", "late"]
    expect(screen.locator("#log-head")).to_contain_text("exit code 3")
    expect(screen.locator("#log-head")).to_contain_text("2 lines")
    expect(screen.get_by_role("button", name="Follow")).to_be_hidden()
    screen.get_by_role("link", name="show it").click()
    expect(screen.locator("#log .ln code")).to_have_text(["first", "second"])


def test_a_retry_that_begins_after_the_end_is_linked(screen: Page) -> None:
    screen.clock.install()
    _load("one\n", status=7)
    screen.goto(address("log"))
    expect(screen.locator("#edge")).to_have_text("Following: waiting for new output")
    load(result(status=104))
    screen.clock.run_for(10_000)
    expect(screen.locator("#edge")).to_have_text("The log has ended")
    expect(screen.get_by_role("button", name="Follow")).to_be_hidden()
    with screen.expect_response("**/more?**"):
        screen.clock.run_for(30_000)
    expect(screen.locator("#notice")).to_have_text("")
    load(result(status=7, execute_count=1), script_log("first\n", execute_count=1))
    screen.clock.run_for(30_000)
    expect(screen.locator("#notice")).to_have_text("Attempt 2 has begun: show it")
    expect(screen.locator("#edge")).to_have_text("The log has ended")
    assert screen.locator("#log .ln code").all_inner_texts() == ["one"]


def test_text_that_is_deleted_meanwhile_is_said_to_be(screen: Page) -> None:
    _load("one\n", status=7)
    screen.goto(address("log"))
    expect(screen.locator("#edge")).to_have_text("Following: waiting for new output")
    JobInstance.objects.update(expired_at=1_800_000_000_000, expired_policy="30 days")
    told = screen.locator("#notice")
    expect(told).to_contain_text("Deleted by the retention policy (30 days)", timeout=15_000)
    expect(screen.locator("#log-head")).to_contain_text("expired")
    expect(screen.get_by_role("button", name="Follow")).to_be_hidden()
    expect(screen.locator("#edge")).to_have_text("")


def test_follow_that_is_off_says_so_and_goes_on_where_it_was(screen: Page) -> None:
    _load("one\n", status=7)
    screen.goto(address("log"))
    follow = screen.get_by_role("button", name="Follow")
    expect(screen.locator("#edge")).to_have_text("Following: waiting for new output")
    follow.click()
    expect(screen.locator("#edge")).to_contain_text("Follow is off")
    expect(follow).to_have_attribute("aria-pressed", "false")
    load(script_log("two\n", offset=4))
    for _ in range(3):  # off, on, off, on: asked once for each byte all the same
        follow.click()
    expect(screen.locator("#L2")).to_contain_text("two", timeout=15_000)
    assert screen.locator("#log .ln code").all_inner_texts() == ["one", "two"]


def test_who_is_told_to_come_back_later_does_so(screen: Page) -> None:
    _load("one\n", status=7)
    asked: list[float] = []

    def refuse(route: Route) -> None:
        asked.append(screen.evaluate("Date.now()"))
        if len(asked) == 1:
            route.fulfill(status=429, headers={"Retry-After": "2"})
        else:
            route.continue_()

    screen.route("**/more?**", refuse)
    screen.goto(address("log"))
    expect(screen.locator("#edge")).to_have_text("No response; retrying")
    follow = screen.get_by_role("button", name="Follow")
    follow.click()
    follow.click()
    expect(screen.locator("#log-head")).to_contain_text("4 bytes")
    load(script_log("two\n", offset=4))
    expect(screen.locator("#L2")).to_contain_text("two", timeout=15_000)
    assert asked[1] - asked[0] >= 2000


def test_a_log_that_is_not_there_any_more_is_not_asked_for_again(screen: Page) -> None:
    _load("one\n", status=7)
    screen.route("**/more?**", lambda route: route.fulfill(status=404))
    screen.goto(address("log"))
    expect(screen.locator("#edge")).to_have_text("Not found, or you do not have access")
    expect(screen.get_by_role("button", name="Follow")).to_be_hidden()


def test_without_script_the_page_is_whole_and_refreshes_by_a_link(
    browser: Browser, live_server: LiveServer, zoe: Client
) -> None:
    _load("one\n", status=7)
    context = _context(browser, live_server, zoe, java_script_enabled=False)
    page = context.new_page()
    page.goto(address("log"))
    expect(page.locator("#L1")).to_contain_text("one")
    load(script_log("two\n", offset=4))
    page.get_by_role("link", name="Refresh", exact=True).click()
    expect(page.locator("#L2")).to_contain_text("two")
    expect(page.get_by_role("button", name="Follow")).to_have_count(0)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_can_be_read(
    browser: Browser, live_server: LiveServer, zoe: Client, scheme: str
) -> None:
    colours = "".join(f"\x1b[{code}m colour {code}" for code in [*range(30, 38), *range(90, 98)])
    _load(f"{colours}\x1b[0m\nERROR: failed\nlong {'word ' * 200}\n", status=104)
    context = _context(browser, live_server, zoe, color_scheme=scheme)
    page = context.new_page()
    page.goto(address("log"))
    found = Axe().run(page).response["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], node["html"][:200]) for v in serious for node in v["nodes"]] == []
    context.close()


def test_a_range_of_lines_is_shown_and_copied_as_text(
    browser: Browser, live_server: LiveServer, zoe: Client
) -> None:
    _load("".join(f"\x1b[32mline\x1b[0m {n}\n" for n in range(1, 2001)))
    context = _context(browser, live_server, zoe, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(address("log") + "#L1500-L1502")  # not on the first page
    expect(page.locator("#L1500")).to_be_in_viewport()
    assert page.locator(".picked code").all_inner_texts() == [
        f"line {n}" for n in range(1500, 1503)
    ]
    page.locator("#L1504 .no").click(modifiers=["Shift"])
    assert page.evaluate("location.hash") == "#L1500-L1504"
    page.get_by_role("button", name="Copy lines 1500–1504").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "".join(f"line {n}\n" for n in range(1500, 1505))
    context.close()


def test_redrawn_lines_open_to_their_earlier_states_and_to_their_bytes(screen: Page) -> None:
    _load("".join(f"\rfetch {n}%" for n in range(121)) + "\nnext\n")
    screen.goto(address("log"))
    assert screen.locator("#log > .ln code").all_inner_texts() == ["fetch 120%", "next"]
    screen.get_by_text("120 earlier states").click()
    expect(screen.locator(".was .ln code").last).to_have_text("fetch 119%")
    screen.get_by_role("button", name="As the bytes are").click()
    expect(screen.locator("#L1 code")).to_contain_text("\\rfetch 119%\\rfetch 120%")


def test_what_is_redrawn_while_a_page_follows_stays_one_line(screen: Page) -> None:
    _load("start\na 0%\nb 0%\n", status=7)
    screen.goto(address("log"))
    load(script_log("\x1b[2A\x1b[2Ka 50%\n\x1b[2Kb 50%\n", offset=16))
    expect(screen.locator("#L3 code")).to_have_text("b 50%", timeout=15_000)
    load(script_log("\x1b[2A\x1b[2Ka 99%\n\x1b[2Kb 99%\nend\n", offset=40))
    expect(screen.locator("#L8 code")).to_have_text("end", timeout=15_000)
    assert screen.locator("#log > .ln code").all_inner_texts() == ["start", "a 99%", "b 99%", "end"]


def test_an_encoding_is_remembered_by_this_browser_alone(
    browser: Browser, live_server: LiveServer, zoe: Client
) -> None:
    load(job(), step(), result(status=9))
    data = base64.b64encode("Größe überschritten\n".encode("cp1252")).decode()
    load(script_log(None, content_base64=data))
    mine, other = (_context(browser, live_server, zoe) for _ in range(2))
    page = mine.new_page()
    page.goto(address("log"))
    page.get_by_label("encoding").select_option("latin-1")
    expect(page.locator("#L1 code")).to_have_text("Größe überschritten")
    page.goto(address("log"))
    expect(page.locator("#L1 code")).to_have_text("Größe überschritten")
    page = other.new_page()
    page.goto(address("log"))
    expect(page.locator("#L1 code")).to_contain_text("\\xf6")
    mine.close()
    other.close()


def test_the_numbers_of_lines_are_no_stops_for_the_keyboard(screen: Page) -> None:
    _load("".join(f"line {n}\n" for n in range(1, 501)))
    screen.goto(address("log"))
    assert screen.locator("#log a:not([tabindex='-1'])").count() == 0


def test_find_goes_from_match_to_match_by_keys(screen: Page) -> None:
    _load("".join(f"line {n}{' needle' * (n % 700 == 0)}\n" for n in range(1, 3001)))
    screen.goto(address("log"))
    screen.keyboard.press("/")
    screen.keyboard.type("needle")
    screen.keyboard.press("Enter")
    expect(screen.locator(".found")).to_have_text("1 / 4 lines found")
    expect(screen.locator("#L700.asked mark.hit")).to_have_text("needle")
    screen.wait_for_load_state()  # the scripts that know the keys
    screen.keyboard.press("n")
    expect(screen.locator(".found")).to_have_text("2 / 4 lines found")
    expect(screen.locator("#L1400.asked")).to_be_in_viewport()
    screen.keyboard.press("Shift+N")
    expect(screen.locator("#L700.asked")).to_be_in_viewport()
    screen.get_by_role("button", name="only matching lines").click()
    lines = [f"line {n} needle" for n in (700, 1400, 2100, 2800)]
    expect(screen.locator("#log .ln code")).to_have_text(lines)


def test_from_host_to_host_by_keys_and_by_the_list_beside(screen: Page) -> None:
    load(job(), step())
    for host in range(101, 107):
        failed = host % 2 == 0
        text = "ERROR: no space\n" if failed else "all is well\n"
        load(
            result(host, status=104 if failed else 9, host_name=f"web-{host}"),
            script_log(text, host=host),
        )
    call_command("maintain_logs", stdout=StringIO())  # else some may not have been compared yet
    screen.goto(address("log", host=102))
    screen.keyboard.press("j")
    expect(screen.get_by_role("heading", name="web-104")).to_be_visible()
    screen.keyboard.press("k")
    expect(screen.get_by_role("heading", name="web-102")).to_be_visible()
    screen.get_by_text("hosts of this step").click()
    links = screen.locator("#beside li a")
    expect(links).to_have_count(3)
    screen.get_by_role("button", name="all hosts 6").click()
    expect(links).to_have_count(6)
    links.nth(4).click()
    expect(screen.get_by_role("heading", name="web-105")).to_be_visible()
    expect(screen.locator("#beside [aria-current]")).to_contain_text("web-105")
    screen.get_by_role("button", name="failed 3").click()
    expect(links).to_have_count(3)
