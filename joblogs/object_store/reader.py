"""Reading of parts of objects: from the cache, else by few requests; each has a checksum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import xxhash
from django.conf import settings

from .cache import Cache
from .client import Client, Range
from .faults import Fault, ObjectUnreachable


class Part(NamedTuple):
    """Bytes of an object, and what they are compared with (`checksum`)."""

    key: str
    start: int
    size: int
    checksum: int

    @property
    def range(self) -> Range:
        """Where it lies."""
        return Range(self.start, self.start + self.size)


def checksum(data: bytes | memoryview) -> int:
    """XXH3 of 64 bits, as a number that a column holds."""
    return int.from_bytes(xxhash.xxh3_64_digest(data), signed=True)


def client() -> Client:
    """The object store of the settings. Raises ObjectUnreachable if none is set: what lies there
    cannot be read then."""
    if settings.OBJECT_STORE_URL is None:
        raise ObjectUnreachable(Fault.UNREACHABLE, "OBJECT_STORE_URL is not set")
    return _client(
        settings.OBJECT_STORE_URL, settings.OBJECT_TIMEOUT_SECONDS, settings.AWS_ALLOW_HTTP
    )


def cache() -> Cache | None:
    """The cache of the settings, if there is one."""
    if settings.OBJECT_CACHE_DIR is None:
        return None
    return _cache(settings.OBJECT_CACHE_DIR, settings.OBJECT_CACHE_BYTES)


def read(parts: Iterable[Part], *, cached: bool = True) -> dict[Part, bytes]:
    """The bytes of these parts. Raises ObjectUnreachable, for whichever fails first.

    Without `cached` they come from the object store itself, and are not kept.
    """
    found: dict[Part, bytes] = {}
    missing: dict[str, list[Part]] = defaultdict(list)
    kept = cache() if cached else None
    for part in dict.fromkeys(parts):
        data = kept.get(part.key, part.range) if kept is not None else None
        if data is not None and _is_whole(part, data):
            found[part] = data
        else:
            missing[part.key].append(part)
    for key, wanted in missing.items():
        datas = client().read(key, [part.range for part in wanted])
        for part, data in zip(wanted, datas, strict=True):
            if not _is_whole(part, data):
                raise ObjectUnreachable(Fault.TORN, key)
            found[part] = data
            if kept is not None:
                kept.put(key, part.range, data)
    return found


def _is_whole(part: Part, data: bytes) -> bool:
    return len(data) == part.size and checksum(data) == part.checksum


@lru_cache(maxsize=1)
def _client(url: str, seconds: int, allow_http: bool) -> Client:
    return Client(url, seconds=seconds, allow_http=allow_http)


@lru_cache(maxsize=1)
def _cache(folder: str, size: int) -> Cache:
    return Cache(folder, size=size)
