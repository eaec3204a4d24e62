"""Errors of the workers of a distributed table (Citus).

An error on a worker during COPY is raised as InternalError (XX000) with the worker's message,
whatever its class was there.
"""

from __future__ import annotations

import re

from django.db import InternalError

_DUPLICATE = re.compile(r"duplicate key value violates unique constraint")
_LOST = re.compile(
    r"connection to the remote node|could not establish any connections? to the node"
    r"|could not connect to any active placement|failed to COPY to shard"
    r"|server closed the connection unexpectedly|terminating connection"
    r"|placements? (?:for|of) shard .* unavailable|lock timeout|statement timeout"
)


def is_duplicate(error: BaseException) -> bool:
    """Return whether a key exists already, which is IntegrityError on a single server."""
    return _is(error, _DUPLICATE)


def is_lost_node(error: BaseException) -> bool:
    """Return whether a worker is unreachable, which is OperationalError on a single server."""
    return _is(error, _LOST)


def _is(error: BaseException, message: re.Pattern[str]) -> bool:
    return isinstance(error, InternalError) and message.search(str(error)) is not None
