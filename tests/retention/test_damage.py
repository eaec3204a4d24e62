"""A log that cannot be read keeps neither upkeep nor senders from the others."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command

from joblogs.content import codec
from joblogs.models import HostResult, ScriptChunk, UpkeepRun
from tests.builders import job, load, result, script_log, step
from tests.stored import frames, log, the_result

pytestmark = pytest.mark.django_db

TEXT = "a line that is told over and over\n" * 10


def _damage(host: int) -> None:
    found = ScriptChunk.objects.filter(host_result_id=the_result(host).pk)
    found.update(codec=codec.ZSTD, data=b"damaged")


@pytest.mark.parametrize("gone", [False, True])
def test_upkeep_passes_by_what_cannot_be_read(gone: bool, caplog: pytest.LogCaptureFixture) -> None:
    load(job(), step(), result(1, status=9), result(2, status=9))
    for host in (1, 2):
        load(script_log(TEXT, host=host))
        load(script_log(TEXT, host=host, offset=len(TEXT)))
    HostResult.objects.update(fingerprint_size=None)
    _damage(1)
    if gone:
        frames(the_result(1))[0].delete()
    call_command("maintain_logs", "--every-day")
    assert (len(frames(the_result(2))), log(2)) == (1, (TEXT * 2).encode())
    sizes = [the_result(host).fingerprint_size for host in (1, 2)]
    assert sizes == [None, 2 * len(TEXT)]
    assert UpkeepRun.objects.get().finished_at is not None
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said
    assert all(f"host result {the_result(1).pk}: " in line for line in said)
    assert not any("a line" in line for line in said)


@pytest.mark.parametrize("status", [9, 11])
def test_a_host_may_finish_whose_log_cannot_be_read(status: int) -> None:
    load(job(), step(), result(1, status=7), script_log(TEXT, host=1))
    _damage(1)
    said: list[dict[str, Any]] = [result(1, status=status), result(2, status=status)]
    assert load(job(), *said).accepted == 2
    assert the_result(1).fingerprint_size is None
