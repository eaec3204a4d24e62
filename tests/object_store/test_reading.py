"""What readers get while the object store does not return logs: an error, or the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from joblogs.errors import Unavailable
from joblogs.maintenance import fingerprinting, moving
from joblogs.models import HostResult, JobInstance, StoredObject
from tests.builders import BATCH, asking, credentials, load, result, script_log, send
from tests.pages.page_helpers import page, staff

from .faulty_server import FaultyServer, Mode
from .scenes import maintain, old_job, stored, text_of

pytestmark = pytest.mark.django_db

PLACE = ("biz", "2", 1, 2)
STEP: dict[str, str | int] = {
    "bk_scope_type": "biz",
    "bk_scope_id": "2",
    "job_instance_id": 1,
    "step_instance_id": 2,
}


@pytest.fixture
def moved(faulty: FaultyServer) -> FaultyServer:
    """A step whose logs lie in an object, but for that of a host that came late."""
    old_job(1)
    maintain()
    load(result(9, job=1, step=2, status=9), script_log("it came late\n", host=9, job=1, step=2))
    fingerprinting.take(list(HostResult.objects.all()))
    assert StoredObject.objects.exists()
    return faulty


def _asked(client: Client, hosts: list[int]) -> dict[str, Any]:
    body = json.dumps(asking(1, 2, host_id_list=hosts))
    headers = credentials()
    answer = client.post(BATCH, body, content_type="application/json", headers=headers)
    return dict(answer.json())


def _page(name: str, *, host: int | None, **query: str) -> tuple[int, str]:
    response = staff().get(page(name, host=host, place=PLACE), query)
    return response.status_code, response.content.decode()


@pytest.mark.parametrize("mode", [Mode.BUSY, Mode.CUT, Mode.CHANGED])
def test_an_answer_that_needs_such_a_log_is_an_error(
    moved: FaultyServer, client: Client, mode: Mode
) -> None:
    whole = _asked(client, [1, 9])
    assert whole["result"] is True
    moved.mode = mode
    answer = _asked(client, [1, 9])
    assert (answer["result"], answer["code"], answer["data"]) == (False, 1240002, None)
    assert "对象存储" in answer["message"]
    assert _asked(client, [9])["result"] is True
    moved.mode = Mode.WELL
    assert _asked(client, [1, 9])["data"] == whole["data"]


def test_our_own_log_has_no_traceback_for_it(
    moved: FaultyServer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    moved.mode = Mode.BUSY
    _asked(client, [1])
    assert "was not answered: ObjectUnreachable" in caplog.text
    assert "batch_log.py" not in caplog.text


def test_one_log_of_it_is_an_error_too(moved: FaultyServer, client: Client) -> None:
    moved.mode = Mode.BUSY
    query = STEP | {"bk_host_id": 1}
    answer = client.get("/api/v3/get_job_instance_ip_log", query, headers=credentials())
    assert answer.json()["code"] == 1240002


def test_the_page_of_a_step_shows_what_is_known_and_names_what_is_not(moved: FaultyServer) -> None:
    moved.mode = Mode.BUSY
    status, html = _page("step", host=None)
    assert status == 200
    assert "cannot be read now" in html
    assert "it came late" in html
    moved.mode = Mode.WELL


@pytest.mark.parametrize("mode", [Mode.BUSY, Mode.CUT])
def test_the_table_of_hosts_calls_no_log_complete_that_cannot_be_read(
    moved: FaultyServer, mode: Mode
) -> None:
    reader = staff()

    def gone(**query: str) -> int:
        html = reader.get(page("step", host=None, place=PLACE), query).content.decode()
        return html.count("cannot be read now</span>")

    assert gone() == 0
    moved.mode = mode
    assert gone() == 5  # also those of which no line stands on the page
    assert gone(q="9") == 0


def test_the_page_of_a_log_says_that_it_cannot_be_read_now(moved: FaultyServer) -> None:
    moved.mode = Mode.BUSY
    status, html = _page("log", host=1)
    assert status == 503
    assert "This log cannot be read now" in html
    assert "This host has no output" not in html
    assert "0 bytes" not in html


def test_the_page_of_another_log_opens(moved: FaultyServer) -> None:
    moved.mode = Mode.BUSY
    status, html = _page("log", host=9)
    assert (status, "it came late" in html) == (200, True)


@pytest.mark.parametrize("mode", [Mode.BUSY, Mode.CUT, Mode.CHANGED])
def test_a_search_goes_through_the_others_and_says_which_it_left_out(
    moved: FaultyServer, mode: Mode
) -> None:
    moved.mode = mode
    status, html = _page("search", host=None, q="late")
    assert status == 200
    assert "5 logs cannot be read now and were not searched" in html
    assert "1 line" in " ".join(html.split())
    moved.mode = Mode.WELL


def test_a_page_that_compares_such_logs_says_which_side(moved: FaultyServer) -> None:
    reader = staff()
    sides = {"left": "The log on the left, of", "right": "The log on the right, of"}

    def gone(host: int, other: int) -> tuple[int, list[str]]:
        query = {"to": "host", "other": str(other)}
        response = reader.get(page("compare", host=host, place=PLACE), query)
        html = response.content.decode()
        return response.status_code, [name for name, text in sides.items() if text in html]

    moved.mode = Mode.BUSY
    assert gone(1, 9) == (503, ["left"])
    assert gone(9, 1) == (503, ["right"])
    assert gone(1, 2) == (503, ["left", "right"])
    moved.mode = Mode.WELL
    assert gone(1, 9) == (200, [])


def test_a_page_that_follows_such_a_log_stays_where_it_is(moved: FaultyServer) -> None:
    reader, address = staff(), page("log-more", host=1, place=PLACE)
    moved.mode = Mode.BUSY
    response = reader.get(address, {"byte": "10"})
    assert (response.status_code, response.json()) == (503, {"unreachable": True})
    moved.mode = Mode.WELL
    assert reader.get(address, {"byte": "10"}).json()["start"] == 10


def test_a_search_over_history_says_which_logs_it_left_out(moved: FaultyServer) -> None:
    moved.mode = Mode.CUT
    query = {"q": "it came late", "since": "2020-01-01", "until": "2020-01-01"}
    day = JobInstance.objects.get().day.isoformat()
    response = staff().get(reverse("staff:history"), query | {"since": day, "until": day})
    html = " ".join(response.content.decode().split())
    assert response.status_code == 200
    assert "5 logs could not be read now, and were not searched." in html
    assert "</a>: 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5</p>" in html
    assert "it came late" in html


@pytest.mark.parametrize("format", ["zip", "txt", "csv", "ndjson"])
@pytest.mark.parametrize("mode", [Mode.BUSY, Mode.CUT])
def test_an_export_that_would_end_early_does_not_begin(
    moved: FaultyServer, mode: Mode, format: str
) -> None:
    reader, address = staff(), page("step-export", host=None, place=PLACE)
    assert _exported(reader, address, format=format)[0] == 200
    moved.mode = mode
    status, body = _exported(reader, address, format=format)
    assert (status, b"cannot be read now" in body) == (503, True)
    # Of hosts whose logs are there it begins and ends.
    assert _exported(reader, address, format=format, q="9")[0] == 200


def _exported(reader: Client, address: str, **query: str) -> tuple[int, bytes]:
    response = reader.get(address, query)
    body = b"".join(response) if response.streaming else response.content
    return response.status_code, body


def test_an_export_that_lacks_an_object_behind_its_beginning_does_not_begin(
    faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "OBJECT_BYTES", 1000)
    old_job(1, hosts=3, lines=20_000)
    maintain()
    assert StoredObject.objects.count() == 3
    last = StoredObject.objects.order_by("-pk")[0]
    for name in list(faulty.objects):
        if name.endswith(last.key):
            faulty.objects[name] = faulty.objects[name][:-1]
    address = page("step-export", host=None, place=PLACE)
    assert _exported(staff(), address, format="txt")[0] == 503


def test_a_torn_object_keeps_nobody_from_logs_in_others(faulty: FaultyServer) -> None:
    old_job(1)
    old_job(3, days=101)
    maintain()
    first, _ = StoredObject.objects.order_by("-day")
    for name in list(faulty.objects):
        if name.endswith(first.key):
            faulty.objects[name] = faulty.objects[name][:50]
    assert _page("log", host=1)[0] == 503
    other = staff("yan").get(page("log", host=1, place=("biz", "2", 3, 6)))
    assert other.status_code == 200


def test_pieces_for_such_a_log_are_not_taken_until_it_can_be_had(moved: FaultyServer) -> None:
    """Whoever sends them comes again: nothing of them is refused for good."""
    body = [script_log(text_of(1), host=1, job=1, step=2)]
    late = [script_log("late\n", host=1, job=1, step=2, offset=len(text_of(1)))]
    moved.mode = Mode.BUSY
    for records in (body, late):
        with pytest.raises(Unavailable):
            send(*records)
    moved.mode = Mode.WELL
    before = stored()
    assert send(*body).duplicates == 1
    assert stored() == before
    assert send(*late).accepted == 1
    (pk, *_) = before
    assert stored() == before | {pk: before[pk] + b"late\n"}


def test_a_log_that_grew_leaves_its_object_and_the_others_stay_whole(moved: FaultyServer) -> None:
    send(script_log("late\n", host=1, job=1, step=2, offset=len(text_of(1))))
    before = stored()
    maintain()
    assert stored() == before
    one = StoredObject.objects.get()
    assert one.size == one.held_size
