"""Sending of notices by mail, by Django's settings (`EMAIL_URL`)."""

from __future__ import annotations

from collections.abc import Iterator
from smtplib import SMTPException
from typing import Any

from django.core.mail import EmailMessage

from .targets import TargetRefused, check_mailbox
from .webhook import NotDelivered


def send(address: str, *, event_id: str, subject: str, values: dict[str, Any]) -> None:
    """Send a notice. Raise NotDelivered."""
    text = "\n".join(_lines(values))
    # The name of a job may contain a line break, which is invalid in a header.
    one_line = " ".join(subject.split())
    message = EmailMessage(one_line, text, to=[address], headers={"X-Joblogs-Event": event_id})
    try:
        check_mailbox(address)
        message.send()
    except TargetRefused as error:
        raise NotDelivered(f"address refused: {error}") from None
    except (OSError, SMTPException, ValueError) as error:
        # ValueError: a header that cannot be encoded.
        raise NotDelivered(type(error).__name__) from None


def _lines(values: dict[str, Any]) -> Iterator[str]:
    yield values["sentence"]
    yield values["address"]
    for match in values["matches"]:
        yield ""
        yield f"{match['host']}: {match['line']}"
    for group in values["groups"]:
        yield ""
        what = " · ".join(filter(None, (group["status_name"], group["history"])))
        yield f"{group['host_count']}: {group['hosts']} · {what}"
        yield from (f"    {line}" for line in group["excerpt"])
