"""Who read what is kept for as long as its own setting says."""

from __future__ import annotations

import datetime
import io
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from joblogs.maintenance import audit_log
from joblogs.models import LogRead

pytestmark = pytest.mark.django_db


def _read(days_ago: int, times: int = 1) -> None:
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    said: dict[str, Any] = {"channel": "raw log", "scope_type": "biz", "scope_id": "2"}
    said |= {"job_instance_id": 1, "host_count": 1, "size": 1}
    at = midnight - datetime.timedelta(days=days_ago)
    LogRead.objects.bulk_create(LogRead(at=at, who=str(days_ago), **said) for _ in range(times))


def _maintain(*options: str) -> str:
    out = io.StringIO()
    call_command("maintain_logs", *options, stdout=out)
    return out.getvalue()


def _left() -> list[str]:
    return list(LogRead.objects.order_by("at").values_list("who", flat=True))


def test_older_ones_go_and_the_dry_run_counts_the_same(settings: Any) -> None:
    settings.AUDIT_RETENTION_DAYS = 30
    for days in (31, 31, 30, 29):
        _read(days)
    said = "2 records of reads dropped"
    assert said in _maintain("--dry-run")
    assert _left() == ["31", "31", "30", "29"]
    assert said in _maintain()
    assert _left() == ["30", "29"]
    assert "0 records of reads dropped" in _maintain()


def test_without_the_setting_none_goes(settings: Any) -> None:
    settings.LOG_RETENTION_DAYS = settings.HISTORY_RETENTION_DAYS = 1
    _read(4000)
    assert "0 records of reads dropped" in _maintain()
    assert _left() == ["4000"]


def test_they_go_oldest_first_in_bounded_statements_and_within_a_limit(
    settings: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    settings.AUDIT_RETENTION_DAYS = 1
    monkeypatch.setattr(audit_log, "AT_ONCE", 4)
    _read(9, times=7)
    _read(10, times=3)
    assert "5 records of reads dropped" in _maintain("--limit", "5", "--dry-run")
    assert "5 records of reads dropped" in _maintain("--limit", "5")
    assert _left() == ["9"] * 5
    # Two full statements' worth of keys, and a last look; one at the searches.
    with django_assert_num_queries(6):
        assert audit_log.forget(timezone.now().date(), limit=None) == 5
    assert _left() == []
