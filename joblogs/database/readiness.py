"""Whether the database can serve this code: it answers, and its tables are those of this code."""

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

PATIENCE_SECONDS = 2


class Fault(StrEnum):
    """Why it cannot. Said to anyone who asks, so it tells nothing else."""

    UNREACHABLE = "the database does not answer"
    OUTDATED = "migrations are not applied"


def fault() -> Fault | None:
    """What is wrong, None if nothing is; within a few seconds, whatever the database does."""
    asking = _impatient()
    try:
        applied = MigrationRecorder(asking).applied_migrations()
    except Error as error:
        logger.warning("not ready: %s", type(error).__name__)
        return Fault.UNREACHABLE
    finally:
        asking.close()
    return None if _newest_migrations() <= applied.keys() else Fault.OUTDATED


@functools.cache
def _newest_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _impatient() -> BaseDatabaseWrapper:
    """A connection beside the pool: a pool that is used up is not a database that is gone."""
    asking = connection.copy()
    options = asking.settings_dict["OPTIONS"]
    if is_postgresql():
        options.pop("pool", None)
        limit = f"-c statement_timeout={PATIENCE_SECONDS * 1000}"
        options |= {
            "connect_timeout": PATIENCE_SECONDS,
            "tcp_user_timeout": PATIENCE_SECONDS * 1000,
            "options": f"{options.get('options', '')} {limit}".strip(),
        }
    else:
        options["timeout"] = PATIENCE_SECONDS
    return asking
