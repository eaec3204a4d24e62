"""Throttle of RATE_LIMIT requests a minute for each app (`docs/api.md`, Limits)."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from joblogs import access
from joblogs.errors import TooManyRequests


class AppRate(BaseThrottle):
    """Throttle of an app: beyond its limit it is refused, with the seconds until it may retry."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if not settings.RATE_LIMIT:
            return True
        caller: Any = request.user
        wait = access.seconds_to_wait(caller.app, limit=settings.RATE_LIMIT, now=time.time())
        if wait:
            raise TooManyRequests(retry_after=wait)
        return True
