"""A store of a chosen size, filled by SQL: what years of use leave behind, in minutes."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from string import Template

from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.utils import timezone

from joblogs import log_features, search_audit
from joblogs.grouping.features import VERSION, LogSample, features_of
from joblogs.logtext import codec, store
from joblogs.maintenance import signing
from joblogs.models import MaintenanceRun, Notice, SavedSearch, Scope

from ..corpus import log as corpus_log

JOBS, READS, DAYS, SCOPES, SAMPLES = 400_000, 5_000_000, 120, 200, 200
LARGE_HOSTS = 20_000
SEARCHES, NOTICES, SAVED_SEARCHES = 50_000, 500_000, 300
LAST_DAY = datetime.date(2026, 11, 29)
FIRST_JOB, FIRST_STEP = 20_000_000, 30_000_000
BUSY_HOST = 900_000_000
"""The number of a host that ran in thousands of jobs, whatever the size."""


def fill(size: float) -> None:
    """Fill an empty, migrated PostgreSQL database; `size` 1 is 400,000 jobs, 10 M host results."""
    jobs = int(JOBS * size)
    for back in range(DAYS):
        day = LAST_DAY - datetime.timedelta(days=back)
        store.PARTITIONS.make(day)
        log_features.PARTITIONS.make(day)
    _samples()
    with connection.cursor() as cursor:
        cursor.execute(_sql(jobs, int(READS * size), int(SEARCHES * size)))
    _people()
    _notices(int(NOTICES * size))
    for day, steps in signing.due([LAST_DAY]):
        signing.sign(day, steps)
    # The day's sweep would first compute what nobody has: signatures, failures.
    MaintenanceRun.objects.create(pk=1, started_at=timezone.now(), swept_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _samples() -> None:
    """Logs of 200 B to 4 KB, packed as the store packs them, for the chunks to be copied from."""
    rows = []
    for number in range(SAMPLES):
        text = corpus_log(number, 200 + 19 * number)
        kind, data = codec.encode(text, level=codec.MERGED_LEVEL)
        digest = hashlib.sha256(text).digest()
        (features,) = features_of([LogSample(text)])
        rows.append((number, len(text), text.count(b"\n"), kind, data, digest, features))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE UNLOGGED TABLE sample "
            "(n int, size int, newlines int, codec smallint, data bytea, digest bytea, "
            "features bytea)"
        )
        cursor.executemany("INSERT INTO sample VALUES (%s, %s, %s, %s, %s, %s, %s)", rows)


def _sql(jobs: int, reads: int, searches: int) -> str:
    """The statements of filling.sql with their numbers."""
    last = datetime.datetime.combine(LAST_DAY, datetime.time(23, 59), tzinfo=datetime.UTC)
    searched = search_audit.compressed(
        [(1, FIRST_JOB + 1, FIRST_STEP + 1), (1, FIRST_JOB + 2, FIRST_STEP + 3)], {1: "biz:1"}
    )
    return Template(Path(__file__).with_suffix(".sql").read_text()).substitute(
        jobs=jobs,
        reads=reads,
        searches=searches,
        searched=searched.hex(),
        scopes=SCOPES,
        samples=SAMPLES,
        large_hosts=LARGE_HOSTS,
        busy_host=BUSY_HOST,
        first_job=FIRST_JOB,
        first_step=FIRST_STEP,
        version=VERSION,
        end=int(last.timestamp() * 1000),
        apart=DAYS * 86_400_000 // jobs,
    )


def _people() -> None:
    """A superuser, and staff of 2 and of 150 small scopes."""
    User.objects.create_superuser("root")
    for name, first, count in (("two", 198, 2), ("many", 51, 150)):
        group = Group.objects.create(name=name)
        user = User.objects.create_user(name, is_staff=True)
        user.groups.add(group)
        user.user_permissions.add(Permission.objects.get(codename="view_logread"))
        for scope in Scope.objects.filter(pk__gte=first, pk__lt=first + count):
            scope.groups.add(group)


def _notices(notices: int) -> None:
    """Searches that are saved, a third each by a person and in a scope of theirs, and what was
    sent."""
    owners = list(User.objects.order_by("pk"))
    scopes = {"root": 1, "two": 198, "many": 150}
    rows = SavedSearch.objects.bulk_create(
        SavedSearch(
            name=f"search {number}",
            owner=owners[number % len(owners)],
            scope_id=scopes[owners[number % len(owners)].username],
            pattern=f"kernel panic {number}",
            target="https://hooks.example.com/",
        )
        for number in range(SAVED_SEARCHES)
    )
    Notice.objects.bulk_create(
        (
            Notice(
                search=rows[number % (SAVED_SEARCHES - 2)],
                step_id=number + 1,
                attempt=0,
                state=2 if number % 5000 == 1 else 1,
                ended_at=timezone.now(),
            )
            for number in range(notices)
        ),
        batch_size=5000,
    )
