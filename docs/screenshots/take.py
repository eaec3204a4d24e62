"""Takes the pictures of this folder anew: the pages of the demo, in Chromium.

    make screenshots

or `.venv/bin/python -m docs.screenshots.take`, which needs what the tests need. The demo's runs are
recorded, so only what a change of the pages changed looks different afterwards.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import django
from playwright.sync_api import Browser, StorageState, sync_playwright

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.serving import manage, serving  # noqa: E402 - what it builds upon needs Django

HERE = Path(__file__).parent
WIDE, NARROW = (1280, 900), (390, 844)
JOB = "/logs/biz/2/jobs/1001/"
SCRIPT, FILES = JOB + "steps/10011/", JOB + "steps/10013/"


class Shot(NamedTuple):
    """A picture: its page, the window's size, the colours."""

    page: str
    address: str
    size: tuple[int, int] = WIDE
    scheme: str = "light"
    height: int = 0
    """Of the window, where that of its kind shows too little or too much."""

    @property
    def file(self) -> Path:
        return HERE / f"{self.page}-{'wide' if self.size == WIDE else 'narrow'}-{self.scheme}.png"


SHOTS = [
    Shot("jobs", "/logs/", scheme="dark", height=420),
    Shot("jobs", "/logs/", NARROW),
    Shot("job", JOB, height=420),
    Shot("step", SCRIPT, height=1200),
    Shot("step", SCRIPT, NARROW, "dark"),
    Shot("file", FILES),
    Shot("file", FILES, NARROW, "dark"),
    Shot("log", SCRIPT + "hosts/142/?error=0"),
    Shot("log", SCRIPT + "hosts/142/?error=0", NARROW),
    Shot("search", SCRIPT + "search/?q=checksum", scheme="dark"),
    Shot("compare", SCRIPT + "hosts/142/compare/"),
    Shot("host", "/logs/hosts/142/", NARROW, "dark"),
    Shot("admin", "/admin/joblogs/jobinstance/", height=420),
]


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is not installed (Debian: apt-get install chromium fonts-noto-cjk).")
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), workers=1) as server:
        said = manage(server.environment, "demo", "--no-serve")
        url = f"http://127.0.0.1:{server.port}"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            state = log_in(browser, url, said)
            for shot in SHOTS:
                take(browser, url, state, shot)
            browser.close()


def log_in(browser: Browser, url: str, said: str) -> StorageState:
    found = re.search(r"user demo, password (\S+)", said)
    assert found, said  # noqa: S101 - the demo says it
    context = browser.new_context(base_url=url, timezone_id="Asia/Shanghai")
    page = context.new_page()
    page.goto("/logs/")
    page.get_by_label("Username:").fill("demo")
    page.get_by_label("Password:").fill(found[1])
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Jobs", exact=True).wait_for()
    return context.storage_state()


def take(browser: Browser, url: str, state: StorageState, shot: Shot) -> None:
    width, height = shot.size
    context = browser.new_context(
        base_url=url,
        storage_state=state,
        locale="en",
        timezone_id="Asia/Shanghai",
        color_scheme=shot.scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": shot.height or height},
    )
    page = context.new_page()
    page.goto(shot.address)
    page.screenshot(path=shot.file)
    context.close()
    sys.stdout.write(f"{shot.file.name}: {shot.file.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
