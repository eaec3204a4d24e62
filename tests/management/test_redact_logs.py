"""redact_logs: what is stored already is masked as it would have been on the way in."""

from __future__ import annotations

import hashlib
import io
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from joblogs.logtext import codec, store
from joblogs.logtext.custom_rules import literal
from joblogs.logtext.mask_ranges import cover
from joblogs.logtext.secret_scanner import RULES, Secrets, secrets_of
from joblogs.maintenance import expiry, fingerprinting, redaction
from joblogs.maintenance.walk import LogSelection
from joblogs.models import FileLog, HostResult, JobInstance, LogChunk, Redaction
from tests.builders import file_log, job, load, result, script_log, step
from tests.logtext.test_secrets import texts
from tests.pages.page_helpers import staff
from tests.queries import chunks, facts, log, picture, recut, text, the_result

pytestmark = pytest.mark.django_db

TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
MASKED = "ghp_" + "*" * 36
URL = "postgresql://joblogs:hunter2!@db/x"


@pytest.fixture(autouse=True)
def unmasked(settings: Settings) -> None:
    """What came in before anybody thought of masks."""
    settings.MASK_SECRETS = False


def redact_logs(*arguments: str) -> tuple[str, int]:
    """Standard output with what an error says, and the exit code."""
    out = io.StringIO()
    try:
        call_command("redact_logs", *arguments, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        return out.getvalue() + str(error), error.returncode
    return out.getvalue(), 0


def begun() -> None:
    load(
        *(job(), step(), result(1, status=9, host_name="web-1"), result(2, status=9)),
        *(script_log(f"see {TOKEN} ok\n", host=1), script_log(f"{URL}\n", host=2)),
        *(step(201, step_type=2), result(1, step=201, status=9)),
        file_log(1, step=201, content=f"sent {TOKEN}\n", offset=0),
        *(job(101, bk_scope_id="3"), step(202, job=101), result(1, job=101, step=202, status=7)),
        script_log(f"{TOKEN}\n", host=1, job=101, step=202),
    )


def test_secrets_are_masked_counted_and_the_run_recorded_without_them() -> None:
    begun()
    said, code = redact_logs("--scope", "biz:2", "--by", "zoe")
    assert (said.splitlines(), code) == (
        ["github-token: 2", "url-password: 1", "Masked 3 places in 3 of 3 logs."],
        0,
    )
    assert log(2) == b"postgresql://joblogs:********@db/x\n"
    assert bytes(FileLog.objects.get().content) == f"sent {MASKED}\n".encode()
    row = HostResult.objects.get(host_id=1, step__step_instance_id=200)
    assert (text(row), row.redacted, row.masked) == (
        f"see {MASKED} ok\n".encode(),
        [[8, 44]],
        1,
    )
    record = Redaction.objects.get()
    assert (record.by, record.selection, record.looked, record.logs, record.places) == (
        *("zoe", "scope=biz:2"),
        *(3, 3, 3),
    )
    assert record.found == {"github-token": 2, "url-password": 1}
    assert record.finished_at is not None
    assert "jwt" in record.patterns
    other = HostResult.objects.get(step__step_instance_id=202)
    assert text(other) == f"{TOKEN}\n".encode()


def test_a_dry_run_counts_the_same_and_changes_nothing() -> None:
    begun()
    before = picture()
    said, _ = redact_logs("--dry-run")
    assert (picture(), Redaction.objects.count()) == (before, 0)
    assert said.replace("Would mask", "Masked") == redact_logs()[0]


def test_a_second_run_finds_nothing() -> None:
    begun()
    redact_logs()
    before = picture()
    assert redact_logs()[0] == "Masked 0 places in 0 of 4 logs.\n"
    assert picture() == before
    assert Redaction.objects.count() == 2


@pytest.mark.parametrize(
    ("options", "logs"),
    [
        (["--job", "101"], 1),
        (["--step", "201"], 1),
        (["--host", "1"], 3),
        (["--host", "1", "--job", "100"], 2),
        (["--pattern", "url-password"], 1),
        (["--pattern", "url-password", "--pattern", "github-token"], 4),
        (["--until", "2023-11-13"], 0),
        (["--since", "2023-11-14", "--until", "2023-11-14"], 4),
    ],
)
def test_only_what_is_selected_is_masked(options: list[str], logs: int) -> None:
    begun()
    assert f" in {logs} of " in redact_logs(*options)[0]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--scope", "biz:9"], 1, "no such scope"),
        (["--job", "9"], 1, "--job 9"),
        (["--pattern", "nothing"], 2, "known are aws-access-key"),
        (["--texts", "/no/such/file"], 1, "/no/such/file"),
    ],
)
def test_what_is_not_there_is_said(options: list[str], code: int, said: str) -> None:
    begun()
    answer = redact_logs(*options)
    assert said in answer[0]
    assert answer[1] == code
    assert Redaction.objects.count() == 0


def test_a_text_that_leaked_is_masked_wherever_it_stands_and_not_recorded(tmp_path: Path) -> None:
    begun()
    (tmp_path / "leaked").write_text("hunter2!\r\n\nabcdefghijABCDEFGHIJ\n")
    said, _ = redact_logs("--texts", str(tmp_path / "leaked"))
    assert said == "text: 4\nMasked 4 places in 4 of 4 logs.\n"
    assert log(2) == b"postgresql://joblogs:********@db/x\n"
    assert facts(Redaction.objects.get())["patterns"] == "text"
    assert "hunter2" not in str(facts(Redaction.objects.get()))


@pytest.mark.parametrize("lines", ["ab", "", "a\nlong enough"])
def test_texts_too_short_to_be_a_secret_are_refused_and_not_shown(
    tmp_path: Path, lines: str
) -> None:
    (tmp_path / "leaked").write_text(lines)
    said, code = redact_logs("--texts", str(tmp_path / "leaked"))
    assert (code, "long enough" in said) == (1, False)


def test_fingerprints_are_taken_of_what_is_kept_now() -> None:
    begun()
    redact_logs()
    row = the_result(2)
    assert bytes(row.digest or b"") == hashlib.sha256(text(row)).digest()
    assert row.fingerprint_size == row.held_size


def test_a_fingerprint_of_what_was_there_before_is_not_written_afterwards() -> None:
    begun()
    before = the_result(2)
    before.fingerprint_size = None
    redact_logs()
    HostResult.objects.update(fingerprint_size=None)
    fingerprinting.take([before])
    assert the_result(2).fingerprint_size is None


@hypothesis_settings(max_examples=15)
@given(texts(), st.lists(st.integers(1, 400), max_size=4))
@pytest.mark.slow
def test_it_masks_what_would_have_been_masked_on_the_way_in(data: bytes, cuts: list[int]) -> None:
    expiry.forget(list(JobInstance.objects.all()))
    said = data.decode("ascii", errors="replace").replace("\ufffd", "?")
    load(job(), step(), result(status=9), script_log(said))
    recut(the_result(), cuts)
    borders = [(chunk.offset, chunk.size, chunk.newlines) for chunk in chunks(the_result())]
    redact_logs()
    kept = bytearray(said.encode())
    masks = secrets_of(RULES).mask(kept)
    row = the_result()
    assert text(row) == kept
    assert row.redacted == ([list(span) for span in cover([], masks.ranges)] or None)
    assert row.masked == masks.places
    assert [(chunk.offset, chunk.size, chunk.newlines) for chunk in chunks(row)] == borders


def test_a_long_log_is_masked_a_window_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    content = "".join(f"{n} {TOKEN}\n" for n in range(40))
    load(job(), step(), result(status=9), script_log(content))
    monkeypatch.setattr(store, "GROUP_BYTES", 64)
    recut(the_result(), range(0, len(content), 50))
    assert redact_logs()[0].startswith("github-token: 40")
    assert log(101) == content.replace(TOKEN, MASKED).encode()
    assert len(the_result().redacted or ()) == 40


@pytest.mark.slow
def test_memory_does_not_grow_with_the_places_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    load(job(), step(), result(status=7), script_log("hunter2 " * 10_000))
    monkeypatch.setattr(store, "GROUP_BYTES", 4096)
    secrets = Secrets([literal("text", b"hunter2")])
    tracemalloc.start()
    try:
        done = redaction.redact(LogSelection.every(), secrets, by="zoe", selection="all")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (done.places["text"], the_result().masked) == (10_000, 10_000)
    assert log(101) == b"******* " * 10_000
    assert peak < 1 << 20


def test_what_follows_a_secret_that_was_cut_off_is_masked_as_it_comes(settings: Settings) -> None:
    load(job(), step(), result(status=7), script_log(f"-----BEGIN PRIVATE KEY-----\n{'A' * 20}"))
    settings.MASK_SECRETS = True
    redact_logs()
    load(job(), script_log("BBBB\n-----END PRIVATE KEY-----\n", offset=48))
    assert log(101).splitlines()[1] == b"*" * 24
    assert the_result().masked == 1


def test_repeats_of_what_was_masked_are_accepted() -> None:
    begun()
    redact_logs()
    report = load(job(), script_log(f"see {TOKEN} ok\nmore", host=1))
    assert (report.accepted, report.refused) == (1, [])


def test_a_run_that_is_interrupted_says_what_it_did_and_is_run_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun()
    expected = redact_logs("--dry-run")[0]
    taken = redaction._take
    calls = iter(range(10))

    def two(*arguments: Any) -> None:
        if next(calls) == 2:
            raise KeyboardInterrupt
        taken(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(redaction, "_take", two)
        redact_logs()
    record = Redaction.objects.get()
    assert (record.logs, record.places, record.finished_at) == (2, 2, None)
    redact_logs()
    assert sum(Redaction.objects.values_list("places", flat=True)) == 4
    assert "Would mask 4 places" in expected
    assert redact_logs("--dry-run")[0].startswith("Would mask 0 places")


def test_expired_logs_are_left_alone_and_holes_are_told() -> None:
    begun()
    JobInstance.objects.filter(job_instance_id=101).update(expired_at=1)
    LogChunk.objects.filter(host_result_id=the_result(2).pk).delete()
    said, code = redact_logs()
    assert (code, "1 log could not be read" in said) == (1, True)
    assert "Masked 2 places in 2 of 3 logs." in said


def test_logs_that_are_forgotten_meanwhile_are_passed_by() -> None:
    load(job(), step(step_type=2), result(1, status=9))
    load(*(file_log(1, source=n, content=f"{TOKEN}\n", offset=0) for n in (2, 3)))

    def forget(_: int) -> None:
        expiry.forget(list(JobInstance.objects.all()))

    found = LogSelection.every()
    done = redaction.redact(found, secrets_of(RULES), by="zoe", selection="all", progress=forget)
    assert (done.looked, done.logs, done.unreadable) == (2, 1, [])


@pytest.mark.django_db(transaction=True)
def test_a_file_log_that_expires_under_it_stays_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    load(job(), step(step_type=2), result(1, status=9))
    load(file_log(1, content=f"{TOKEN}\n", offset=0))
    replace, threads = redaction._replace, list[threading.Thread]()

    def expire() -> None:
        # What expiry does to file logs, without the locks of host results.
        FileLog.objects.exclude(held_size=0).update(content=b"", held_size=0)
        connections.close_all()

    def while_it_expires(*arguments: Any) -> None:
        threads.append(threading.Thread(target=expire))
        threads[-1].start()
        threads[-1].join(0.5)
        replace(*arguments)

    monkeypatch.setattr(redaction, "_replace", while_it_expires)
    redaction.redact(LogSelection.every(), secrets_of(RULES), by="zoe", selection="all")
    threads[0].join()
    assert (bytes(FileLog.objects.get().content), len(threads)) == (b"", 1)


def test_a_chunk_that_cannot_be_unpacked_keeps_no_other_log_from_its_masks() -> None:
    begun()
    LogChunk.objects.filter(host_result_id=the_result(1, step__step_instance_id=200).pk).update(
        codec=codec.ZSTD, data=b"damaged"
    )
    said, code = redact_logs()
    assert (code, "1 log could not be read" in said) == (1, True)
    assert "Masked 3 places in 3 of 4 logs." in said


def test_the_admin_shows_records_to_those_who_may_see_them() -> None:
    begun()
    redact_logs("--by", "zoe")
    address = reverse("admin:joblogs_redaction_changelist")
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    assert "github-token" in root.get(address).content.decode()
    assert "1 redaction" in root.get(f"{address}?q=zoe").content.decode()
    assert "0 redactions" in root.get(f"{address}?q=nobody").content.decode()
    row = reverse("admin:joblogs_redaction_change", args=[Redaction.objects.get().pk])
    assert root.get(row).status_code == 200
    assert root.post(row, {}).status_code == 403
    charlie = staff("charlie")
    assert charlie.get(address).status_code == 403
    may_see = Permission.objects.get(codename="view_redaction")
    User.objects.get(username="charlie").user_permissions.add(may_see)
    assert charlie.get(address).status_code == 200


def test_an_export_with_masks_comes_back_as_it_was(settings: Settings, tmp_path: Path) -> None:
    settings.MASK_SECRETS = True
    begun()
    load(job(), script_log(f"url ://u:{TOKEN}@h\neyJhbGciOiJIUzI1NiJ9", host=2, offset=35))
    first, second = tmp_path / "first", tmp_path / "second"
    call_command("export_logs", "--format", "ndjson", "--output", str(first))
    expiry.forget(list(JobInstance.objects.all()))
    call_command("import_logs", str(first), stdout=io.StringIO())
    call_command("export_logs", "--format", "ndjson", "--output", str(second))
    exported = first.read_bytes().splitlines()[1:]
    assert second.read_bytes().splitlines()[1:] == exported
    assert b'"redacted":[[' in first.read_bytes()
    assert TOKEN.encode() not in first.read_bytes()
    assert redact_logs("--dry-run")[0].startswith("Would mask 0 places")
