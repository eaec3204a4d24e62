"""Guessing passwords: after some failures a name is refused from an address for some minutes.

Counted in the database, so that all processes and machines count together. Behind a proxy all
addresses are the proxy's, and it is the name alone that counts.
"""

from __future__ import annotations

import hashlib

from django.db import transaction
from django.db.models import F

from joblogs.models import FailedLogins

SPAN_SECONDS = 300
FAILURES_MAX = 10


def seconds_refused(name: str, address: str, *, now: float) -> int:
    """For how long this name is still refused from this address, whatever the password; else 0."""
    span, into = divmod(int(now), SPAN_SECONDS)
    found = FailedLogins.objects.filter(
        key=_key(name, address), span=span, failures__gte=FAILURES_MAX
    )
    return SPAN_SECONDS - into if found.exists() else 0


def failed(name: str, address: str, *, now: float) -> None:
    """Count a failure; what earlier spans counted is forgotten."""
    span = int(now) // SPAN_SECONDS
    with transaction.atomic():
        FailedLogins.objects.filter(span__lt=span).delete()
        row, _ = FailedLogins.objects.get_or_create(
            key=_key(name, address), defaults={"span": span}
        )
        FailedLogins.objects.filter(pk=row.pk).update(failures=F("failures") + 1)


def _key(name: str, address: str) -> bytes:
    # Names differ by their case for Django, and a guess must not get more tries by it.
    return hashlib.sha256(f"{name.casefold()}\0{address}".encode(errors="replace")).digest()
