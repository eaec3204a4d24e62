"""The forms under which BlueKing clients reach an API (CONTRACT §1), told by the path."""

from __future__ import annotations

import re
from enum import Enum

_SLUG = r"[-\w.]+"


class Form(Enum):
    """A form and the start of its paths, as a regular expression without the leading slash."""

    # The order matters: `esb` is a backend before a stage, `v1` a gateway's name before ours.
    BACKEND = r"(?:api/job/v3/job-execute|esb/api/v3)/"
    ESB = r"api/c/compapi/(?:v2/)?jobv3/"
    GATEWAY = rf"(?:api/{_SLUG}/)?{_SLUG}/api/v3/(?:system/)?"
    BARE = r"api/v3/(?:system/)?"
    OWN = r"api/v1/"
    # Whatever else looks like an API is one that does not exist.
    OTHER = r"(?:api|esb)/"

    @property
    def prefix(self) -> str:
        return self.value

    @property
    def through_gateway(self) -> bool:
        """Whether answers carry what a gateway adds to them."""
        return self in (Form.GATEWAY, Form.BARE)


_COMPILED = [(form, re.compile("/" + form.prefix)) for form in Form]
_BLUEKING = (Form.BACKEND, Form.ESB, Form.BARE, Form.GATEWAY)


def form_of(path: str) -> Form | None:
    """The form that a path (with its leading slash) belongs to, None for pages."""
    for form, pattern in _COMPILED:
        if pattern.match(path):
            return form
    return None


def routes(name: str) -> str:
    """A URL pattern for an API under every BlueKing form, with and without a trailing slash."""
    return rf"^(?:{'|'.join(form.prefix for form in _BLUEKING)}){name}/?$"
