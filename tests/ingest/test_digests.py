"""No digest of what is masked is kept or shown: it would let guess what the mask hides."""

from __future__ import annotations

import hashlib
import io
import itertools
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from joblogs import log_features
from joblogs.logtext.custom_rules import literal
from joblogs.logtext.secret_scanner import Secrets
from joblogs.maintenance import fingerprinting, redaction
from joblogs.maintenance.walk import LogSelection
from joblogs.models import DIGESTS, FileLog, HostResult, LogFeatures
from tests.builders import Fields, file_log, job, load, result, script_log, send, step
from tests.queries import log, the_result

pytestmark = pytest.mark.django_db

TEXT = "postgresql://joblogs:hunter2!@db/x\n"
DIGEST = hashlib.sha256(TEXT.encode()).hexdigest()
DECLARED: Fields = {"log_size": len(TEXT), "log_sha256": DIGEST}


def _exported(path: Path) -> str:
    call_command(
        *("export_logs", "--format", "ndjson", "--output", str(path), "--force"),
        stderr=io.StringIO(),
    )
    return path.read_text()


def _redact(*texts: bytes) -> None:
    secrets = Secrets([literal("text", text) for text in texts])
    redaction.redact(LogSelection.every(), secrets, by="zoe", selection="all")


def _digests(row: HostResult) -> list[Any]:
    """The columns of DIGESTS, and the features; but for what only an older release writes."""
    written = [column for column in DIGESTS if not column.startswith(("shape", "value_hashes"))]
    kept = LogFeatures.objects.filter(day=row.day, host_result_id=row.pk).first()
    return [*(getattr(row, column) for column in written), kept]


NOTHING = [None] * 4


RECORDS: dict[str, list[Fields]] = {
    "declared with the text": [result(status=9, **DECLARED), script_log(TEXT)],
    "declared at the end": [
        *(result(status=7), script_log(TEXT), result(status=9, update_time=1, **DECLARED)),
    ],
    "the secret in two pieces": [
        *(result(status=9, **DECLARED), script_log(TEXT[:25]), script_log(TEXT[25:], offset=25)),
    ],
    "the secret in the last of many": [
        result(status=9, log_size=6 + len(TEXT), log_sha256="ab" * 32),
        *(script_log("hello\n"), script_log(TEXT, offset=6)),
    ],
}


@pytest.mark.parametrize("records", RECORDS.values(), ids=RECORDS)
@pytest.mark.parametrize("streams", ["one", "many"])
def test_a_log_with_masks_has_no_declared_digest_however_it_comes(
    records: list[Fields], streams: str, tmp_path: Path
) -> None:
    load(job(), step())
    for _ in range(2):
        if streams == "one":
            load(job(), *records)
        for record in records if streams == "many" else ():
            load(job(), record)
        assert the_result().declared_sha256 is None
        said = _exported(tmp_path / "export")
        assert "log_sha256" not in said
        assert f'"log_size":{the_result().held_size}' in said


def test_a_declared_digest_is_taken_again_from_no_record() -> None:
    load(job(), step(), result(status=9, log_size=len(TEXT)), script_log(TEXT))
    for more in ({}, {"update_time": 5}, {"update_time": 6, "status": 104}):
        report = load(job(), result(**{"status": 9, **DECLARED, **more}))
        assert the_result().declared_sha256 is None
    assert report.accepted == 1
    again = load(job(), result(status=104, update_time=6, **DECLARED), script_log(TEXT))
    assert (again.accepted, the_result().declared_sha256) == (0, None)


def test_an_import_takes_no_digest_beside_masks(settings: Settings, tmp_path: Path) -> None:
    settings.MASK_SECRETS = False
    load(job(), step(), result(status=9, redacted=[[21, 29]], **DECLARED))
    load(job(), script_log(TEXT.replace("hunter2!", "********")))
    assert the_result().declared_sha256 is None
    assert "sha256" not in _exported(tmp_path / "export")


def test_the_digest_of_a_log_without_masks_is_kept_and_exported(tmp_path: Path) -> None:
    text = "nothing to hide\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    load(job(), step(), result(status=9, log_size=16, log_sha256=digest), script_log(text))
    assert digest in _exported(tmp_path / "export")


def test_a_redaction_clears_what_was_computed_of_the_text_with_the_text(
    settings: Settings, tmp_path: Path
) -> None:
    settings.MASK_SECRETS = False
    load(job(), step(), result(status=9, host_name="web", **DECLARED), script_log(TEXT))
    assert DIGEST in _exported(tmp_path / "export")
    fingerprinting.take([the_result()])
    assert None not in _digests(the_result())
    # So that nothing is computed anew behind it.
    HostResult.objects.update(status=7)
    _redact(b"hunter2!")
    assert _digests(the_result()) == NOTHING
    load(job(), result(update_time=5, **DECLARED), script_log(TEXT))
    assert the_result().declared_sha256 is None
    assert "sha256" not in _exported(tmp_path / "export")


def test_what_is_computed_anew_after_a_redaction_is_of_the_masked_text(settings: Settings) -> None:
    settings.MASK_SECRETS = False
    load(job(), step(), result(status=9), script_log(TEXT))
    _redact(b"hunter2!")
    assert bytes(the_result().digest or b"") == hashlib.sha256(log()).digest()
    assert b"hunter2!" not in log()


def test_what_was_computed_of_half_a_secret_goes_when_the_other_half_comes() -> None:
    load(job(), step(), result(status=9), script_log(TEXT[:25]))
    assert bytes(the_result().digest or b"") == hashlib.sha256(TEXT[:25].encode()).digest()
    HostResult.objects.update(status=7)
    load(job(), script_log(TEXT[25:], offset=25))
    assert log() == TEXT.replace("hunter2!", "********").encode()
    assert _digests(the_result()) == NOTHING


def test_features_of_half_a_secret_go_when_the_other_half_comes() -> None:
    load(job(), step(), result(status=9), script_log(TEXT[:25]))
    fingerprinting.take([the_result()])
    assert LogFeatures.objects.count() == 1
    load(job(), script_log(TEXT[25:], offset=25), result(status=9))
    assert log() == TEXT.replace("hunter2!", "********").encode()
    fresh = log_features.compute(the_result().day, [the_result()], seconds=9)
    assert [bytes(kept.data) for kept in LogFeatures.objects.all()] in ([], [*fresh.values()])


def test_what_is_remembered_of_the_end_of_a_log_goes_with_the_end() -> None:
    # A secret may begin there.
    load(job(), step(), result(status=7), script_log("the key is AKI"))
    assert bytes(the_result().mask_prefix) == b"AKI"
    load(step(201, step_type=2), result(1, step=201))
    load(file_log(1, step=201, offset=0, content="the key is AKI"))
    _redact(b"AKI")
    for row in (the_result(), FileLog.objects.get()):
        assert bytes(row.mask_prefix) == b""
    load(job(), script_log("A0123456789ABCDEF\n", offset=14))
    assert log() == b"the key is ***A0123456789ABCDEF\n"


def test_any_order_of_the_same_records_ends_without_a_digest() -> None:
    records = [result(status=9, update_time=2, **DECLARED), result(status=7, update_time=1)]
    for host, order in enumerate(itertools.permutations([*records, script_log(TEXT)]), 1):
        load(job(), step(), result(host, status=5))
        for record in order:
            send(job(), record | {"bk_host_id": host})
        assert (the_result(host).declared_sha256, the_result(host).status) == (None, 9)
