"""Refusals before an endpoint is reached, in the gateway's own form and always in English."""

from __future__ import annotations

from typing import ClassVar

from .errors import StoreError, Text


class Refusal(StoreError):
    """Error before a request is authenticated, in the gateway's own form.

    Always English. `status` is the HTTP status of every form but the ESB's, which answers 200.
    """

    status: ClassVar[int]
    code_name: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(Text(message, message))


class InvalidArgs(Refusal):
    """Credentials that are missing, unreadable, unknown or wrong."""

    status, code, code_name = 400, 1640001, "INVALID_ARGS"

    def __init__(self, reason: str) -> None:
        super().__init__(f'Parameters error [reason="{reason}"]')


class AppVerifyFailed(Refusal):
    """A gateway's token that does not hold."""

    status, code, code_name = 401, 1640101, "APP_VERIFY_FAILED"

    def __init__(self, reason: str) -> None:
        """`reason` says which check failed, never what the token holds."""
        super().__init__(f'App verification failed [reason="{reason}"]')


class ApiNotFound(Refusal):
    """No such API under a form that BlueKing clients use."""

    status, code, code_name = 404, 1640401, "API_NOT_FOUND"

    def __init__(self, method: str, path: str) -> None:
        """`path` is already percent-encoded."""
        super().__init__(f'API not found [method="{method}" path="{path}"]')


class LengthRequired(Refusal):
    """A body whose end the server cannot see."""

    status, code, code_name = 411, 1641101, "LENGTH_REQUIRED"

    def __init__(self) -> None:
        super().__init__("Content-Length is required by this server.")


class BodyTooLarge(Refusal):
    """A body beyond what is read."""

    status, code, code_name = 413, 1641301, "BODY_SIZE_LIMIT_EXCEED"

    def __init__(self) -> None:
        super().__init__("Request body size too large.")


class TooManyRequests(Refusal):
    """An app beyond its rate."""

    status, code, code_name = 429, 1642902, "RATE_LIMIT_RESTRICTION"

    def __init__(self, *, retry_after: int) -> None:
        """`retry_after` in seconds."""
        self.retry_after = retry_after
        super().__init__(f"API rate limit exceeded, retry after {retry_after} seconds.")
