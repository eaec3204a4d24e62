"""What gunicorn is told besides its command line; it reads this file where it is started."""

from __future__ import annotations

import os
from typing import Any


def post_fork(server: Any, worker: Any) -> None:
    """Tell the settings how many threads a worker has: half of them may do slow work."""
    os.environ.setdefault("SERVER_THREADS", str(worker.cfg.threads))
