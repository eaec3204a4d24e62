"""Endpoint `/api/v1/schema`: the OpenAPI document, and the page that shows it, for anyone.

Our own page around Swagger UI, not drf-spectacular's: that one has its script and style inline,
which our policy forbids, and asks for a session that the API does not have. Everything on it comes
from this server, so it works without the internet.
"""

from __future__ import annotations

import functools
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request

from joblogs.api.base import ApiView, Operation
from joblogs.api.exchange import json_bytes


class Schema(ApiView):
    """View of the document."""

    http_method_names = ["get"]
    operations = {
        "get": Operation(
            summary="This document",
            description="For anyone: it holds nothing secret.",
            tag="This document",
            responses={
                "200": {
                    "description": "OpenAPI 3.1.",
                    "headers": {},
                    "content": {"application/json": {"schema": {"type": "object"}}},
                }
            },
            is_public=True,
        )
    }

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """No authentication: the document holds nothing secret."""

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(document(), content_type="application/json")


@functools.cache
def document() -> bytes:
    """The document as JSON (`joblogs.api.openapi` makes it)."""
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]
    return json_bytes(generator.get_schema(request=None, public=True))


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "joblogs/api_docs.html")
