"""Signing of finished steps, so that a search over history can skip them."""

from __future__ import annotations

import datetime
import itertools
import logging
import time
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
PART_SECONDS, MEGABYTE_SECONDS = 2.0, 0.25
"""Maximum processor time for a part, and more for each MB of it; usually a MB takes 0.02 to 0.1. A
part that takes longer, since somebody made it so, is always searched."""
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
        reading = _Reading()
        # In two passes: the same log must not be read twice in one.
        for log in _logs(step, hosts, others):
            for text in texts_of_part.of(reading.parts(log)):
                bitmap.mark(text)
            if not reading.is_complete:
                break
        is_complete = reading.is_complete
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


def _logs(step: StepInstance, *hosts: list[StepHost]) -> Iterator[Iterable[bytes]]:
    for some in hosts:
        for _, _, parts in logs_of(step, some):
            yield parts


class _Reading:
    """Reading of the logs of a part, as far as they are not too large and do not take too long."""

    def __init__(self) -> None:
        self.is_complete = True
        self._size = 0
        self._started = time.thread_time()

    def parts(self, log: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the parts of a log; `is_complete` is False if some are missing."""
        size = 0
        for part in log:
            size += len(part)
            if size > LOG_BYTES or self._is_too_long():
                self.is_complete = False
                return
            self._size += len(part)
            yield part

    def _is_too_long(self) -> bool:
        seconds = PART_SECONDS + MEGABYTE_SECONDS * self._size / 1_000_000
        return time.thread_time() - self._started > seconds
