"""Running the saved searches over new text: rows of NoticeWork become notices.

Text is searched from the beginning of the line in which it grew, so that matches across pieces are
found. A match is reported once for each attempt of a step.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from django.db import transaction

from joblogs import database
from joblogs.choices import FINISHED, StepType, run_rank
from joblogs.logtext import store
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.encodings import utf16_name
from joblogs.models import HostResult, Notice, NoticeWork, SavedSearch, StepInstance
from joblogs.object_store import ObjectUnreachable
from joblogs.query import Attempts
from joblogs.query.overview import overview
from joblogs.search import Budget, InvalidPattern, Pattern, Search
from joblogs.search.blocks import OVERLAP_BYTES

from . import reasons
from .saved_searches import is_about, may_ask, pattern_of, switch_off
from .texts import Place, Texts

ROWS_AT_ONCE = 200
PLACES_MAX = 20
"""Most places of matches that a notice stores."""
STEP_BUDGET = Budget(seconds=10, size=256 * 1024 * 1024)
LOOK_BACK_BYTES = 512
"""Bytes before new text that are read to find the beginning of its line. If it is not there,
OVERLAP_BYTES are read, by which parts of a long line overlap in a search."""
_WHOLE_BYTES = 16 * 1024 * 1024
"""Text in UTF-16 is searched from its beginning, in logs up to this size."""


class _Found(NamedTuple):
    search: SavedSearch
    step: StepInstance
    places: list[Place]


def match() -> int:
    """Search the next rows, and delete them in the transaction that writes the notices.

    Return the number of rows.
    """
    rows = list(NoticeWork.objects.order_by("pk")[:ROWS_AT_ONCE])
    if not rows:
        return 0
    found = _Batch(rows).found()
    with transaction.atomic():
        Notice.objects.bulk_create(
            (
                Notice(
                    search=each.search,
                    step_id=each.step.pk,
                    attempt=each.step.execute_count,
                    places=[list(place) for place in each.places[:PLACES_MAX]],
                )
                for each in found
            ),
            ignore_conflicts=True,
        )
        NoticeWork.objects.filter(database.InArray("pk", [row.pk for row in rows])).delete()
    return len(rows)


class _Batch:
    """Rows of NoticeWork, and the saved searches to run over them."""

    def __init__(self, rows: Sequence[NoticeWork]) -> None:
        self.ended: list[int] = []
        self.grown: Mapping[int, list[Place]] = (grown := defaultdict[int, list[Place]](list))
        for row in rows:
            numbers = np.frombuffer(bytes(row.numbers), "<i8").tolist()
            if row.step_id is None:
                self.ended += numbers
            else:
                triples = zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
                grown[row.step_id] += [Place(*each) for each in triples]
        self.grown = {step: _merged(places) for step, places in grown.items()}
        steps = StepInstance.objects.filter(
            database.InArray("pk", {*self.ended, *self.grown}), job__expired_at=None
        )
        self.steps = {step.pk: step for step in steps.select_related("job__scope")}
        self.patterns: dict[int, Pattern | None] = {}
        self.searches = self._searches({step.job.scope_id for step in self.steps.values()})
        noticed = Notice.objects.filter(step_id__in=list(self.steps))
        self.noticed = set(noticed.values_list("search", "step_id", "attempt"))

    def _searches(self, scopes: Iterable[int]) -> dict[int, list[SavedSearch]]:
        searches: dict[int, list[SavedSearch]] = defaultdict(list)
        active = SavedSearch.objects.filter(active=True, scope__in=list(scopes))
        for search in active.select_related("owner").order_by("pk"):
            try:
                self.patterns[search.pk] = pattern_of(search)
            except InvalidPattern:
                switch_off(search, reasons.BAD_PATTERN)
                continue
            if may_ask(search):
                searches[search.scope_id].append(search)
            else:
                switch_off(search, reasons.NO_ACCESS)
        return searches

    def found(self) -> Iterator[_Found]:
        """Yield the events to report: matches in text first, then ended steps, each in order."""
        for pk, places in self.grown.items():
            if (step := self.steps.get(pk)) is not None:
                yield from self._in_texts(step, places)
        for pk in dict.fromkeys(self.ended):
            if (step := self.steps.get(pk)) is not None:
                yield from self._of_ended(step)

    def _asking(self, step: StepInstance, *, ended: bool) -> dict[SavedSearch, Pattern | None]:
        """Return the searches to run when a step's text grows, or when it ends.

        Searches that have a notice about the attempt are left out.
        """
        return {
            search: self.patterns[search.pk]
            for search in self.searches.get(step.job.scope_id, ())
            if is_about(search, step.job)
            and bool(search.statuses or not search.pattern) is ended
            and (search.pk, step.pk, step.execute_count) not in self.noticed
        }

    def _in_texts(self, step: StepInstance, places: Sequence[Place]) -> Iterator[_Found]:
        asking = self._asking(step, ended=False)
        if not asking:
            return
        if step.step_type == StepType.FILE:
            for search, pattern in asking.items():
                if pattern is not None and (found := _may_be_in(step, pattern)) is not None:
                    yield _Found(search, step, found)
            return
        found_by: dict[SavedSearch, list[Place]] = defaultdict(list)
        for texts in _texts(step.day, places):
            for search, pattern in asking.items():
                if pattern is not None and len(found_by[search]) < PLACES_MAX:
                    found_by[search] += texts.holding(pattern)
        for search in asking:
            if found_by[search]:
                yield _Found(search, step, found_by[search])

    def _of_ended(self, step: StepInstance) -> Iterator[_Found]:
        if run_rank(step.status) != FINISHED:
            return  # it runs again
        for search, pattern in self._asking(step, ended=True).items():
            if search.statuses and step.status not in search.statuses:
                continue
            if pattern is None:
                yield _Found(search, step, [])
            elif (found := _may_be_in(step, pattern)) is not None:
                yield _Found(search, step, found)


def _may_be_in(step: StepInstance, pattern: Pattern) -> list[Place] | None:
    """Return the places of `in_step`, or [] if logs are out of reach.

    In that case the notice is checked when it is sent, which waits for the logs.
    """
    try:
        return in_step(step, pattern)
    except ObjectUnreachable:
        return []


def in_step(step: StepInstance, pattern: Pattern) -> list[Place] | None:
    """Return the places of the pattern in all logs of a step, None if there is no match.

    File logs have no places. Raise ObjectUnreachable if no log is known to match and some are out
    of reach.
    """
    hosts = overview(step, Attempts()).hosts
    search = Search(step, hosts, pattern, shown=0, budget=STEP_BUDGET, what_is_there=True)
    places: list[Place] = []
    is_anywhere = False
    for hits in search:
        is_anywhere = True
        if not hits.label:
            places += [Place(r.pk, 0, r.held_size) for r in hits.host.results if r.held_size]
        if len(places) >= PLACES_MAX:
            break
    if not is_anywhere and search.out_of_reach is not None:
        raise search.out_of_reach
    return places if is_anywhere else None


def _texts(day: datetime.date, places: Sequence[Place]) -> Iterator[Texts]:
    """Yield the texts of places from the beginning of their first lines, some megabytes at a time.

    Texts that cannot be read are left out.
    """
    sizes = dict(
        HostResult.objects.filter(
            database.InArray("pk", {place.result for place in places})
        ).values_list("pk", "held_size")
    )
    for some in _groups(places, sizes):
        begins = [p._replace(start=max(0, p.start - LOOK_BACK_BYTES)) for p in some]
        read = zip(some, begins, _read_all(day, begins, sizes), strict=True)
        texts = [
            _from_line(day, place, begin, data, sizes[place.result]) if data else (place, data)
            for place, begin, data in read
        ]
        yield Texts(
            ((place, data) for place, data in texts if data),
            out_of_reach=[place for place, data in texts if data is None],
        )


def _merged(places: Iterable[Place]) -> list[Place]:
    """Return the places with adjacent ones merged, up to the size that is read at once."""
    merged: list[Place] = []
    for place in sorted(places):
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.result == place.result
            and place.start <= last.stop
            and place.stop - last.start <= store.GROUP_BYTES
        ):
            merged[-1] = last._replace(stop=max(last.stop, place.stop))
        else:
            merged.append(place)
    return merged


def _groups(places: Iterable[Place], sizes: Mapping[int, int]) -> Iterator[list[Place]]:
    """Yield the places that still exist, some megabytes at a time."""
    some: list[Place] = []
    weight = 0
    for place in places:
        stop = min(place.stop, sizes.get(place.result, 0))
        if place.start < stop:
            some.append(place._replace(stop=stop))
            weight += stop - place.start + LOOK_BACK_BYTES
        if weight >= store.GROUP_BYTES:
            yield some
            some, weight = [], 0
    if some:
        yield some


def _read_all(
    day: datetime.date, places: Sequence[Place], sizes: Mapping[int, int]
) -> list[bytes | None]:
    """Return the bytes of each place; None for a place that is out of reach.

    A place that was deleted or is damaged has no bytes; `verify_logs` reports damage.
    """
    spans = [store.Span(*place, sizes[place.result]) for place in places]
    try:
        stream = store.read(day, spans)
        return [b"".join(store.first_bytes(stream, span.stop - span.start)) for span in spans]
    except Unreadable as error:
        if len(places) == 1:
            return [None if isinstance(error, ObjectUnreachable) else b""]
        return [data for place in places for data in _read_all(day, [place], sizes)]


def _from_line(
    day: datetime.date, place: Place, begin: Place, data: bytes, size: int
) -> tuple[Place, bytes | None]:
    if b"\0" in data and begin.start and size <= _WHOLE_BYTES:
        whole = Place(place.result, 0, place.stop)
        (text,) = _read_all(day, [whole], {place.result: size})
        if text is None or utf16_name(text[:1024]):
            return whole, text
    line = data.rfind(b"\n", 0, place.start - begin.start) + 1
    if not line and begin.start:
        begin = place._replace(start=max(0, place.start - OVERLAP_BYTES))
        (longer,) = _read_all(day, [begin], {place.result: size})
        if longer is None:
            return place, None
        data = longer
        line = data.rfind(b"\n", 0, place.start - begin.start) + 1
    return begin._replace(start=begin.start + line), data[line:]


def read(day: datetime.date, place: Place, size: int) -> Iterator[bytes]:
    """Yield the bytes of a place in a log of this size, in parts. Raise Unreadable."""
    stop = min(place.stop, size)
    span = store.Span(place.result, place.start, stop, size)
    return (part for _, parts in store.read(day, [span]) for part in parts)
