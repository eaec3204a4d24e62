"""create_app --token and --revoke as people run them."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from joblogs.models import AppToken
from tests.management.test_commands import _run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _app(db: None) -> None:
    _run("create_app", "ci", "--scope", "biz:7", "--scope", "biz:8", "--read", "--write")


def test_a_token_is_alone_on_standard_output_and_stored_as_a_digest() -> None:
    out, err, code = _run("create_app", "ci", "--token", "chat")
    (token,) = out.splitlines()
    assert (code, token[:4], len(token) >= 47, token in err) == (0, "jlt_", True, False)
    row = AppToken.objects.get()
    assert bytes(row.digest) == hashlib.sha256(token.encode()).digest()
    assert (row.name, row.scope, row.read, row.write, row.audit, row.expires_at) == (
        *("chat", None, True, True, True),
        None,
    )


def test_a_token_may_be_for_one_scope_for_reading_only_and_for_some_days() -> None:
    _run("create_app", "ci", "--token", "chat", "--scope", "biz:8", "--read", "--expires", "30")
    row = AppToken.objects.get()
    assert (str(row.scope), row.read, row.write, row.audit) == ("biz:8", True, False, False)
    assert row.expires_at is not None
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)


def test_a_revoked_token_is_kept_and_its_name_is_free() -> None:
    first = _run("create_app", "ci", "--token", "chat")[0]
    out, err, code = _run("create_app", "ci", "--token", "chat")
    assert (out, code, "revoke it first" in err) == ("", 1, True)
    assert _run("create_app", "ci", "--revoke", "chat")[2] == 0
    assert _run("create_app", "ci", "--token", "chat")[0] not in ("", first)
    assert [row.is_valid for row in AppToken.objects.order_by("pk")] == [False, True]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nobody", "--token", "t"], "there is no app nobody"),
        (["ci", "--token", "t", "--scope", "biz:9"], "there is no scope biz:9"),
        (["ci", "--token", "t", "--audit"], "does not have this right in any scope: audit"),
        (["ci", "--revoke", "t"], "ci has no token t that is not revoked"),
        (["idle", "--token", "t"], "idle may do nothing in any scope"),
        (["idle", "--token", "t", "--scope", "biz:7"], "idle may do nothing in biz:7"),
    ],
)
def test_what_an_app_may_not_do_no_token_of_it_may(arguments: list[str], told: str) -> None:
    _run("create_app", "idle")
    out, err, code = _run("create_app", *arguments)
    assert (out, code, told in err) == ("", 1, True), err
    assert AppToken.objects.count() == 0


def test_an_app_may_be_granted_to_read_who_read_what() -> None:
    out, err, _ = _run("create_app", "collector", "--all-scopes", "--audit")
    assert "collector may audit every scope." in err
    token: Any = _run("create_app", "collector", "--token", "t", "--audit")[0]
    assert token.startswith("jlt_")
