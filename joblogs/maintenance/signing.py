"""Signing of finished steps, so that a search over history can skip them."""

from __future__ import annotations

import datetime
import itertools
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from django.db import transaction
from django.db.models import QuerySet, Sum

from joblogs import database, query, signed_parts
from joblogs.choices import FINISHED, StepType, run_rank
from joblogs.logtext.codec import Unreadable
from joblogs.models import HostResult, JobInstance, StepInstance
from joblogs.query import StepHost
from joblogs.query.host_texts import HostTexts
from joblogs.query.hosts import file_weights
from joblogs.search import logs_of
from joblogs.search.signed_texts import SignedTexts
from joblogs.signatures import Bitmap
from joblogs.signed_parts import FIRST_HOST, LAST_HOST, NewPart

logger = logging.getLogger(__name__)

PART_BYTES = 16 * 1024 * 1024
"""Text of a part; a single host may have more."""
LOG_BYTES = 256 * 1024 * 1024
"""Maximum size of a signed log. A larger one is always searched: its signature would contain almost
everything."""
STEPS_AT_ONCE, RESULTS_AT_ONCE = 200, 5000
PARTS_AT_ONCE, BYTES_AT_ONCE = 1000, 128 * 1024 * 1024
"""Parts written together, and their bytes of text; they share blocks."""


def due(days: Iterable[datetime.date]) -> Iterator[tuple[datetime.date, list[int]]]:
    """Yield the finished steps of these days that are not completely signed, in groups of one day.

    They include steps that grew since without a ChangedStep, which a program of an earlier release
    does not write.
    """
    for day in days:
        jobs = JobInstance.objects.filter(day=day, expired_at=None)
        steps = StepInstance.objects.filter(job__in=jobs).order_by("pk").values_list("pk", "status")
        finished = (pk for pk, status in steps.iterator(5000) if run_rank(status) >= FINISHED)
        while some := list(itertools.islice(finished, STEPS_AT_ONCE)):
            wanted = {*signed_parts.unsigned(day, some), *_grown(day, some)}
            if wanted:
                yield day, sorted(wanted)


def _grown(day: datetime.date, steps: Collection[int]) -> set[int]:
    """Return the steps whose logs have another size than when they were signed."""
    results = HostResult.objects.targets().filter(database.InArray("step_id", steps)).order_by()
    scripts = results.filter(step__step_type=StepType.SCRIPT)
    sizes = dict(scripts.values_list("step").annotate(Sum("held_size")))
    sizes |= _sizes_of_files(results.filter(step__step_type=StepType.FILE))
    signed = signed_parts.sizes(day, steps)
    return {step for step, size in sizes.items() if signed.get(step, size) != size}


def _sizes_of_files(results: QuerySet[HostResult]) -> dict[int, int]:
    """Return the weight of the file logs of these results by step."""
    sizes: dict[int, int] = defaultdict(int)
    steps = results.values_list("pk", "step").iterator(RESULTS_AT_ONCE)
    while some := dict(itertools.islice(steps, RESULTS_AT_ONCE)):
        weights = file_weights(some)
        for result, step in some.items():
            sizes[step] += weights.get(result, 0)
    return sizes


def due_of_steps(steps: Collection[int]) -> list[int]:
    """Return the finished ones of these changed steps, whose logs have not expired."""
    rows = StepInstance.objects.filter(database.InArray("pk", steps), job__expired_at=None)
    found = rows.order_by("pk").values_list("pk", "status")
    return [pk for pk, status in found if run_rank(status) >= FINISHED]


def tidy(day: datetime.date) -> None:
    """Merge blocks that are mostly empty."""

    def work() -> None:
        with transaction.atomic():
            signed_parts.tidy(day)

    database.retrying(work)


def sign(day: datetime.date, steps: Collection[int]) -> int:
    """Sign steps of a day; return how many parts were written."""
    known = signed_parts.changed(steps)
    rows = StepInstance.objects.filter(database.InArray("pk", steps)).select_related("job")
    written = 0
    waiting: list[NewPart] = []
    size = 0
    for step in rows.order_by("pk"):
        for part in _parts(step):
            waiting.append(part)
            size += part.size
            if len(waiting) >= PARTS_AT_ONCE or size >= BYTES_AT_ONCE:
                written += _write(day, waiting, known)
                waiting, size = [], 0
    return written + _write(day, waiting, known)


def _write(day: datetime.date, parts: list[NewPart], known: set[int]) -> int:
    def work() -> int:
        with transaction.atomic():
            return signed_parts.write(day, parts, known)

    return database.retrying(work) if parts else 0


def _parts(step: StepInstance) -> Iterator[NewPart]:
    """Yield the parts of a step: consecutive hosts with about PART_BYTES of text."""
    try:
        yield from _readable_parts(step)
    except Unreadable as error:
        # The rest of the step is always searched, and the search reports the unreadable log.
        fault = type(error).__name__
        logger.warning("step %s: %s in a log; verify_logs tells more", step.pk, fault)


def _readable_parts(step: StepInstance) -> Iterator[NewPart]:
    first = FIRST_HOST
    groups = _groups(query.every_text_of(step))
    for number, group in enumerate(groups, start=1):
        last = LAST_HOST if number == len(groups) else group[-1].host.bk_host_id
        hosts = [texts.host for texts in group]
        others = [host for texts in group for host in texts.others]
        bitmap, texts_of_part = Bitmap(), SignedTexts()
        is_complete = True
        # In two passes: the same log must not be read twice in one.
        for log in _logs(step, hosts, others):
            for text in texts_of_part.of(log):
                bitmap.mark(text)
            is_complete = is_complete and log.size <= LOG_BYTES
        size = sum(texts.size for texts in group)
        yield NewPart(step.pk, first, last, size, bitmap.signature() if is_complete else None)
        first = last + 1


def _groups(texts: list[HostTexts]) -> list[list[HostTexts]]:
    """Return the hosts of a step in groups for one part each; one empty group if there are none."""
    groups: list[list[HostTexts]] = [[]]
    size = 0
    for one in texts:
        if size >= PART_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(one)
        size += one.size
    return groups


def _logs(step: StepInstance, *hosts: list[StepHost]) -> Iterator[_Log]:
    for some in hosts:
        for _, _, parts in logs_of(step, some):
            yield _Log(parts)


class _Log:
    """Iterator over the first LOG_BYTES of a log in parts, which counts the bytes read."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts, self.size = parts, 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            self.size += len(part)
            if self.size > LOG_BYTES:
                return
            yield part
