"""Logs that cannot be read, of which maintenance says so and goes on."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from joblogs.logtext.codec import Unreadable

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def skipping(log: int) -> Iterator[None]:
    """Skip a log that cannot be read: it keeps no other from what is due to it."""
    try:
        yield
    except Unreadable as error:
        fault = type(error).__name__
        logger.warning("host result %s: %s in its log; verify_logs tells more", log, fault)
