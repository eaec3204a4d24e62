"""Login form with a limit on failed logins."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import ngettext

from joblogs import login_throttle
from joblogs.pages.login_site import bucket_of, tell_refusal


class Login(AdminAuthenticationForm):
    """Form that refuses a name for some seconds after too many failures, without checking the
    password. `wait`: the remaining seconds, 0 if it did not refuse."""

    wait = 0

    def clean(self) -> dict[str, Any]:
        if self.request is None:
            return super().clean()
        name = str(self.cleaned_data.get("username", ""))
        bucket = bucket_of(self.request, name)
        self.wait = login_throttle.seconds_to_wait(bucket, now=time.time())
        if self.wait:
            tell_refusal(self.request)
            message = ngettext(
                "Too many failed logins. Try again in %(n)d second.",
                "Too many failed logins. Try again in %(n)d seconds.",
                self.wait,
            )
            raise ValidationError(message % {"n": self.wait}, code="refused")
        cleaned = super().clean()
        login_throttle.succeeded(bucket)
        return cleaned
