"""Logs that cannot be read: maintenance logs a warning and continues."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from joblogs.logtext.codec import Unreadable

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def skipping(log: int) -> Iterator[None]:
    """Context manager that skips a log that cannot be read, with a warning."""
    try:
        yield
    except Unreadable as error:
        fault = type(error).__name__
        logger.warning("host result %s: %s in its log; verify_logs tells more", log, fault)
