"""The page that shows the OpenAPI document, in a browser that can reach this server only."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from joblogs.api.openapi import OPERATIONS
from tests.serving import Server, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Not localhost: there Swagger UI leaves out what it would ask of the internet elsewhere.
NAME = "logs.example.com"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM: the API page was not tried")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("docs")
    with serving(folder, workers=1, ALLOWED_HOSTS=f"{NAME},127.0.0.1") as server:
        yield server


@pytest.fixture
def page(server: Server) -> Iterator[Page]:
    with sync_playwright() as playwright:
        # Every name but ours leads nowhere, and ours to the server.
        rules = f"MAP {NAME} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", f"--host-resolver-rules={rules}"]
        )
        yield browser.new_page(base_url=f"http://{NAME}:{server.port}")
        browser.close()


def test_it_shows_every_operation_and_asks_no_other_host(page: Page, server: Server) -> None:
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("response", lambda got: failed.append(got.url) if got.status >= 400 else None)
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto("/docs/api/")
    expect(page.locator(".opblock")).to_have_count(len(OPERATIONS), timeout=30_000)
    page.locator("#operations-BlueKing-batch_get_job_instance_ip_log").click()
    expect(page.get_by_text("Also as POST under")).to_be_visible()
    ours = (f"http://{NAME}:{server.port}/", "data:", "blob:")
    assert [url for url in asked if not url.startswith(ours)] == []
    assert failed == []


def test_a_request_can_be_tried_from_it(page: Page, server: Server) -> None:
    page.goto("/docs/api/")
    page.get_by_role("button", name="Authorize").first.click()
    keys = page.locator(".auth-container", has_text="X-Bkapi-Authorization").locator("input").first
    keys.fill(server.headers["X-Bkapi-Authorization"])
    page.locator(".auth-container", has_text="X-Bkapi-Authorization").get_by_role(
        "button", name="Apply credentials"
    ).first.click()
    page.locator(".modal-ux .close-modal").click()
    page.locator("#operations-Records-which_records").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute", exact=True).click()
    answer = page.locator(".live-responses-table .response").first
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    expect(answer).to_contain_text('"host_result"')
