"""A format is one entry: where it is offered, documented and served follows."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from joblogs.api.openapi import OPERATIONS
from joblogs.export import Format
from tests import builders
from tests.builders import job, load, result, script_log, step
from tests.pages.page_helpers import page, staff

ROOT = Path(__file__).resolve().parents[2]
EXPORT = "/api/v1/biz/2/export"


@pytest.fixture
def stored(db: None) -> None:
    load(job(status=3), step(status=3), result(status=9), script_log("done\n"))


@pytest.mark.parametrize("format", list(Format))
def test_command_api_and_pages_give_it(stored: None, format: Format, tmp_path: Path) -> None:
    target = tmp_path / "made"
    call_command(
        *("export_logs", "--format", str(format), "--output", str(target)), stderr=io.StringIO()
    )
    assert target.stat().st_size > 0
    answer = Client().get(f"{EXPORT}?format={format}", headers=builders.credentials())
    assert answer["Content-Type"] == format.content_type
    assert f'.{format}"' in answer["Content-Disposition"]
    shown = staff().get(page("step", host=None)).content.decode()
    assert f'href="export?format={format}' in shown


@pytest.mark.parametrize("format", list(Format))
def test_it_is_documented(format: Format) -> None:
    documented = OPERATIONS["/api/v1/{scope_type}/{scope_id}/export", "GET"]
    (shape,) = [one for one in documented["parameters"] if one["name"] == "format"]
    assert str(format) in shape["schema"]["enum"]
    assert format.content_type.partition(";")[0] in documented["responses"]["200"]["content"]
    for name, mark in (("operations.md", "- **{}**:"), ("api.md", "`{}`"), ("api.zh.md", "`{}`")):
        assert mark.format(format) in (ROOT / "docs" / name).read_text("utf-8"), name
