"""v4_get_user_authorized_scopes: what the calling app may read."""

from __future__ import annotations

from typing import Any

import pytest

from joblogs import access, app_tokens
from joblogs.models import Scope
from tests.api.get_requests import Ask
from tests.api.v3.test_credentials import said
from tests.api.v4.asking import failed_get, get_v4
from tests.builders import credentials, job, load

NAME = "get_user_authorized_scopes"


def scopes(ask: Ask, **query: Any) -> Any:
    return get_v4(ask, NAME, bk_scope_type=None, bk_scope_id=None, **query)


def test_the_scopes_of_the_apps_grants_are_listed(ask: Ask) -> None:
    load(job(scope_name="Shop"), job(bk_scope_id="3"))
    assert scopes(ask) == {
        "total": 1,
        "offset": 0,
        "length": 10,
        "scope_list": [
            {"bk_scope_type": "biz", "bk_scope_id": "2", "name": "Shop", "favor": False}
        ],
    }


def test_a_right_to_write_is_no_right_to_read(ask: Ask) -> None:
    access.create_app(code="granted", scopes=[("biz", "3")], read=False, write=True)
    assert scopes(ask)["total"] == 1


def test_a_grant_of_every_scope_lists_every_scope_page_by_page(ask: Ask) -> None:
    access.create_app(code="granted", all_scopes=True, read=True, write=False)
    Scope.objects.bulk_create(
        Scope(scope_type="biz_set", scope_id=str(number)) for number in range(12)
    )
    first, second = scopes(ask), scopes(ask, offset=10)
    assert (first["total"], len(first["scope_list"]), len(second["scope_list"])) == (13, 10, 3)
    seen = {scope["bk_scope_id"] for page in (first, second) for scope in page["scope_list"]}
    assert len(seen) == 12  # biz:2 and biz_set:2
    assert scopes(ask, offset=13, length=200)["scope_list"] == []


def test_a_token_lists_what_it_leaves(ask: Ask) -> None:
    credentials("two", scopes=(("biz", "2"), ("biz", "3")), write=True)
    tokens = {
        "whole": {},
        "narrow": {"scope": ("biz", "3")},
        "writer": {"rights": frozenset({"write"})},
    }
    found: dict[str, list[str]] = {}
    for name, limits in tokens.items():
        token = app_tokens.create(code="two", name=name, **limits)  # type: ignore[arg-type]
        path = f"/api/v4/{NAME}"
        answer = ask(b"", method="GET", path=path, caller=said(access_token=token)).json()
        found[name] = [scope["bk_scope_id"] for scope in answer["data"]["scope_list"]]
    assert found == {"whole": ["2", "3"], "narrow": ["3"], "writer": []}


@pytest.mark.parametrize("query", [{"offset": -1}, {"length": 0}, {"length": 201}, {"offset": "x"}])
def test_a_page_beyond_its_bounds_is_refused(ask: Ask, query: dict[str, Any]) -> None:
    assert failed_get(ask, NAME, **query)[:2] == (400, "1240003")
