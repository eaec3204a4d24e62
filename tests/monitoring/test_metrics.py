"""`/metrics`: who may ask, and what is counted where it happens."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY

from joblogs import audit, database
from joblogs.models import StepInstance
from joblogs.monitoring import stored
from tests import builders
from tests.builders import BATCH, asking
from tests.notices.receivers import saved_search

ROOT = Path(__file__).resolve().parent.parent.parent
TOKEN = "of Prometheus"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def token(settings) -> None:
    settings.METRICS_TOKEN_SHA256 = hashlib.sha256(TOKEN.encode()).digest()


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


def scraped(client) -> dict[str, float]:
    answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(number) for name, number in (line.rsplit(" ", 1) for line in lines)}


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}é"],
)
def test_it_refuses_whoever_does_not_hold_the_token(client, authorization: str) -> None:
    answer = client.get("/metrics", headers={"authorization": authorization})
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer["WWW-Authenticate"] == "Bearer"
    assert not answer.cookies


def test_without_a_token_set_it_is_not_there_for_anybody(client, settings) -> None:
    settings.METRICS_TOKEN_SHA256 = None
    for headers in ({}, {"authorization": "Bearer "}, {"authorization": f"Bearer {TOKEN}"}):
        assert client.get("/metrics", headers=headers).status_code == 404


def test_an_app_and_a_superuser_are_refused_as_well(client, admin_client) -> None:
    assert client.get("/metrics", headers=builders.credentials()).status_code == 401
    assert admin_client.get("/metrics").status_code == 401


def test_it_answers_prometheus_under_any_host_by_plain_http(client, settings) -> None:
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["logs.example.com"], True
    answer = client.get(
        "/metrics", headers={"authorization": f"bearer {TOKEN}", "host": "10.0.0.1"}
    )
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")


def test_records_are_counted_by_outcome_and_refusals_by_reason() -> None:
    names = [("outcome", "accepted"), ("outcome", "duplicate"), ("outcome", "refused")]
    before = [value("joblogs_records_total", **{k: v}) for k, v in names]
    gaps, size = (
        value("joblogs_records_refused_total", reason="gap"),
        value("joblogs_record_bytes_total"),
    )
    sent = [builders.job(), builders.step(), builders.result(), builders.script_log("hello\n")]
    builders.send(*sent)
    builders.send(sent[-1], builders.script_log("later", offset=99))
    after = [value("joblogs_records_total", **{k: v}) for k, v in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [4, 1, 1]
    assert value("joblogs_records_refused_total", reason="gap") - gaps == 1
    assert value("joblogs_record_bytes_total") - size > len(builders.lines(*sent)) - len(sent)


def test_reads_are_counted_by_channel_with_hosts_and_bytes(client) -> None:
    builders.load(builders.job(), builders.step(), *_printing(101), *_printing(102))
    names = [f"joblogs_{name}_total" for name in ("reads", "read_hosts", "read_bytes")]
    channel = "batch_get_job_instance_ip_log"
    before = [value(name, channel=channel) for name in names]
    body = asking(host_id_list=[101, 102])
    answer = client.post(BATCH, body, "application/json", headers=builders.credentials())
    assert answer.json()["result"] is True
    after = [value(name, channel=channel) for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 2, 12]


def _printing(host: int) -> list[builders.Fields]:
    return [builders.result(host), builders.script_log("hello\n", host=host)]


def test_a_read_that_could_not_be_recorded_is_counted(monkeypatch) -> None:
    builders.load(builders.job(), builders.step())
    before = value("joblogs_audit_lost_total")

    def refuse(row: object, **how: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(database, "insert_without_sync", refuse)
    step = StepInstance.objects.select_related("job__scope").get()
    read = audit.ReadEntry(
        who="zoe", app_code="", user_verified=True, channel=audit.Channel.RAW, step=step, hosts=1
    )
    read.end(1)
    assert value("joblogs_audit_lost_total") - before == 1


def test_it_tells_sizes_and_when_the_store_was_last_kept_up(client) -> None:
    first = scraped(client)
    assert first["joblogs_database_up"] == 1
    assert first["joblogs_database_bytes"] > 4096
    assert ("joblogs_chunks_bytes" in first) is (connection.vendor == "postgresql")
    assert not any("maintenance" in name for name in first)
    call_command("maintain_logs", "--dry-run")
    assert not any("maintenance" in name for name in scraped(client))
    call_command("maintain_logs")
    then = scraped(client)
    assert (
        then["joblogs_maintenance_finished_seconds"]
        >= then["joblogs_maintenance_started_seconds"]
        > 1e9
    )
    assert then['joblogs_maintenance_did{what="logs_merged"}'] == 0


def test_without_the_database_it_tells_what_was_counted(client, monkeypatch) -> None:
    elsewhere = {"sqlite": {"NAME": "/no/such/folder/file"}, "postgresql": {"PORT": "1"}}
    for key, other in elsewhere[connection.vendor].items():
        monkeypatch.setitem(connection.settings_dict, key, other)
    told = scraped(client)
    assert told["joblogs_database_up"] == 0
    assert "joblogs_audit_lost_total" in told
    assert "joblogs_database_bytes" not in told


COUNTING = """
import django, sys
django.setup()
from joblogs import metrics
metrics.text_read(channel="live", hosts=2, size=int(sys.argv[1]))
"""
ASKING = """
import django
django.setup()
from django.test import Client
print(Client().get("/metrics", headers={"authorization": "Bearer t"}).text)
"""


@pytest.mark.slow
def test_the_counts_of_several_processes_are_added_up(tmp_path: Path) -> None:
    environment = os.environ | {
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
        "METRICS_TOKEN_SHA256": hashlib.sha256(b"t").hexdigest(),
        # Whatever the database is: the counts do not come from it.
        "DATABASE_URL": "sqlite:////no/such/folder/file",
    }

    def run(code: str, *arguments: str) -> str:
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
        ).stdout

    run(COUNTING, "5")
    run(COUNTING, "7")
    lines = run(ASKING).splitlines()
    assert 'joblogs_read_bytes_total{channel="live"} 12.0' in lines
    assert "joblogs_database_up 0.0" in lines


@pytest.mark.slow
def test_a_command_leaves_no_counts_among_those_of_the_servers(tmp_path: Path) -> None:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, check=True)
    assert list(tmp_path.iterdir()) == []


def test_sizes_are_measured_every_five_minutes() -> None:
    now = 0.0
    sizes = stored.Sizes(lambda: now)
    with CaptureQueriesContext(connection) as made:
        first = sizes()
        assert first[0] > 4096
        once = len(made)
        now = 299.0
        assert sizes() == first
        assert len(made) == once
        now = 300.0
        sizes()
        assert len(made) == 2 * once > 0


def test_it_tells_what_waits_to_be_sent(client) -> None:
    before = scraped(client)
    assert (before["joblogs_notices_waiting"], before["joblogs_notice_work_rows"]) == (0, 0)
    saved_search("http://127.0.0.1:9/", pattern="x")
    builders.load(builders.job(), builders.step(), builders.result(), builders.script_log())
    assert scraped(client)["joblogs_notice_work_rows"] == 1
