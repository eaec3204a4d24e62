"""Upload of an object while it is being made, for exports to object storage."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol

import obstore
from django.conf import settings
from obstore.exceptions import BaseError
from obstore.store import from_url

from .faults import reason

_URL = re.compile(r"((?:s3|az|gs)://[A-Za-z0-9._-]+)/([A-Za-z0-9._/ =+-]*[A-Za-z0-9._=+-])")
PART_BYTES = 8 * 1024 * 1024
AT_ONCE = 4
"""Parts sent concurrently; a writer's memory is bounded by this times PART_BYTES."""


class Upload(Protocol):
    """Protocol of what can be written to: a file or an object."""

    def write(self, data: bytes, /) -> int: ...
    def flush(self) -> None: ...


class _Object:
    """Object that is written in parts; it does not exist until it is closed."""

    def __init__(self, url: str, *, force: bool) -> None:
        match = _URL.fullmatch(url)
        if match is None:
            raise OSError(errno.EINVAL, "an object is BUCKET and a name, as in s3://BUCKET/NAME")
        bucket, key = match.groups()
        with _refusals():
            store = _store(bucket)
            is_there = not force and _is_there(store, key)
        if is_there:
            raise FileExistsError(errno.EEXIST, "it is there already; --force replaces it")
        with _refusals():
            self._writer = obstore.open_writer(
                store, key, buffer_size=PART_BYTES, max_concurrency=AT_ONCE
            )

    def write(self, data: bytes, /) -> int:
        with _refusals():
            return self._writer.write(data)

    def flush(self) -> None:
        """Do nothing: parts are sent when they are full, the last one on closing."""

    def close(self) -> None:
        with _refusals():
            self._writer.close()


def is_object(target: str) -> bool:
    """Return whether a target is the URL of an object, and not a path."""
    return target.startswith(("s3://", "az://", "gs://"))


@contextmanager
def whole_object(url: str, *, force: bool) -> Iterator[Upload]:
    """Yield an object to write; it exists only if the block ends without an exception.

    Raises OSError; FileExistsError if the object exists, unless `force`.
    """
    target = _Object(url, force=force)
    yield target
    target.close()


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise OSError(errno.EIO, f"the object store refused it: {reason(error)}") from None


def _store(bucket: str) -> Any:
    seconds = settings.OBJECT_TIMEOUT_SECONDS
    return from_url(
        bucket,
        client_options={
            "timeout": timedelta(seconds=6 * seconds),  # a part is larger than a range
            "connect_timeout": timedelta(seconds=seconds),
            "allow_http": settings.AWS_ALLOW_HTTP,
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=6 * seconds)},
    )


def _is_there(store: Any, key: str) -> bool:
    try:
        obstore.head(store, key)
    except FileNotFoundError:
        return False
    return True
