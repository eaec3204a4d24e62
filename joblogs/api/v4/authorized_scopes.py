"""Endpoint v4_get_user_authorized_scopes: the scopes that the calling app may read."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import Meta, Struct
from rest_framework.request import Request

from joblogs import access
from joblogs.api import parameters
from joblogs.api.base import ApiView, Operation, caller_of
from joblogs.api.exchange import success
from joblogs.api.fields import Parameter, constant, read
from joblogs.api.parameters import number_within
from joblogs.errors import BadRequest
from joblogs.models import Scope

LENGTH_DEFAULT, LENGTH_MAX = 10, 200
_OFFSET = partial(number_within, least=0, most=2**31 - 1, default=0, text=BadRequest.SCOPES_OFFSET)
_LENGTH = partial(
    number_within, least=1, most=LENGTH_MAX, default=LENGTH_DEFAULT, text=BadRequest.LIST_LENGTH
)


class AuthorizedScopesParams(Struct, frozen=True):
    """Parameters: which page."""

    offset: Annotated[
        int,
        Parameter(
            _OFFSET, {"type": "integer", "minimum": 0, "default": 0}, "Scopes before the page."
        ),
    ]
    length: Annotated[
        int,
        Parameter(
            _LENGTH,
            {"type": "integer", "minimum": 1, "maximum": LENGTH_MAX, "default": LENGTH_DEFAULT},
            "Scopes of the page.",
        ),
    ]


class AuthorizedScope(Struct):
    """Scope that the app may read."""

    bk_scope_type: str
    bk_scope_id: str
    name: str
    favor: Annotated[bool, constant(False)] = False


class AuthorizedScopes(Struct):
    """Page of the scopes that the app may read."""

    total: Annotated[int, Meta(description="Scopes that it may read.")]
    offset: int
    length: int
    scope_list: Annotated[list[AuthorizedScope], Meta(description="By type and id.")]


class V4GetUserAuthorizedScopes(ApiView):
    """View of the scopes that the calling app may read, by GET."""

    http_method_names = ["get"]
    errors = (BadRequest,)
    operations = {
        "get": Operation(
            summary="The scopes that the app may read",
            description="Rights are the app's, or what its token leaves of them.",
            request=AuthorizedScopesParams,
            answer=AuthorizedScopes,
            has_scope=False,
        )
    }

    def get(self, request: Request) -> HttpResponseBase:
        wanted = read(AuthorizedScopesParams, parameters.parameters(request._request))
        scopes = access.readable_scopes(caller_of(request))
        page = scopes[wanted.offset : wanted.offset + wanted.length]
        entries = [_entry(scope) for scope in page]
        found = AuthorizedScopes(scopes.count(), wanted.offset, wanted.length, entries)
        return success(request._request, found)


def _entry(scope: Scope) -> AuthorizedScope:
    return AuthorizedScope(scope.scope_type, scope.scope_id, scope.name)
