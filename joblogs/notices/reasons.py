"""Reasons why a saved search was switched off or a notice not sent, with their labels."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NO_ACCESS: Final = "no access"
NO_SECRET: Final = "no secret"  # noqa: S105 - a reason
BAD_PATTERN: Final = "bad pattern"

OFF_REASONS: dict[str, str | Promise] = {
    NO_ACCESS: _("its owner may no longer see the scope"),
    NO_SECRET: _("SECRET_KEY has changed: rotate its secret"),
    BAD_PATTERN: _("its text cannot be searched for"),
}
"""Labels of the reasons why a search was switched off."""

OFF: Final = "switched off"
REMOVED: Final = "removed"
EXPIRED: Final = "expired"
NOT_THERE: Final = "no longer there"

DETAILS: dict[str, str | Promise] = {
    OFF: _("its saved search was switched off"),
    REMOVED: _("its job was removed"),
    EXPIRED: _("the text has expired"),
    NOT_THERE: _("the text was masked or has changed"),
}
"""Labels of the reasons why a notice was not sent."""
