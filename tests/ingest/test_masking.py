"""Secrets on the real database: masked alike however they arrive, and repeats still fit."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from joblogs.logtext.custom_rules import rules_of
from joblogs.logtext.mask_ranges import cover
from joblogs.logtext.pieces import CHUNK_MAX_BYTES
from joblogs.logtext.secret_scanner import RULES, secrets_of
from joblogs.maintenance import compaction, expiry
from joblogs.models import FileLog, HostResult, JobInstance
from tests.builders import file_log, job, load, result, script_log, send, step
from tests.logtext.test_secrets import texts
from tests.queries import chunks, log, recut, the_result

pytestmark = pytest.mark.django_db

BEGUN = (job(), step(), result(status=7))
TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
MASKED = "ghp_" + "*" * 36


def at_once(text: bytes) -> tuple[bytes, list[list[int]] | None, int]:
    """What a whole text comes to: stored bytes, ranges, places."""
    kept = bytearray(text)
    masks = secrets_of(RULES).mask(kept)
    return bytes(kept), [list(span) for span in cover([], masks.ranges)] or None, masks.places


def kept(row: HostResult | FileLog, text: bytes) -> tuple[bytes, list[list[int]] | None, int]:
    return text, row.redacted, row.masked


def piece(text: bytes, start: int, stop: int, **fields: Any) -> dict[str, Any]:
    return script_log(text[start:stop].decode(), offset=start, **fields)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[bytes, list[list[tuple[int, int]]]]:
    """A text and the requests that bring it: pieces in order, with repeats and overlaps."""
    text = draw(texts()).decode("ascii", errors="replace").replace("\ufffd", "?").encode()
    cuts = draw(st.lists(st.integers(1, max(1, len(text) - 1)), max_size=6))
    borders = sorted({0, len(text), *cuts})
    requests: list[list[tuple[int, int]]] = [[]]
    for start, stop in pairwise(borders):
        back = draw(st.integers(0, start)) if draw(st.booleans()) else start
        requests[-1].append((back, stop))
        if draw(st.booleans()):
            again = draw(st.integers(0, stop))
            requests[-1].append((again, draw(st.integers(again, stop))))
        if draw(st.booleans()):
            requests.append([])
    return text, [request for request in requests if request]


@hypothesis_settings(max_examples=40)
@given(arrivals(), st.data())
def test_however_a_text_is_cut_and_repeated_it_is_masked_as_if_it_came_at_once(
    case: tuple[bytes, list[list[tuple[int, int]]]], more: st.DataObject
) -> None:
    text, requests = case
    expiry.forget(list(JobInstance.objects.all()))
    load(*BEGUN)
    for request in requests:
        load(job(), *(piece(text, *span) for span in request))
        if more.draw(st.booleans()):
            recut(the_result(), [more.draw(st.integers(1, 400))])
    assert kept(the_result(), log()) == at_once(text)
    again = load(job(), *(piece(text, *span) for request in requests for span in request))
    assert (again.accepted, kept(the_result(), log())) == (0, at_once(text))


@hypothesis_settings(max_examples=20)
@given(arrivals())
def test_file_logs_are_masked_alike(case: tuple[bytes, list[list[tuple[int, int]]]]) -> None:
    text, requests = case
    expiry.forget(list(JobInstance.objects.all()))
    load(job(), step(step_type=2), result(status=7))
    for _ in range(2):
        for request in requests:
            spans = [(start, text[start:stop].decode()) for start, stop in request]
            load(job(), *(file_log(offset=at, content=part) for at, part in spans))
    row = FileLog.objects.get()
    assert kept(row, bytes(row.content)) == at_once(text)
    assert row.received_size == len(text)


@hypothesis_settings(max_examples=25)
@given(arrivals(), st.integers(1, 120))
def test_a_log_that_is_cut_off_shows_no_half_of_a_secret_however_it_came(
    case: tuple[bytes, list[list[tuple[int, int]]]], limit: int
) -> None:
    text, requests = case
    pictures = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.LOG_MAX_BYTES", limit)
        for sent in (requests, [[(0, len(text))]]):
            expiry.forget(list(JobInstance.objects.all()))
            load(*BEGUN)
            for request in sent:
                load(job(), *(piece(text, *span) for span in request))
            pictures.append(kept(the_result(), log()))
    assert pictures[0] == pictures[1]
    assert len(pictures[0][0]) == min(limit, len(text))


def test_a_first_half_that_was_stored_is_masked_when_the_rest_comes() -> None:
    load(*BEGUN, script_log("see " + TOKEN[:20]))
    assert log() == f"see {TOKEN[:20]}".encode()
    assert the_result().mask_pending == 20
    before = [(chunk.offset, chunk.size, chunk.newlines) for chunk in chunks(the_result())]
    load(job(), script_log(TOKEN[20:] + " ok\n", offset=24))
    assert log() == f"see {MASKED} ok\n".encode()
    after = [(chunk.offset, chunk.size, chunk.newlines) for chunk in chunks(the_result())]
    assert after[: len(before)] == before
    row = the_result()
    assert (row.redacted, row.masked, row.mask_pending, row.received_size) == ([[8, 44]], 1, 0, 48)


def test_a_stored_half_over_several_chunks_is_masked_in_each_of_them() -> None:
    filler = "x" * (CHUNK_MAX_BYTES - 10) + " "
    load(*BEGUN, script_log(filler + TOKEN[:12]))
    for at in range(12, 40, 7):
        load(job(), script_log(TOKEN[at : at + 7], offset=len(filler) + at))
    assert log() == (filler + MASKED).encode()
    assert len(chunks(the_result())) > 3


def test_repeats_over_a_mask_are_accepted_on_their_length_and_beside_it_compared() -> None:
    load(*BEGUN, script_log(f"a {TOKEN} b\n"))
    report = send(
        job(),
        script_log(f"a {TOKEN} b\n"),
        script_log(f"a {MASKED} b\n"),
        script_log(TOKEN[6:] + " b\nmore", offset=8),
        script_log(f"X {TOKEN} b\n"),
    )
    assert [entry.reason.value for entry in report.refused] == ["conflict"]
    assert (report.accepted, report.duplicates) == (1, 3)
    assert log() == f"a {MASKED} b\nmore".encode()


def test_what_is_masked_is_told_by_ranges_and_the_digest_of_what_is_kept() -> None:
    text = f"a {TOKEN} b\n"
    load(job(), step(), result(status=9, log_size=len(text)), script_log(text))
    row = the_result()
    assert bytes(row.digest or b"") == hashlib.sha256(f"a {MASKED} b\n".encode()).digest()
    assert (row.redacted, row.lines, row.fingerprint_size) == ([[6, 42]], 1, len(text))


def test_a_log_that_was_masked_elsewhere_stays_as_it_is() -> None:
    masked = f"url ://u:{MASKED}@h and {MASKED}\n"
    ranges = [[13, 49], [58, 94]]
    load(job(), step(), result(redacted=ranges), script_log(masked))
    assert kept(the_result(), log()) == (masked.encode(), ranges, 2)


def test_a_secret_that_goes_on_for_requests_is_masked_as_it_comes() -> None:
    load(*BEGUN, script_log("-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA"))
    at = 44
    for line in ("7bq0xUzG5mYt\n", "MIIEpAIBAAKCAQEA\n", "-----END PRIVATE KEY-----\nMIIE\n"):
        load(job(), script_log(line, offset=at))
        at += len(line)
    assert log().splitlines()[1:] == [
        *(b"*" * 28, b"*" * 16),
        *(b"-----END PRIVATE KEY-----", b"MIIE"),
    ]
    assert (the_result().masked, the_result().mask_rule) == (1, "")


def test_merging_a_log_between_the_halves_of_a_secret_changes_nothing() -> None:
    load(*BEGUN, *(script_log("abc\n", offset=4 * n) for n in range(2)), script_log("e", offset=8))
    load(job(), script_log(f"nd {TOKEN[:9]}", offset=9), result(status=9))
    row = the_result()
    compaction.merge(row.day, row.pk)
    load(job(), script_log(TOKEN[9:], offset=21))
    assert log() == f"abc\nabc\nend {MASKED}".encode()


def test_it_is_left_alone_where_masking_is_switched_off(settings: Settings) -> None:
    settings.MASK_SECRETS = False
    load(*BEGUN, script_log(TOKEN))
    assert kept(the_result(), log()) == (TOKEN.encode(), None, 0)


def test_switched_off_it_forgets_what_it_remembered(settings: Settings) -> None:
    load(*BEGUN, script_log(f"{TOKEN} {TOKEN[:9]}"))
    settings.MASK_SECRETS = False
    load(job(), script_log("abc", offset=50))
    assert (the_result().mask_pending, the_result().mask_rule) == (0, "")


def test_patterns_of_an_operators_own_are_masked_too(settings: Settings) -> None:
    own = rules_of({"own": {"begins": "itk_", "then": "[0-9a-f]{4}", "more": "[0-9a-f]"}})
    settings.SECRET_RULES = (*RULES, *own)
    load(*BEGUN, script_log("key itk_0a1b"), script_log("2c, itk_xyz", offset=12))
    assert log() == b"key itk_******, itk_xyz"


def test_masking_costs_no_statement_unless_a_secret_may_be_unfinished() -> None:
    load(*BEGUN, script_log("line\n"), script_log("lin", offset=5))
    plain = statements(script_log("e 2\n", offset=8))
    masked = statements(script_log(f"a {TOKEN}\n", offset=12))
    assert masked == plain
    load(job(), script_log(f"b {TOKEN[:9]}", offset=55))
    straddling = statements(script_log(TOKEN[9:] + "\n", offset=66))
    assert straddling == plain + 3  # reads the end, then reads and rewrites its chunk


def test_an_end_that_may_begin_a_secret_costs_no_statement_when_it_comes() -> None:
    load(*BEGUN, result(102, status=7), script_log("a\n"), script_log("a\n", host=102))
    plain = statements(script_log("b\n", offset=2), script_log("b\n", offset=2, host=102))
    begun = statements(script_log("c\n", offset=4), script_log(TOKEN[:9], offset=4, host=102))
    assert the_result(102).mask_pending
    assert begun == plain


def statements(*records: dict[str, Any]) -> int:
    with CaptureQueriesContext(connection) as found:
        load(job(), *records)
    return len(found)


def test_names_of_jobs_and_steps_are_masked_and_replays_change_nothing(settings: Settings) -> None:
    told = (job(name=f"deploy {TOKEN} now"), step(name="run with --password=Tr0ub4dor.3x"))
    settings.MASK_SECRETS = False
    load(*told)
    settings.MASK_SECRETS = True
    report = load(*told)
    assert (report.accepted, report.refused) == (0, [])
    expiry.forget(list(JobInstance.objects.all()))
    load(*told)
    held = JobInstance.objects.get()
    assert held.name == f"deploy {MASKED} now"
    assert held.steps.get().name == "run with --password=************"
    assert load(*told).accepted == 0


@pytest.mark.parametrize(
    "key",
    [
        "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----",
        # Cut off: what is masked ends with a letter, which as it was would go on with the word.
        f"-----BEGIN PRIVATE KEY-----\n{'MIIEvQIBADANBgkq' * 4}",
    ],
)
def test_a_secret_of_ones_own_right_behind_a_private_key_is_masked(
    key: str, settings: Settings
) -> None:
    settings.SECRET_RULES = (*RULES, *rules_of({"own": {"begins": "_own", "then": "[0-9]{6}"}}))
    text = f"{key}_own123456\n"
    for host, cut in enumerate((0, 20, len(key) - 5, len(key), len(key) + 2, len(text)), 1):
        load(job(), step(), result(host, status=7))
        load(script_log(text[:cut], host=host), script_log(text[cut:], host=host, offset=cut))
        assert b"123456" not in log(host)
        assert log(host).endswith(b"_own******\n")
