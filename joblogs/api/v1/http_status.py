"""Base view of endpoints whose errors have HTTP statuses, for tools that save responses."""

from __future__ import annotations

from typing import Any

from joblogs.api.base import ApiView
from joblogs.errors import (
    BadRequest,
    JobNotFound,
    NothingSelected,
    OffsetBeyondLog,
    PermissionDenied,
    RangeNotSatisfiable,
    ScopeNotFound,
    StepNotFound,
)

_STATUSES: dict[type[Exception], int] = {
    BadRequest: 400,
    PermissionDenied: 403,
    ScopeNotFound: 404,
    JobNotFound: 404,
    StepNotFound: 404,
    NothingSelected: 404,
    OffsetBeyondLog: 416,
    RangeNotSatisfiable: 416,
}


class HttpStatusView(ApiView):
    """Base view of an endpoint with HTTP statuses for errors, which have the usual envelope."""

    @classmethod
    def status_of(cls, error: type[Exception]) -> int:
        """Return the HTTP status of an error; never 200, for which tools save the body."""
        return _STATUSES.get(error, 500)

    def handle_exception(self, exc: Exception) -> Any:
        response = super().handle_exception(exc)
        if response.status_code == 200:
            response.status_code = self.status_of(type(exc))
        return response
