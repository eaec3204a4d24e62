"""View that shows the OpenAPI document as a page, for anyone.

Our own page around Swagger UI, not drf-spectacular's: that one has its script and style inline,
which our policy forbids, and asks for a session that the API does not have. Everything on it comes
from this server, so it works without the internet.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "joblogs/api_docs.html")
