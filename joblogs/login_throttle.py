"""Limit of guessing passwords: after some failures a bucket has to wait between two tries.

A bucket is a name together with an address, or with a browser that logged in by that name before;
so failures from elsewhere refuse nobody. Counted in the database, so that all processes and
machines count together.
"""

from __future__ import annotations

import hashlib
import ipaddress

from django.db import transaction

from joblogs.models import FailedLogins

FAILURES_MAX = 10
WAIT_MAX_SECONDS = 60
FORGET_SECONDS = 3600


def address_bucket(name: str, address: str) -> bytes:
    """Key of a name that is tried from an address; of IPv6 its /64, which one machine has whole."""
    return _key("address", name, _network(address))


def browser_bucket(name: str, browser: str) -> bytes:
    """Key of a name that is tried from a browser which logged in by it before."""
    return _key("browser", name, browser)


def seconds_to_wait(bucket: bytes, *, now: float) -> int:
    """Count a try and admit it: 0. Or refuse it: the seconds until the next one is admitted.

    Counted as failed before the password is looked at, in one transaction, so that tries at once
    are no more tries; `succeeded` takes it back. Refused ones are not counted.
    """
    moment = int(now * 1000)
    with transaction.atomic():
        FailedLogins.objects.filter(free_at__lt=moment - FORGET_SECONDS * 1000).delete()
        FailedLogins.objects.get_or_create(key=bucket, defaults={"free_at": moment})
        row = FailedLogins.objects.select_for_update().get(key=bucket)
        if row.free_at > moment:
            return -(-(row.free_at - moment) // 1000)
        row.failures += 1
        row.free_at = moment + _wait_after(row.failures) * 1000
        row.save(update_fields=["failures", "free_at"])
    return 0


def succeeded(bucket: bytes) -> None:
    """Forget what was counted: the password was right."""
    FailedLogins.objects.filter(key=bucket).delete()


def _wait_after(failures: int) -> int:
    over = failures - FAILURES_MAX
    return 0 if over < 0 else min(WAIT_MAX_SECONDS, 2 ** min(over, 10))


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))


def _key(kind: str, name: str, place: str) -> bytes:
    # Names differ by their case for Django, and a guess must not get more tries by it.
    return hashlib.sha256(f"{kind}\0{name.casefold()}\0{place}".encode(errors="replace")).digest()
