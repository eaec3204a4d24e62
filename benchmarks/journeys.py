"""How much code a request passes through: `python -m benchmarks.journeys [--list]`.

Counts the functions of this project, and the files that hold them, which run while one warm request
is answered: a batch read of two hosts, four records taken in, the page of the step that they made.
Comprehensions, lambdas and what runs once at the start are left out. `--list` names the functions.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import django

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (f"{ROOT}/joblogs/", f"{ROOT}/jobplatform/")
UNNAMED = ("<module>", "<lambda>", "<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>")


def functions_of(request: Callable[[], object]) -> set[CodeType]:
    """The named functions of this project that run during a request."""
    codes: set[CodeType] = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(PACKAGES):
            codes.add(code)

    sys.setprofile(note)
    try:
        request()
    finally:
        sys.setprofile(None)
    return {code for code in codes if code.co_name not in UNNAMED}


def must(be_true: bool) -> None:
    """Refuse to count a request that failed."""
    if not be_true:
        raise SystemExit("A request was not answered as expected; nothing is counted.")


def journeys() -> dict[str, Callable[[], object]]:
    """Three requests, each of which can be made again, on a store with the recorded demo."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client

    from joblogs.management.commands import demo
    from tests import builders

    settings.ALLOWED_HOSTS = ["testserver"]
    with open(os.devnull, "w") as nowhere:
        call_command("demo", no_serve=True, stdout=nowhere)
    headers = builders.credentials(write=True)
    api, staff = Client(), Client()
    staff.force_login(get_user_model().objects.get(username=demo.NAME))
    numbers = iter(range(1, 100))

    def batch_read() -> None:
        body = json.dumps(demo.LISTED)
        answer = api.post(builders.BATCH, body, "application/json", headers=headers)
        must(b'"code":0' in b"".join(answer))

    def records() -> None:
        job = next(numbers)
        body = builders.lines(
            builders.job(job),
            builders.step(job=job),
            builders.result(job=job),
            builders.script_log(job=job),
        )
        answer = api.post("/api/v1/records", body, "application/x-ndjson", headers=headers)
        must(answer.json()["data"]["accepted"] == 4)

    def step_page() -> None:
        must(staff.get("/logs/biz/2/jobs/1/steps/200/").status_code == 200)

    return {
        "batch read of two hosts": batch_read,
        "POST of four records": records,
        "page of a step": step_page,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.journeys", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the functions")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="joblogs-journeys-") as folder:
        os.environ |= {
            "DATABASE_URL": f"sqlite:///{folder}/journeys.sqlite3",
            "DJANGO_SETTINGS_MODULE": "jobplatform.settings",
            "SECRET_KEY": "of a benchmark",
        }
        django.setup()
        sys.stdout.write("| request | functions | files |\n|---|---|---|\n")
        for name, request in journeys().items():
            request()
            codes = functions_of(request)
            files = {code.co_filename for code in codes}
            sys.stdout.write(f"| {name} | {len(codes)} | {len(files)} |\n")
            if arguments.list:
                places = sorted((code.co_filename, code.co_qualname) for code in codes)
                for file, function in places:
                    sys.stdout.write(f"    {Path(file).relative_to(ROOT)}: {function}\n")


if __name__ == "__main__":
    main()
