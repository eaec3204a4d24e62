"""Reads of log text are recorded: who, through which channel, of what, how much (DESIGN §5)."""

from __future__ import annotations

import logging

from django.db import DatabaseError
from django.utils import timezone

from joblogs import database, metrics
from joblogs.models import LogRead, StepInstance

logger = logging.getLogger(__name__)

SQLITE_PATIENCE_SECONDS = 1.0


def record_read(
    *, who: str, app_code: str, channel: str, step: StepInstance, host_count: int, size: int
) -> None:
    """Write down one read of a step's logs; `size` is in bytes.

    Called when the answer is sent: what cannot be recorded then is logged as lost, because nothing
    can be taken back any more.
    """
    metrics.text_read(channel=channel, hosts=host_count, size=size)
    scope = step.job.scope
    read = LogRead(
        at=timezone.now(),
        who=who[:256],
        app_code=app_code,
        channel=channel,
        scope_type=scope.scope_type,
        scope_id=scope.scope_id,
        job_instance_id=step.job.job_instance_id,
        step_instance_id=step.step_instance_id,
        host_count=host_count,
        size=size,
    )
    try:
        with database.waiting_at_most(SQLITE_PATIENCE_SECONDS):
            database.insert_unhurried(read)
    except DatabaseError as error:
        metrics.read_lost()
        logger.error(
            "lost the record of a read (%s): %s through %s, job %s, %s hosts, %s bytes",
            type(error).__name__,
            read.who,
            channel,
            read.job_instance_id,
            host_count,
            size,
        )
