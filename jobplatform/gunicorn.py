"""Configuration of gunicorn: `-c python:jobplatform.gunicorn jobplatform.wsgi:application`.

Options on the command line and in GUNICORN_CMD_ARGS override those here.
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
# A body of records may take minutes to arrive: a worker without threads would be killed meanwhile.
worker_class = "gthread"
threads = 8  # at most the connections of the pool (postgres.py): each may hold one for long
timeout = 60
graceful_timeout = 60
keepalive = 75
# Heartbeat files of workers; on a busy disk they would be late, and the workers killed.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - memory
control_socket_disable = True


def post_fork(server: Any, worker: Any) -> None:
    """Pass the number of threads of a worker to the settings: half of them may do slow work."""
    os.environ.setdefault("SERVER_THREADS", str(worker.cfg.threads))


def post_worker_init(worker: Any) -> None:
    """Tune a worker's process once the application is loaded."""
    _tune_collector()
    _tune_allocator()


def _tune_collector() -> None:
    # Objects loaded at start, such as views, live as long as the worker. Without this the collector
    # traverses them again and again while records are ingested: a third of the CPU time of that.
    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
    # Collect less often than every 700 objects, since most objects of a response are freed without
    # it: that took an eighth of a page of 2,000 hosts. Uncollected garbage is a dozen megabytes.
    gc.set_threshold(50_000)


def _tune_allocator() -> None:
    # glibc returns blocks above a threshold to the system, and gets them back as zeroed pages. The
    # threshold grows with the largest block ever freed, so free one of twice the size of a group of
    # logs (8 MiB) now, which avoids page faults in every response. Harmless with other allocators.
    bytearray(16 * 1024 * 1024)
    # Below the threshold it keeps freed memory for each thread, up to 32 MB. Use one arena for all
    # (M_ARENA_MAX), since only one thread runs Python at a time.
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(-8, 1)
