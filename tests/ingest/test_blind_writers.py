"""An app that may write a scope, but not read it, does not read a log by sending it again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from joblogs import times
from joblogs.access import Writer
from joblogs.ingest import Report
from joblogs.ingest.overlaps import CONFLICTS_MAX, WITHIN_MS, forget_conflicts
from joblogs.models import HostResult, JobInstance, LogConflict, Scope
from tests.builders import (
    Fields,
    credentials,
    file_log,
    job,
    lines,
    load,
    result,
    script_log,
    send,
    step,
)

pytestmark = pytest.mark.django_db
HELD = "the password of the database is Tr0ub4dor&3, keep it, and tell it nobody at all\n"
GUESSES = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 &,\n"


@pytest.fixture(params=["script log", "file log"])
def kind(request: pytest.FixtureRequest) -> str:
    load(job(), step(), result(), script_log(HELD))
    load(step(201, step_type=2), result(step=201), file_log(step=201, offset=0, content=HELD))
    return str(request.param)


def _piece(kind: str, offset: int, content: str) -> Fields:
    if kind == "script log":
        return script_log(content, offset=offset)
    return file_log(step=201, offset=offset, content=content)


def _writer(*, app: int = 1, **rights: Any) -> Writer:
    scopes = frozenset(Scope.objects.values_list("pk", flat=True))
    return Writer(every_scope=False, scope_ids=scopes, app=app, **rights)


def _answer(report: Report) -> tuple[int, int, list[tuple[str, int | None]]]:
    told = [(str(entry.reason), entry.expected_offset) for entry in report.refused]
    return report.accepted, report.duplicates, told


REFUSED = (0, 0, [("conflict", len(HELD))])


def _learnt(kind: str, places: range, *, before: int) -> str:
    """What an attack by single bytes reads, with so many known ones before the guessed one."""
    found = ""
    for place in places:
        known = HELD[max(0, place - before) : place]
        pieces = [_piece(kind, place - len(known) + n, byte) for n, byte in enumerate(known)]
        for guess in GUESSES:
            sent = send(*pieces, _piece(kind, place, guess), writer=_writer())
            if not sent.refused_total:
                found += guess
                break
    return found


@pytest.mark.parametrize("before", [0, 63])
@pytest.mark.parametrize("places", [range(32, 35), range(len(HELD) - 1, len(HELD) - 4, -1)])
def test_a_log_is_not_read_by_guesses(kind: str, places: range, before: int) -> None:
    assert _learnt(kind, places, before=before) == ""
    assert len(LogConflict.objects.get().times) == CONFLICTS_MAX


def test_after_so_many_conflicts_what_is_right_is_refused_as_what_is_wrong(kind: str) -> None:
    for _ in range(CONFLICTS_MAX):
        assert _answer(send(_piece(kind, 3, "?"), writer=_writer())) == REFUSED
    assert _answer(send(_piece(kind, 3, "?"), writer=_writer())) == REFUSED
    assert _answer(send(_piece(kind, 0, HELD), writer=_writer())) == REFUSED
    assert _answer(send(_piece(kind, 0, HELD + "more"), writer=_writer())) == REFUSED
    # What only goes on is taken, and other writers are not bound by it.
    assert send(_piece(kind, len(HELD), "more"), writer=_writer()).accepted == 1
    assert send(_piece(kind, 0, HELD), writer=_writer(app=2)).duplicates == 1
    assert send(_piece(kind, 0, HELD), writer=_writer(reads_every_scope=True)).duplicates == 1
    assert send(_piece(kind, 0, HELD)).duplicates == 1


def test_conflicts_count_for_a_day(kind: str) -> None:
    for _ in range(CONFLICTS_MAX):
        send(_piece(kind, 3, "?"), writer=_writer())
    known = LogConflict.objects.get()
    known.times[0] -= WITHIN_MS
    known.save()
    assert send(_piece(kind, 0, HELD), writer=_writer()).duplicates == 1
    forget_conflicts()
    assert LogConflict.objects.count() == 1
    LogConflict.objects.update(latest=times.now() - WITHIN_MS - 1)
    forget_conflicts()
    assert LogConflict.objects.count() == 0


def test_the_pieces_of_a_log_are_answered_as_a_whole(kind: str) -> None:
    right = [_piece(kind, n, HELD[n]) for n in range(10)]
    wrong = _piece(kind, 5, "?")
    end = _piece(kind, len(HELD), "and more\n")
    for sent in ([*right, wrong], [wrong, *right], [end, wrong, *right], [*right[:5], wrong, end]):
        report = send(*sent, writer=_writer())
        assert _answer(report) == REFUSED
        assert report.refused_total == len(sent)
        assert report.refused[0].line == 1
    assert _answer(send(*right, writer=_writer())) == (0, 10, [])
    assert _answer(send(*right, end, writer=_writer())) == (1, 10, [])
    assert send(_piece(kind, 0, HELD + "and more\n")).duplicates == 1


def test_a_gap_behind_a_repeat_is_told_as_a_gap(kind: str) -> None:
    report = send(_piece(kind, 0, HELD), _piece(kind, 1000, "x"), writer=_writer())
    assert _answer(report) == (0, 1, [("gap", len(HELD))])


def test_who_may_read_is_told_of_each_piece(kind: str) -> None:
    scope = frozenset(JobInstance.objects.values_list("scope", flat=True))
    for rights in ({"reads_every_scope": True}, {"readable_ids": scope}):
        sent = [_piece(kind, 0, "the "), _piece(kind, 4, "wrong"), _piece(kind, 9, "ord")]
        report = send(*sent, writer=_writer(**rights))
        assert (report.duplicates, report.refused_total) == (2, 1)
    assert LogConflict.objects.count() == 0


def test_over_masked_ranges_a_repeat_goes_by_its_length(kind: str) -> None:
    HostResult.objects.update(redacted=[[32, 43]], masked=1)
    if kind == "script log":
        sent = HELD[:32] + "x" * 11 + HELD[43:] + "more"
        assert send(_piece(kind, 0, sent), writer=_writer()).accepted == 1
    else:
        assert send(_piece(kind, 0, HELD), writer=_writer()).duplicates == 1


def test_a_new_log_may_repeat_itself(kind: str) -> None:
    load(result(102), result(102, step=201))
    sent = [_piece(kind, 0, "abc"), _piece(kind, 1, "bc")]
    own = [piece | {"bk_host_id": 102} for piece in sent]
    for piece in own:
        if "dest" in piece:
            piece["dest"] = piece["dest"] | {"bk_host_id": 102}
    assert _answer(send(*own, writer=_writer())) == (1, 1, [])


def test_over_http_it_depends_on_the_right_to_read_the_scope(client: Client, kind: str) -> None:
    def sent(headers: dict[str, str], *pieces: Fields) -> tuple[int, int]:
        how = {"content_type": "application/x-ndjson", "headers": headers}
        data = client.post("/api/v1/records", lines(*pieces), **how).json()["data"]  # type: ignore[arg-type]
        return data["duplicates"], data["refused_total"]

    pieces = [_piece(kind, 0, "the "), _piece(kind, 4, "wrong")]
    assert sent(credentials("blind", read=False, write=True), *pieces) == (0, 2)
    assert sent(credentials("sees", read=True, write=True), *pieces) == (1, 1)
