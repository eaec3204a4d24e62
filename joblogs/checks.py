"""System checks of settings that are valid alone but conflict (docs/operations.md).

An invalid value of a single variable stops the start (`jobplatform/env.py`). Errors here stop every
command; warnings are printed and the command continues; those for `check --deploy` are printed only
there.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.checks import check_admin_app
from django.core.checks import CheckMessage, Error, Warning

from joblogs.record_json import LINE_MAX_BYTES

_LOOPBACK: Final = {"localhost", ".localhost", "127.0.0.1", "[::1]"}


def admin_as_loaded(**kwargs: Any) -> list[CheckMessage]:
    """Run Django's checks of the admin, after loading it."""
    admin.autodiscover()
    return check_admin_app(**kwargs)


def retention_order(**_kwargs: Any) -> list[CheckMessage]:
    """Check that job history is kept at least as long as logs (joblogs.E001)."""
    history = settings.HISTORY_RETENTION_DAYS
    logs = settings.LOG_RETENTION_DAYS
    if history is None or (logs is not None and logs <= history):
        return []
    days = "for ever" if logs is None else f"{logs} days"
    return [
        Error(
            f"HISTORY_RETENTION_DAYS ({history}) is shorter than LOG_RETENTION_DAYS ({days}).",
            hint="A job that is gone takes its logs along. Keep history at least as long as logs.",
            id="joblogs.E001",
        )
    ]


def write_transactions(**_kwargs: Any) -> list[CheckMessage]:
    """Check DATABASE_URL for options that break row locking (joblogs.E002, joblogs.E003)."""
    database = settings.DATABASES["default"]
    found: list[CheckMessage] = []
    if database.get("ATOMIC_REQUESTS"):
        found.append(
            Error(
                "ATOMIC_REQUESTS is on.",
                hint="Records are acknowledged when they are committed, piece by piece, and a long "
                "read must not hold a transaction. Take it out of DATABASE_URL.",
                id="joblogs.E002",
            )
        )
    mode = database.get("OPTIONS", {}).get("transaction_mode")
    if database["ENGINE"].endswith("sqlite3") and str(mode).upper() not in {
        "IMMEDIATE",
        "EXCLUSIVE",
    }:
        found.append(
            Error(
                f"SQLite's transaction_mode is {mode}.",
                hint='Writers would fail with "database is locked" instead of waiting. '
                "Take it out of DATABASE_URL.",
                id="joblogs.E003",
            )
        )
    return found


def replica_engine(**_kwargs: Any) -> list[CheckMessage]:
    """Check that the replica has the same database engine as the primary (joblogs.E004)."""
    replica = settings.DATABASES.get("replica")
    if replica is None or replica["ENGINE"] == settings.DATABASES["default"]["ENGINE"]:
        return []
    return [
        Error(
            "DATABASE_REPLICA_URL names another kind of database than DATABASE_URL.",
            hint="A replica follows the primary by replication; it is a database of the same kind.",
            id="joblogs.E004",
        )
    ]


def record_limit(**_kwargs: Any) -> list[CheckMessage]:
    """Check that the limit of a body allows the longest record (joblogs.W001)."""
    if 0 < settings.RECORDS_MAX_BYTES < LINE_MAX_BYTES:
        return [
            Warning(
                f"RECORDS_MAX_BYTES ({settings.RECORDS_MAX_BYTES}) is less than one record may "
                f"have ({LINE_MAX_BYTES}).",
                hint="A long record can then never be sent. 0 is no limit.",
                id="joblogs.W001",
            )
        ]
    return []


def debug_exposed(**_kwargs: Any) -> list[CheckMessage]:
    """Check that DEBUG, which shows settings and log text, is local only (joblogs.W002)."""
    if settings.DEBUG and not _loopback_only():
        return [
            Warning(
                "DEBUG is on and ALLOWED_HOSTS names hosts beyond this machine.",
                hint="Error pages show settings and the text of logs. Turn DEBUG off.",
                id="joblogs.W002",
            )
        ]
    return []


def plain_http(**_kwargs: Any) -> list[CheckMessage]:
    """Check that other machines do not use plain HTTP (joblogs.W003)."""
    if not settings.SECURE_SSL and not _loopback_only():
        return [
            Warning(
                "ALLOWED_HOSTS names hosts beyond this machine and SECURE_SSL is off.",
                hint="Passwords and app secrets travel in the clear, or behind an HTTPS proxy the "
                "login form is refused. Serve by HTTPS and turn SECURE_SSL on.",
                id="joblogs.W003",
            )
        ]
    return []


def any_host(**_kwargs: Any) -> list[CheckMessage]:
    """Check that ALLOWED_HOSTS is not `*`, which accepts every Host header (joblogs.W004)."""
    if "*" in settings.ALLOWED_HOSTS:
        return [
            Warning(
                "ALLOWED_HOSTS is *.",
                hint="Name the hosts: links are built from the name that the caller sends.",
                id="joblogs.W004",
            )
        ]
    return []


def uncounted_proxies(**_kwargs: Any) -> list[CheckMessage]:
    """Check that proxies are counted: else all clients have one address (joblogs.W005)."""
    if settings.SECURE_SSL and not settings.TRUSTED_PROXIES:
        return [
            Warning(
                "SECURE_SSL is on, so there is a proxy, and TRUSTED_PROXIES is 0.",
                hint="Failed logins are counted by the client's address. Say how many proxies add "
                "to X-Forwarded-For; else all clients are one, and one can make all others wait.",
                id="joblogs.W005",
            )
        ]
    return []


def unverified_database(**_kwargs: Any) -> list[CheckMessage]:
    """Check that the certificate of PostgreSQL on another machine is verified (joblogs.W006)."""
    return [
        Warning(
            f"The connection to {database['HOST']} does not verify whom it speaks to.",
            hint="Logs and the password travel over it. Add ?sslmode=verify-full to the URL, and "
            "&sslrootcert= with the authority's certificate.",
            id="joblogs.W006",
        )
        for database in settings.DATABASES.values()
        if database["ENGINE"].endswith("postgresql")
        and _is_another_machine(database.get("HOST") or "")
        and database.get("OPTIONS", {}).get("sslmode") != "verify-full"
    ]


def _is_another_machine(host: str) -> bool:
    # An empty host or a path is a local socket.
    local = {"", "localhost", "127.0.0.1", "::1", "[::1]"}
    return any(name not in local and not name.startswith("/") for name in host.split(","))


def _loopback_only() -> bool:
    return set(settings.ALLOWED_HOSTS) <= _LOOPBACK
