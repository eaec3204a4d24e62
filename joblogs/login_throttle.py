"""Limit on guessing passwords: after some failures a bucket has to wait between two tries.

A bucket is a name with an address, or with a browser that logged in with that name before, so that
failures from elsewhere lock nobody out. Failures are counted in the database, so that all processes
and machines share the counts.
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
    """Return the key of a name tried from an address; IPv6 by /64, which one host may own."""
    return _key("address", name, _network(address))


def browser_bucket(name: str, browser: str) -> bytes:
    """Return the key of a name tried from a browser that logged in with it before."""
    return _key("browser", name, browser)


def seconds_to_wait(bucket: bytes, *, now: float) -> int:
    """Count a try and return 0, or refuse it and return the seconds until the next one is allowed.

    A try is counted as failed before the password is checked, in one transaction, so that
    simultaneous tries gain nothing; `succeeded` undoes it. Refused tries are not counted.
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
    """Delete the count of a bucket after a correct password."""
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
    # Django's user names are case-sensitive; other spellings must not give a guesser more tries.
    return hashlib.sha256(f"{kind}\0{name.casefold()}\0{place}".encode(errors="replace")).digest()
