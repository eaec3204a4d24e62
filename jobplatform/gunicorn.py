"""Configuration of gunicorn: `-c python:jobplatform.gunicorn jobplatform.wsgi:application`.

Options on the command line and in GUNICORN_CMD_ARGS win over those here.
"""

from __future__ import annotations

import ctypes
import gc
import os
from pathlib import Path
from typing import Any

from django.urls import get_resolver

bind = "127.0.0.1:8000"
workers = 2
# A body of records may take minutes to arrive: a worker without threads is ended meanwhile.
worker_class = "gthread"
threads = 8  # no more than the pool has connections (settings.py): each may hold one for long
timeout = 60
graceful_timeout = 60
keepalive = 75
# Workers touch a file here to say that they live; on a disk that is busy they would be ended.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - memory
control_socket_disable = True


def post_fork(server: Any, worker: Any) -> None:
    """Tell the settings how many threads a worker has: half of them may do slow work."""
    os.environ.setdefault("SERVER_THREADS", str(worker.cfg.threads))


def post_worker_init(worker: Any) -> None:
    """Tune a worker's process, once the application is loaded."""
    _tune_collector()
    _tune_allocator()


def _tune_collector() -> None:
    # All that a worker starts with, views and all, stays as long as it lives. The collector need
    # not go through it again each time that thousands of records make it look: a third of what
    # they cost.
    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
    # Nor need it look at every 700 things that an answer is made of, most of which go with it: that
    # is an eighth of a page of 2,000 hosts. What waits for it meanwhile is a dozen megabytes.
    gc.set_threshold(50_000)


def _tune_allocator() -> None:
    # glibc gives memory back to the system, and asks for it again as zeroed pages, beyond a
    # threshold that grows with the largest block ever freed. One of twice the size of a group of
    # logs (8 MiB) now instead of page faults with every answer; other allocators do not mind.
    bytearray(16 * 1024 * 1024)
    # Below that threshold it keeps what a thread gave back for that thread: 32 MB each, as many
    # times as there are threads. One pool for all (M_ARENA_MAX): only one of them runs Python at a
    # time.
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(-8, 1)
