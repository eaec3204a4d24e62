"""What Citus cannot run is not asked: the tables of text may lie on other servers than the rest."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.builders import job, load, result, script_log, step
from tests.pages.page_helpers import page, staff

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Citus extends PostgreSQL"),
]
DISTRIBUTED = {"joblogs_logchunk", "joblogs_logfeatures", "joblogs_logpack"}
BEFORE = 1_600_000_000_000
"""Milliseconds: a job that ended long ago."""


def ship(number: int) -> None:
    """A job of two steps, each with two hosts."""
    load(job(number, status=3, create_time=BEFORE, end_time=BEFORE))
    for own in (number * 10, number * 10 + 1):
        place = {"job": number, "step": own}
        load(step(own, job=number, status=3, create_time=BEFORE, end_time=BEFORE))
        for host in (1, 2):
            load(
                result(host, **place, status=9, end_time=BEFORE),
                script_log("begun\n", host=host, **place),
                script_log(f"by {host}\n", offset=6, host=host, **place),
            )


def test_no_statement_joins_the_text_with_other_tables(settings: Any, tmp_path: Any) -> None:
    others = {model._meta.db_table for model in apps.get_models()} - DISTRIBUTED
    settings.PACK_AFTER_DAYS = 1
    with CaptureQueriesContext(connection) as captured:
        ship(1)
        ship(2)
        staff().get(page("step", host=None, place=("biz", "2", 1, 10)))
        for _ in range(2):  # chunks, and then packs
            call_command("export_logs", format="ndjson", output=str(tmp_path / "out"), force=True)
            call_command("search_logs", "by 1", "--since=2020-09-13", "--until=2020-09-13")
            call_command("verify_logs")
            call_command("maintain_logs", every_day=True)
            call_command("redact_logs", texts=_file(tmp_path / "texts", "by 2"))
        load(script_log("late\n", offset=11, host=1, job=1, step=10))
        call_command("remove_jobs", "--scope=biz:2", "--job=2")
        settings.LOG_RETENTION_DAYS = 1
        call_command("maintain_logs", every_day=True)
    statements = [query["sql"] for query in captured.captured_queries]
    assert any("joblogs_logpack" in statement for statement in statements)
    for statement in statements:
        tables = set(re.findall(r'"(joblogs_[a-z]+)', statement))
        if tables & DISTRIBUTED:
            assert not tables & others, statement
            if "FOR UPDATE" in statement:  # of one host or step only: on one server
                assert re.search(r"(step_id|host_result_id)\"? = \d", statement), statement


def _file(path: Any, text: str) -> str:
    path.write_text(text)
    return str(path)
