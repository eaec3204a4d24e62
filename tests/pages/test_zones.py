"""Times are shown in the zone of whoever reads them."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from joblogs.middleware import COOKIE, PageMiddleware


def _zone(cookie: str | None) -> str:
    request = HttpRequest()
    if cookie is not None:
        request.COOKIES[COOKIE] = cookie
    seen = PageMiddleware(lambda request: HttpResponse(timezone.get_current_timezone_name()))(
        request
    )
    assert isinstance(seen, HttpResponse)
    return seen.content.decode()


@pytest.mark.parametrize("cookie", ["Asia/Shanghai", "Asia%2FShanghai"])
def test_the_zone_of_the_cookie_counts(cookie: str) -> None:
    assert _zone(cookie) == "Asia/Shanghai"
    assert timezone.get_current_timezone_name() == "UTC"


@pytest.mark.parametrize("cookie", [None, "", "../../etc/passwd", "Mars/Olympus", "%00"])
def test_what_names_no_zone_does_not(cookie: str | None) -> None:
    assert _zone(cookie) == "UTC"
