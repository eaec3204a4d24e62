"""The login, with an end to guessing."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import ngettext

from joblogs import logins

logger = logging.getLogger(__name__)


class Login(AdminAuthenticationForm):
    """Refuses a name for some minutes after too many failures, before it looks at the password."""

    def clean(self) -> dict[str, Any]:
        name = str(self.cleaned_data.get("username", ""))
        address = str(self.request.META.get("REMOTE_ADDR", "")) if self.request else ""
        wait = logins.seconds_refused(name, address, now=time.time())
        if wait:
            logger.warning("too many failed logins of one name from %s", address)
            minutes = -(-wait // 60)
            said = ngettext(
                "Too many failed logins. Try again in %(n)d minute.",
                "Too many failed logins. Try again in %(n)d minutes.",
                minutes,
            )
            raise ValidationError(said % {"n": minutes}, code="refused")
        try:
            return super().clean()
        except ValidationError:
            logins.failed(name, address, now=time.time())
            raise
