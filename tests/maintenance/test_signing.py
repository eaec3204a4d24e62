"""Finished steps are signed, and no signature outlives the text that it was made of."""

from __future__ import annotations

import datetime
import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from joblogs import maintenance, signed_parts
from joblogs.maintenance import expiry, signing
from joblogs.models import (
    ChangedStep,
    JobInstance,
    MaintenanceRun,
    SignatureRow,
    SignedPart,
    StepInstance,
)
from joblogs.signatures import PatternPlaces
from tests.builders import CREATED, file_log, job, load, result, script_log, step

pytestmark = pytest.mark.django_db
DAY = datetime.date(2023, 11, 14)


def load_step(
    number: int = 200, text: str = "No space left\n", hosts: int = 2, **fields: int
) -> int:
    """A step that has ended; its key."""
    load(job(number, status=3), step(number, job=number, status=3))
    for host in range(1, hosts + 1):
        load(
            result(host, job=number, step=number, status=9),
            script_log(text, host=host, job=number, step=number),
        )
    return StepInstance.objects.get(step_instance_id=number).pk


def steps_that_may_hold(text: str, *, regex: bool = False) -> set[int]:
    """Of all steps those that a question would search: unsigned, or not denied."""
    steps = list(StepInstance.objects.values_list("pk", flat=True))
    parts = signed_parts.parts_of(DAY, steps)
    signed = [part for own in parts.values() for part in own]
    possible = signed_parts.possible(DAY, signed, PatternPlaces.of(text, regex=regex))
    unsigned = {*signed_parts.unsigned(DAY, steps), *signed_parts.changed_steps(steps)}
    return {part.step_id for part in possible} | unsigned


def test_finished_steps_are_signed_once() -> None:
    one, other = load_step(1), load_step(2, "all is well\n")
    assert steps_that_may_hold("never printed") == {one, other}
    assert maintenance.maintain().steps_signed == 2
    assert steps_that_may_hold("never printed") == set()
    assert steps_that_may_hold("no SPACE left") == {one}
    assert steps_that_may_hold("all (was|is) well", regex=True) == {other}
    assert maintenance.maintain().steps_signed == 0


def test_a_step_that_runs_is_not_signed_until_it_ends() -> None:
    load(job(), step(status=2), result(status=9), script_log("hello there\n"))
    assert maintenance.maintain().steps_signed == 0
    load(step(status=3, update_time=2), result(status=9, update_time=2, exit_code=0))
    assert maintenance.maintain(every_day=True).steps_signed == 1


def test_file_logs_are_signed_too() -> None:
    load(
        *(job(status=3), step(step_type=2, status=3), result(status=9)),
        file_log(101, offset=0, content="copied everything\n", status=4),
    )
    maintenance.maintain()
    assert steps_that_may_hold("copied everything")
    assert not steps_that_may_hold("copied nothing")


def test_a_dry_run_counts_and_signs_nothing() -> None:
    load_step()
    assert maintenance.maintain(dry_run=True).steps_signed == 1
    assert not SignedPart.objects.exists()


def test_late_text_is_searched_and_then_signed() -> None:
    late = load_step()
    maintenance.maintain()
    load(script_log("at last\n", job=200, host=1, offset=14))
    assert steps_that_may_hold("at last") == {late}
    maintenance.maintain()
    assert steps_that_may_hold("at last") == {late}
    assert steps_that_may_hold("never printed") == set()


def test_what_a_program_of_an_earlier_release_added_is_signed_by_the_next_sweep() -> None:
    late = load_step()
    maintenance.maintain()
    load(script_log("at last\n", job=200, host=1, offset=14))
    ChangedStep.objects.all().delete()  # which that release does not know
    assert maintenance.maintain(every_day=True).steps_signed == 1
    assert steps_that_may_hold("at last") == {late}
    assert maintenance.maintain(every_day=True).steps_signed == 0


def test_so_are_file_logs_that_it_added() -> None:
    load(job(200, status=3), step(200, job=200, status=3, step_type=2))
    load(result(101, job=200, status=9), file_log(101, job=200, content="copied\n", offset=0))
    maintenance.maintain()
    assert steps_that_may_hold("moved") == set()
    load(file_log(101, job=200, content="moved\n", offset=7))
    ChangedStep.objects.all().delete()
    assert maintenance.maintain(every_day=True).steps_signed == 1
    assert len(steps_that_may_hold("moved")) == 1
    assert maintenance.maintain(every_day=True).steps_signed == 0


def test_a_step_that_changed_while_it_was_signed_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pk = load_step()
    known = signed_parts.changed([pk])
    load(script_log("at last\n", job=200, host=1, offset=14))
    part = signed_parts.NewPart(pk, signed_parts.FIRST_HOST, signed_parts.LAST_HOST, 0, None)
    assert signed_parts.write(DAY, [part], known) == 0
    assert not SignedPart.objects.exists()


def test_a_redaction_takes_a_secret_out_of_the_signatures_at_once(tmp_path: Path) -> None:
    secret, other = load_step(1, "it is hunter2hunter3\n"), load_step(2, "something else\n")
    maintenance.maintain()
    texts = tmp_path / "texts"
    texts.write_text("hunter2hunter3")
    before = {row.pk: bytes(row.data) for row in SignatureRow.objects.all()}
    call_command("redact_logs", "--texts", str(texts), stdout=io.StringIO())
    assert [part.step_id for part in SignedPart.objects.all()] == [other]
    assert (
        not before.items() & {row.pk: bytes(row.data) for row in SignatureRow.objects.all()}.items()
    )
    assert steps_that_may_hold("something else") == {secret, other}
    assert steps_that_may_hold("hunter2hunter3") == {secret}  # unsigned
    maintenance.maintain()
    assert steps_that_may_hold("hunter2hunter3") == set()


def test_removal_takes_the_signatures_of_its_jobs_along() -> None:
    load_step(1), load_step(2)
    maintenance.maintain()
    call_command("remove_jobs", "--job", "1", stdout=io.StringIO(), stderr=io.StringIO())
    (part,) = SignedPart.objects.all()
    assert {row.block for row in SignatureRow.objects.all()} == {part.block}


def test_expiry_empties_a_day(settings: object) -> None:
    settings.LOG_RETENTION_DAYS = 30  # type: ignore[attr-defined]
    load_step(1), load_step(2)
    maintenance.maintain()  # signs after it has let expire what was due
    for one in JobInstance.objects.filter(expired_at=None):
        expiry.expire_job(one)
    assert not SignedPart.objects.exists()
    assert not SignatureRow.objects.exists()


def test_every_attempt_of_a_host_is_signed() -> None:
    pk = load_step()
    load(
        result(1, job=200, execute_count=1, status=9),
        script_log("at the second attempt\n", job=200, host=1, execute_count=1),
        result(1, job=200, execute_count=2, batch=1, status=9),
        script_log("in another batch\n", job=200, host=1, execute_count=2, batch=1),
    )
    maintenance.maintain()
    assert steps_that_may_hold("never printed") == set()
    for text in ("No space left", "at the second attempt", "in another batch"):
        assert steps_that_may_hold(text) == {pk}


def test_large_steps_have_several_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "PART_BYTES", 20)
    pk = load_step(hosts=5)
    load(script_log("the last one\n", job=200, host=5, offset=14))
    maintenance.maintain()
    parts = signed_parts.parts_of(DAY, [pk])[pk]
    assert [(part.first_host, part.last_host) for part in parts] == [
        *((0, 2), (3, 4)),
        (5, signed_parts.LAST_HOST),
    ]
    assert [part.size for part in parts] == [28, 28, 27]
    places = PatternPlaces.of("the last one")
    assert signed_parts.possible(DAY, parts, places) == parts[2:]


def test_small_blocks_become_one() -> None:
    steps = []
    for number in range(1, 6):
        steps.append(load_step(number, f"number {number * 11111} is here\n"))
        MaintenanceRun.objects.update(swept_at=timezone.now())
        maintenance.maintain()
    assert SignedPart.objects.values("block").distinct().count() == 5
    maintenance.maintain(every_day=True)
    assert SignedPart.objects.values("block").distinct().count() == 1
    for number, pk in enumerate(steps, start=1):
        assert steps_that_may_hold(f"number {number * 11111} is here") == {pk}
    assert steps_that_may_hold("number 77777 is here") == set()


def test_a_block_that_was_written_anew_meanwhile_denies_nothing() -> None:
    pk = load_step()
    maintenance.maintain()
    parts = signed_parts.parts_of(DAY, [pk])[pk]
    SignatureRow.objects.all().delete()
    assert signed_parts.possible(DAY, parts, PatternPlaces.of("never printed")) == parts


def test_a_log_that_cannot_be_read_keeps_no_other_from_being_signed() -> None:
    broken, whole = load_step(1, hosts=1), load_step(2, hosts=1)
    StepInstance.objects.get(pk=broken).host_results.update(held_size=99)
    maintenance.maintain()
    assert steps_that_may_hold("never printed") == {broken}
    assert whole not in steps_that_may_hold("never printed")
    assert CREATED  # the day of all of them
