"""Dialects of the API: ways in which BlueKing clients reach it, known by the path (`docs/api.md`,
Routes)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

_SLUG = r"[-\w.]+"


class Dialect(Enum):
    """Dialect, with the start of its paths as a regular expression without the leading slash."""

    # The order matters: `esb` is a backend before a stage, `v1` a gateway's name before ours.
    BACKEND = r"(?:api/job/v3/job-execute|esb/api/v3)/"
    BACKEND_V4 = r"(?:api/job/v4/(?!api/)[-\w.]+|esb/api/v4)/"
    ESB = r"api/c/compapi/(?:v2/)?jobv3/"
    GATEWAY = rf"(?:api/{_SLUG}/)?{_SLUG}/api/v3/(?:system/)?"
    GATEWAY_V4 = rf"(?:api/{_SLUG}/)?{_SLUG}/api/v4/(?:system/)?"
    BARE = r"api/v3/(?:system/)?"
    BARE_V4 = r"api/v4/(?:system/)?"
    OWN = r"api/v1/"
    # Whatever else looks like an API is one that does not exist.
    OTHER = r"(?:api|esb)/"

    @property
    def prefix(self) -> str:
        return self.value


FORMS_V3 = (
    "`/api/{gateway}/{stage}/api/v3/`, `/{stage}/api/v3/`, each of them and `/api/v3/` with "
    "`system/` after it, `/api/job/v3/job-execute/`, `/esb/api/v3/`, `/api/c/compapi/v2/jobv3/` "
    "and `/api/c/compapi/jobv3/`; all with and without a trailing slash."
)
FORMS_V4 = (
    "Also with `v4_` before the name, under `/api/{gateway}/{stage}/api/v4/` and "
    "`/{stage}/api/v4/`, each with `system/` after it, under `/api/job/v4/{module}/` of any module "
    "and under `/esb/api/v4/`, with and without a trailing slash."
)
"""The paths of an endpoint beside its canonical one, for the OpenAPI document."""
_COMPILED = [(dialect, re.compile("/" + dialect.prefix)) for dialect in Dialect]
_V3 = (Dialect.BACKEND, Dialect.ESB, Dialect.BARE, Dialect.GATEWAY)
V4 = (Dialect.BACKEND_V4, Dialect.BARE_V4, Dialect.GATEWAY_V4)
"""Dialects with the envelope of version 4."""
THROUGH_GATEWAY = (Dialect.GATEWAY, Dialect.BARE, Dialect.GATEWAY_V4, Dialect.BARE_V4)
"""Dialects whose answers carry what a gateway adds to them."""
BACKENDS = (Dialect.BACKEND, Dialect.BACKEND_V4)
"""Dialects by which a gateway comes, with its token about the caller."""


def dialect_of(path: str) -> Dialect | None:
    """The dialect of a path (with its leading slash), None for pages."""
    for dialect, pattern in _COMPILED:
        if pattern.match(path):
            return dialect
    return None


def routes(name: str) -> str:
    """A URL pattern for an API under every dialect of version 3, with and without a slash."""
    return _pattern(_V3, name)


def v4_routes(name: str) -> str:
    """The same under those of version 4, where the gateway's name for it may be used too."""
    return _pattern(V4, f"(?:v4_)?{name}")


def _pattern(dialects: Iterable[Dialect], name: str) -> str:
    return rf"^(?:{'|'.join(dialect.prefix for dialect in dialects)}){name}/?$"
