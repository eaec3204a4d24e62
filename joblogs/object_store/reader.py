"""Reading of parts of objects, from the cache or in few requests; each part has a checksum."""

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


class ObjectPart(NamedTuple):
    """Part of an object, with the checksum of its bytes (`checksum`)."""

    key: str
    start: int
    size: int
    checksum: int

    @property
    def range(self) -> Range:
        """Range of the object."""
        return Range(self.start, self.start + self.size)


def checksum(data: bytes | memoryview) -> int:
    """Return the 64-bit XXH3 as a signed integer, for a database column."""
    return int.from_bytes(xxhash.xxh3_64_digest(data), signed=True)


def client() -> Client:
    """Return the client of the configured object store. Raises ObjectUnreachable if none is
    configured, since its objects cannot be read then."""
    if settings.OBJECT_STORE_URL is None:
        raise ObjectUnreachable(Fault.UNREACHABLE, "OBJECT_STORE_URL is not set")
    return _client(
        settings.OBJECT_STORE_URL, settings.OBJECT_TIMEOUT_SECONDS, settings.AWS_ALLOW_HTTP
    )


def cache() -> Cache | None:
    """Return the configured cache; None if there is none."""
    if settings.OBJECT_CACHE_DIR is None:
        return None
    return _cache(settings.OBJECT_CACHE_DIR, settings.OBJECT_CACHE_BYTES)


def forget_cached(keys: Iterable[str]) -> None:
    """Delete what the cache has of these objects, if there is a cache."""
    kept = cache()
    if kept is not None:
        for key in keys:
            kept.forget(key)


def read(parts: Iterable[ObjectPart], *, cached: bool = True) -> dict[ObjectPart, bytes]:
    """Return the bytes of these parts. Raises ObjectUnreachable for the first one that fails.

    Without `cached` they are read from the object store itself, and not added to the cache.
    """
    found: dict[ObjectPart, bytes] = {}
    missing: dict[str, list[ObjectPart]] = defaultdict(list)
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


def _is_whole(part: ObjectPart, data: bytes) -> bool:
    return len(data) == part.size and checksum(data) == part.checksum


@lru_cache(maxsize=1)
def _client(url: str, seconds: int, allow_http: bool) -> Client:
    return Client(url, seconds=seconds, allow_http=allow_http)


@lru_cache(maxsize=1)
def _cache(folder: str, size: int) -> Cache:
    return Cache(folder, size=size)
