"""The entry point for WSGI servers: `gunicorn jobplatform.wsgi:application`."""

from __future__ import annotations

import ctypes
import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jobplatform.settings")

application = get_wsgi_application()

# All that a worker starts with, views and all, stays as long as it lives. The collector need not go
# through it again each time that thousands of records make it look: a third of what they cost.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
# Nor need it look at every 700 things that an answer is made of, most of which go with it: that is
# an eighth of a page of 2,000 hosts. What waits for it meanwhile is a dozen megabytes.
gc.set_threshold(50_000)

# glibc gives memory back to the system, and asks for it again as zeroed pages, beyond a threshold
# that grows with the largest block ever freed. One of twice the size of a group of logs (8 MiB) now
# instead of page faults with every answer; other allocators do not mind.
bytearray(16 * 1024 * 1024)
# Below that threshold it keeps what a thread gave back for that thread: 32 MB each, as many times
# as there are threads. One pool for all (M_ARENA_MAX): only one of them runs Python at a time.
if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
    mallopt(-8, 1)
