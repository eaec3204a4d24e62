"""Access rules: QuerySets of what a caller may read or write. Every read starts from one of them.

Rights belong to the app. Management commands may do everything: who runs them runs the machine.
"""

from .apps import create_app, new_secret, seconds_to_wait
from .auditing import auditable_reads, auditable_scopes
from .reading import (
    Caller,
    app_of,
    jobs_in,
    readable_scope,
    readable_scopes,
    readable_step,
    visible_jobs,
    visible_jobs_in,
    visible_scope_ids,
    visible_scopes,
    visible_step,
)
from .writing import OPERATOR, Writer, writable_jobs, writer_for

__all__ = [
    "Caller",
    "auditable_reads",
    "auditable_scopes",
    "readable_scope",
    "readable_scopes",
    "app_of",
    "readable_step",
    "jobs_in",
    "visible_scopes",
    "visible_scope_ids",
    "visible_jobs",
    "visible_jobs_in",
    "visible_step",
    "OPERATOR",
    "Writer",
    "writer_for",
    "writable_jobs",
    "create_app",
    "new_secret",
    "seconds_to_wait",
]
