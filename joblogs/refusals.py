"""Errors before an endpoint is reached, in the form of the gateway and always in English."""

from __future__ import annotations

from typing import ClassVar

from .errors import StoreError, Text


class Refusal(StoreError):
    """Base class of errors before an endpoint is reached, in the form of the gateway.

    Always in English. `status` is the HTTP status for all dialects but the ESB's, which uses 200.
    """

    status: ClassVar[int]
    code_name: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(Text(message, message))


class InvalidArgs(Refusal):
    """Error: credentials are missing, malformed, unknown or wrong."""

    status, code, code_name = 400, 1640001, "INVALID_ARGS"

    def __init__(self, reason: str) -> None:
        super().__init__(f'Parameters error [reason="{reason}"]')


class AppVerifyFailed(Refusal):
    """Error: a gateway's token is not valid."""

    status, code, code_name = 401, 1640101, "APP_VERIFY_FAILED"

    def __init__(self, reason: str) -> None:
        """`reason` names the check that failed, never contents of the token."""
        super().__init__(f'App verification failed [reason="{reason}"]')


class ApiNotFound(Refusal):
    """Error: no such API, for a URL in a form that BlueKing clients use."""

    status, code, code_name = 404, 1640401, "API_NOT_FOUND"

    def __init__(self, method: str, path: str) -> None:
        """`path` is already percent-encoded."""
        super().__init__(f'API not found [method="{method}" path="{path}"]')


class LengthRequired(Refusal):
    """Error: a body without Content-Length, whose end the server cannot detect."""

    status, code, code_name = 411, 1641101, "LENGTH_REQUIRED"

    def __init__(self) -> None:
        super().__init__("Content-Length is required by this server.")


class BodyTooLarge(Refusal):
    """Error: a body exceeds the limit."""

    status, code, code_name = 413, 1641301, "BODY_SIZE_LIMIT_EXCEED"

    def __init__(self) -> None:
        super().__init__("Request body size too large.")


class TooManyRequests(Refusal):
    """Error: an app exceeds its rate limit, or there is too much slow work."""

    status, code, code_name = 429, 1642902, "RATE_LIMIT_RESTRICTION"

    def __init__(self, *, retry_after: int) -> None:
        """`retry_after` in seconds."""
        self.retry_after = retry_after
        super().__init__(f"API rate limit exceeded, retry after {retry_after} seconds.")
