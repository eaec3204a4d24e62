"""The forms under which BlueKing clients reach an API (CONTRACT §1), told by the path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

_SLUG = r"[-\w.]+"


class Form(Enum):
    """A form and the start of its paths, as a regular expression without the leading slash."""

    # The order matters: `esb` is a backend before a stage, `v1` a gateway's name before ours.
    BACKEND = r"(?:api/job/v3/job-execute|esb/api/v3)/"
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

    @property
    def through_gateway(self) -> bool:
        """Whether answers carry what a gateway adds to them."""
        return self in (Form.GATEWAY, Form.BARE, Form.GATEWAY_V4, Form.BARE_V4)

    @property
    def is_v4(self) -> bool:
        """Whether errors are told as version 4 of the wire tells them."""
        return self in _V4


_COMPILED = [(form, re.compile("/" + form.prefix)) for form in Form]
_V3 = (Form.BACKEND, Form.ESB, Form.BARE, Form.GATEWAY)
_V4 = (Form.BARE_V4, Form.GATEWAY_V4)


def form_of(path: str) -> Form | None:
    """The form that a path (with its leading slash) belongs to, None for pages."""
    for form, pattern in _COMPILED:
        if pattern.match(path):
            return form
    return None


def routes(name: str) -> str:
    """A URL pattern for an API under every form of version 3, with and without a slash."""
    return _pattern(_V3, name)


def v4_routes(name: str) -> str:
    """The same under those of version 4, where the gateway's name for it may be used too."""
    return _pattern(_V4, f"(?:v4_)?{name}")


def _pattern(forms: Iterable[Form], name: str) -> str:
    return rf"^(?:{'|'.join(form.prefix for form in forms)}){name}/?$"
