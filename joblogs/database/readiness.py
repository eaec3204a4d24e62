"""Readiness check: the database answers, and every migration of this code is applied."""

from __future__ import annotations

import functools
import logging
from enum import StrEnum

from django.db import Error, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from .locks import is_postgresql

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2


class Fault(StrEnum):
    """Reasons of a failed check. They are public, so they name no detail."""

    UNREACHABLE = "the database does not answer"
    OUTDATED = "migrations are not applied"


def fault() -> Fault | None:
    """The fault or None, within a few seconds whatever the database does."""
    probe = _connection_with_timeout()
    try:
        applied = MigrationRecorder(probe).applied_migrations()
    except Error as error:
        logger.warning("not ready: %s", type(error).__name__)
        return Fault.UNREACHABLE
    finally:
        probe.close()
    return None if _newest_migrations() <= applied.keys() else Fault.OUTDATED


@functools.cache
def _newest_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _connection_with_timeout() -> BaseDatabaseWrapper:
    """A connection beside the pool: a pool that is used up is not a database that is gone."""
    probe = connection.copy()
    options = probe.settings_dict["OPTIONS"]
    if is_postgresql():
        options.pop("pool", None)
        limit = f"-c statement_timeout={TIMEOUT_SECONDS * 1000}"
        options |= {
            "connect_timeout": TIMEOUT_SECONDS,
            "tcp_user_timeout": TIMEOUT_SECONDS * 1000,
            "options": f"{options.get('options', '')} {limit}".strip(),
        }
    else:
        options["timeout"] = TIMEOUT_SECONDS
    return probe
