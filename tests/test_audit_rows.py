"""When the row of a read is written, what it says, and what happens where it cannot be."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from joblogs.audit import Channel, ReadEntry
from joblogs.models import LogRead, StepInstance
from tests import builders
from tests.builders import BATCH, JOB, STEP, asking, file_log, job, load, result, script_log, step
from tests.pages.page_helpers import page, reads, staff

RAW = "/api/v1/biz/2/jobs/100/steps/200/hosts/101/log"
EXPORT = "/api/v1/biz/2/export"
STATUS = "/api/v3/get_step_instance_status"
SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "2"}


@pytest.fixture
def store(db: None) -> None:
    load(job(), step(), *(result(host, status=9) for host in (101, 102)))
    load(*(script_log("printed\n", host=host) for host in (101, 102)))


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("format", ["ndjson", "zip", "txt", "csv"])
def test_an_export_that_is_held_open_has_left_its_row(format: str) -> None:
    answer = Client().get(f"{EXPORT}?format={format}", headers=builders.credentials())
    assert reads() == [("zoe", "export", 2, 16)]
    answer.getvalue()
    assert reads() == [("zoe", "export", 2, 16)]


@pytest.mark.usefixtures("store")
def test_a_file_that_is_held_open_has_left_its_row() -> None:
    load(step(201, step_type=2), result(101, step=201, status=9))
    load(file_log(101, step=201, offset=0, content="copied\n"))
    held = [
        staff().get(page("log-download")),
        Client().get(RAW, headers=builders.credentials()),
        Client().get(f"{EXPORT}?format=txt&step=201", headers=builders.credentials()),
    ]
    assert [row[1:] for row in reads()] == [
        ("page download", 1, 8),
        ("raw log", 1, 8),
        ("export", 1, 7),
    ]
    for answer in held:
        answer.getvalue()
    assert len(reads()) == 3


@pytest.mark.django_db(transaction=True)
def test_a_streamed_answer_is_corrected_to_what_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    load(job(), step(), *(result(host, status=9) for host in (101, 102)))
    load(*(script_log("printed\n", host=host) for host in (101, 102)))
    monkeypatch.setattr("joblogs.api.streaming.BUFFER_BYTES", 1)
    monkeypatch.setattr("joblogs.api.streaming.BLOCK_BYTES", 1)
    keys = builders.credentials()
    answer: Any = Client().post(BATCH, asking(), "application/json", headers=keys)
    assert (answer.streaming, reads()) == (True, [("zoe", BATCH.rpartition("/")[2], 2, 16)])
    parts = iter(answer.streaming_content)
    while b"printed" not in next(parts):
        pass
    answer.close()
    assert [row[2:] for row in reads()] == [(2, 8)]


@pytest.mark.usefixtures("store")
def test_an_answer_that_is_whole_in_memory_is_recorded_in_one_statement() -> None:
    client, keys = staff(), builders.credentials()
    asks: list[Any] = [
        lambda: Client().post(BATCH, asking(), "application/json", headers=keys),
        lambda: client.get(page("log")),
        lambda: client.get(page("step", host=None)),
    ]
    for ask in asks:
        with CaptureQueriesContext(connection) as asked:
            ask()
        told = [q["sql"] for q in asked.captured_queries if "logread" in q["sql"]]
        assert [statement.split()[0] for statement in told] == ["INSERT"]


@pytest.fixture
def minute(monkeypatch: pytest.MonkeyPatch) -> list[datetime.datetime]:
    """A clock that stands still in the middle of a minute unless it is moved."""
    now = [datetime.datetime(2026, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)]
    monkeypatch.setattr(timezone, "now", lambda: now[0])
    return now


@pytest.mark.django_db
def test_polls_of_a_minute_are_one_row_of_each_caller_and_step(
    minute: list[datetime.datetime],
) -> None:
    load(job(), step(), result(status=7), script_log("12345678"))
    client, keys, others = staff(), builders.credentials(), builders.credentials("other", user="y")
    for _ in range(3):
        Client().get(f"{RAW}?offset=6&wait=1", headers=keys).getvalue()
        client.get(page("log-more") + "?byte=4")
    Client().get(f"{RAW}?offset=7", headers=others).getvalue()
    assert reads() == [
        ("zoe", "raw log", 1, 6),
        ("zoe", "page follow", 1, 12),
        ("y", "raw log", 1, 1),
    ]
    answers = LogRead.objects.order_by("pk").values_list("answers", flat=True)
    assert list(answers) == [3, 3, 1]
    minute[0] += datetime.timedelta(minutes=1)
    Client().get(f"{RAW}?offset=6", headers=keys).getvalue()
    assert reads()[3:] == [("zoe", "raw log", 1, 2)]
    # A read that is no poll has a row of its own.
    Client().get(RAW, headers=keys).getvalue()
    assert reads()[4:] == [("zoe", "raw log", 1, 8)]


@pytest.mark.usefixtures("store")
def test_looking_for_a_text_is_a_read_where_nothing_holds_it() -> None:
    keys = builders.credentials()
    asked = asking(grep="nowhere")
    envelope = Client().post(BATCH, asked, "application/json", headers=keys).json()
    assert [log["log_content"] for log in envelope["data"]["script_task_logs"]] == ["", ""]
    place: dict[str, Any] = {"job_instance_id": JOB, "step_instance_id": STEP, "keyword": "nowhere"}
    Client().get(STATUS, place | SCOPE, headers=keys)
    Client().get(f"{EXPORT}?format=txt&contains=nowhere", headers=keys)
    staff().get(page("search", host=None) + "?q=nowhere")
    assert [row[1:] for row in reads()] == [
        ("batch_get_job_instance_ip_log", 2, 16),
        ("get_step_instance_status", 2, 16),
        ("export", 2, 16),
        ("page search", 2, 16),
    ]


@pytest.mark.usefixtures("store")
def test_an_export_of_what_holds_a_text_tells_all_that_was_looked_through() -> None:
    load(script_log("and more\n", host=102, offset=8))
    keys = builders.credentials()
    Client().get(f"{EXPORT}?format=txt&contains=more", headers=keys).getvalue()
    assert [row[1:] for row in reads()] == [("export", 2, 8 + 17)]


@pytest.mark.usefixtures("store")
def test_a_row_tells_whether_the_name_was_verified_or_only_said() -> None:
    Client().post(BATCH, asking(), "application/json", headers=builders.credentials(user="boss"))
    staff("yan").get(page("log"))
    told = LogRead.objects.order_by("pk").values_list("who", "app_code", "user_verified")
    assert list(told) == [("boss", "granted", False), ("yan", "", True)]


@pytest.fixture
def broken(transactional_db: None) -> Iterator[None]:
    """A store in which reads cannot be recorded."""
    load(job(), step(), result(status=9), script_log("printed\n"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE joblogs_logread RENAME TO joblogs_away")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE joblogs_away RENAME TO joblogs_logread")


@pytest.mark.usefixtures("broken")
def test_where_the_audit_is_required_nothing_is_read_without_its_row(settings: Any) -> None:
    settings.AUDIT_REQUIRED = True
    keys, client = builders.credentials(), staff()
    apis: list[Any] = [
        Client().post(BATCH, asking(), "application/json", headers=keys),
        Client().post(BATCH, asking(grep="printed"), "application/json", headers=keys),
        Client().get(RAW, headers=keys),
        *(Client().get(f"{EXPORT}?format={f}", headers=keys) for f in ("ndjson", "zip", "txt")),
    ]
    assert [answer.json()["code"] for answer in apis] == [1240002] * len(apis)
    pages = [page("log"), page("log-more") + "?byte=0", page("log-download")]
    pages += [page("compare") + "?to=host&other=101", page("step-export", host=None)]
    answers = [client.get(address) for address in pages]
    assert [answer.status_code for answer in answers] == [503] * len(pages)
    assert not any(b"printed" in answer.content for answer in answers)
    jobs = reverse("staff:jobs")  # what holds no log text is shown all the same
    assert client.get(jobs).status_code == 200


@pytest.fixture
def locked(transactional_db: None) -> Iterator[None]:
    """A store in which somebody else holds the lock that the row of a read needs."""
    load(job(), step(), result(status=9), script_log("printed\n"))
    builders.credentials()
    holding = connection.copy()
    holding.ensure_connection()
    holding.set_autocommit(False)
    with holding.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("LOCK TABLE joblogs_logread IN ACCESS EXCLUSIVE MODE")
        else:
            cursor.execute("UPDATE joblogs_scope SET name = name")
    yield
    holding.rollback()
    holding.close()


def test_a_read_goes_on_where_its_row_would_have_to_wait(
    locked: None, caplog: pytest.LogCaptureFixture
) -> None:
    step = StepInstance.objects.select_related("job__scope").get()
    for _ in range(2):
        # The second one comes by a connection of its own: the first was given up.
        read = ReadEntry(
            who="zoe", app_code="", user_verified=True, channel=Channel.PAGE, step=step, hosts=1
        )
        read.end(8)
    lost = [r for r in caplog.records if r.name == "joblogs.audit" and r.levelname == "ERROR"]
    assert len(lost) == 2
    assert "through page log, job 100, step 200, 1 hosts, 8 bytes" in lost[0].getMessage()
