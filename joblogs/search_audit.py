"""Audit log of searches of history: who searched which steps, when, and how much was found.

The search text is stored as a digest with the store's own key, so that equal searches can be
recognised, but nobody can read a secret that was searched for.
"""

from __future__ import annotations

import hmac
import itertools
import json
import logging
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import Error
from django.utils import timezone

from joblogs import database, metrics
from joblogs.audit import ROW_TIMEOUT_SECONDS, SETTLED_AFTER, Channel, caller_fields
from joblogs.errors import Unavailable
from joblogs.models import Scope, SearchRead, StoreKey
from joblogs.search import HistorySearch, Question, SearchedStep

logger = logging.getLogger(__name__)

SEARCHES_AT_ONCE = 100
LATEST_SEARCHES = 10_000
"""Newest searches that are looked through for a job or step, since no index serves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEntry:
    """Audit row of a search of history."""

    who: str
    app_code: str
    user_verified: bool
    channel: Channel
    token: str = ""

    def record(self, search: HistorySearch) -> None:
        """Record a search, before its results are shown.

        Raise Unavailable if the row cannot be written and AUDIT_REQUIRED is on. Otherwise the
        search is counted as lost, and the values of the row are logged.
        """
        metrics.text_read(channel=self.channel, hosts=0, size=search.read_bytes)
        try:
            with database.waiting_at_most(ROW_TIMEOUT_SECONDS):
                database.insert_without_sync(self._row(search))
        except Error as error:
            metrics.read_lost()
            logger.error(
                "lost the record of a search (%s): %r of app %r through %s, %s steps, %s bytes",
                type(error).__name__,
                self.who[:256],
                self.app_code,
                self.channel,
                len(search.steps),
                search.read_bytes,
            )
            if settings.AUDIT_REQUIRED:
                raise Unavailable from error

    def _row(self, search: HistorySearch) -> SearchRead:
        question = search.question
        scopes = Scope.objects.in_bulk({step.scope for step in search.steps})
        names = {pk: str(scope) for pk, scope in scopes.items()}
        return SearchRead(
            at=timezone.now(),
            who=self.who[:256],
            app_code=self.app_code,
            token=self.token,
            user_verified=self.user_verified,
            channel=self.channel,
            scopes=", ".join(sorted(names.values())),
            since=question.since,
            until=question.until,
            question=digest(question),
            steps=len(search.steps),
            read_steps=search.read_steps,
            found_steps=search.found,
            size=search.read_bytes,
            searched=compressed(search.steps, names),
        )


def digest(question: Question) -> bytes:
    """Return a keyed digest of the search text and options, which is equal for equal searches."""
    content = json.dumps([question.text, question.regex, question.ignore_case])
    return hmac.digest(StoreKey.of_this_store(), f"history {content}".encode(), "sha256")


def compressed(steps: Iterable[SearchedStep], names: dict[int, str]) -> bytes:
    """Return the ids of steps and jobs by name of their scope, in a few bytes each."""
    by_scope: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for scope, job, step in steps:
        if scope in names:
            by_scope[names[scope]].append((job, step))
    # Successive ids differ by little, and equal differences compress well.
    differences = {}
    for name, numbers in by_scope.items():
        numbers.sort()
        pairs = list(itertools.pairwise([(0, 0), *numbers]))
        differences[name] = [[b[place] - a[place] for a, b in pairs] for place in (0, 1)]
    return zlib.compress(json.dumps(differences, separators=(",", ":")).encode())


def searched_steps(read: SearchRead) -> Iterator[tuple[str, int, int]]:
    """Yield the steps of a search: name of the scope, id of the job and of the step."""
    for name, jobs, steps in _scopes(bytes(read.searched)):
        for job, step in zip(jobs, steps, strict=True):
            yield name, job, step


def _scopes(searched: bytes) -> Iterator[tuple[str, list[int], list[int]]]:
    """Yield the names of scopes, each with the ids of jobs and of steps that were searched."""
    for name, columns in json.loads(zlib.decompress(searched)).items():
        jobs, steps = (list(itertools.accumulate(column)) for column in columns)
        yield name, jobs, steps


def settled_searches(*, after: int, length: int) -> list[SearchRead]:
    """Return the next searches after an id, up to the first that is not settled, as for reads."""
    latest = timezone.now() - SETTLED_AFTER
    page = SearchRead.objects.filter(pk__gt=after).order_by("pk")[:length]
    return list(itertools.takewhile(lambda read: read.at < latest, page))


def fields_of(
    read: SearchRead, scopes: Collection[str] | None, *, job: int | None = None
) -> dict[str, Any] | None:
    """Return the fields of a search for a caller who may audit these scopes; None is all scopes.

    Return None if it searched none of these scopes, or not this job. Nothing about other scopes is
    included: figures of the whole search only if it searched no other scope.
    """
    steps: dict[str, int] = {}
    is_whole, has_job = True, job is None
    for name, jobs, _ in _scopes(bytes(read.searched)):
        if scopes is None or name in scopes:
            steps[name] = len(jobs)
            has_job = has_job or job in jobs
        else:
            is_whole = False
    if not has_job or not (steps or scopes is None):
        return None
    return {
        **caller_fields(read),
        "scopes": [_scope(name, count) for name, count in sorted(steps.items())],
        "since": str(read.since),
        "until": str(read.until),
        "question": bytes(read.question).hex(),
        "steps": sum(steps.values()),
        "steps_read": read.read_steps if is_whole else None,
        "steps_found": read.found_steps if is_whole else None,
        "bytes": read.size if is_whole else None,
    }


def _scope(name: str, steps: int) -> dict[str, Any]:
    kind, _, number = name.partition(":")
    return {"bk_scope_type": kind, "bk_scope_id": number, "steps": steps}


def searches_of(number: int) -> list[int]:
    """Return the keys of those of the latest LATEST_SEARCHES searches that included a job or step
    with this id."""
    rows = SearchRead.objects.order_by("-pk").values_list("pk", "searched")[:LATEST_SEARCHES]
    return [
        pk
        for pk, searched in rows.iterator(SEARCHES_AT_ONCE)
        if any(number in jobs or number in steps for _, jobs, steps in _scopes(bytes(searched)))
    ]
