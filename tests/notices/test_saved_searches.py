"""Saved searches and notices in the admin: who keeps them, and what they show."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from joblogs import notices
from joblogs.models import Notice, NoticeState, SavedSearch, Scope
from tests.notices.receivers import saved_search
from tests.pages.page_helpers import html, staff

pytestmark = pytest.mark.django_db

LIST, ADD = "/admin/joblogs/savedsearch/", "/admin/joblogs/savedsearch/add/"
TARGET = "https://hooks.example.com/joblogs"


def values(**fields: Any) -> dict[str, Any]:
    scope = Scope.objects.get(scope_type="biz", scope_id="2")
    return {
        "name": "disks",
        "scope": scope.pk,
        "pattern": "No space left",
        "channel": "webhook",
        "target": TARGET,
        "language": "en",
        "active": "on",
    } | fields


def test_a_member_of_staff_makes_one_and_sees_its_secret_once() -> None:
    client = staff()
    said = client.post(ADD, values(), follow=True).content.decode()
    (secret,) = re.findall(r"whsec_[\w+/=]+", said)
    search = SavedSearch.objects.get()
    assert (search.owner_user.username, search.active) == ("zoe", True)
    for address in (LIST, f"{LIST}{search.pk}/change/", f"{LIST}{search.pk}/history/"):
        assert "whsec_" not in html(client, address)
    row = SavedSearch.objects.values().get()
    assert secret not in str(row)
    chosen = {"action": "rotate", "_selected_action": search.pk}
    said = client.post(LIST, chosen).content.decode()
    assert re.findall(r"whsec_[\w+/=]+", said) not in ([], [secret])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"pattern": ""}, "Enter a text"),
        ({"pattern": "(", "is_regex": "on"}, "missing"),
        ({"target": "ftp://a/"}, "must begin with http"),
        ({"target": "https://user:secret@a/"}, "no password"),
        ({"channel": "mail"}, "valid email"),
        ({"statuses": ["2"]}, "Select a valid choice"),
    ],
)
def test_what_asks_nothing_or_cannot_be_sent_is_refused(fields: Any, field: str) -> None:
    said = staff().post(ADD, values(**fields)).content.decode()
    assert field in said
    assert not SavedSearch.objects.exists()


@pytest.mark.parametrize("host", ["10.0.0.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_a_private_address_is_refused_where_settings_do_not_allow_it(
    host: str, settings: Any
) -> None:
    settings.NOTICE_PRIVATE_TARGETS = False
    answer = staff().post(ADD, values(target=f"https://{host}/"))
    (text,) = answer.context["adminform"].form.errors["target"]
    assert "private network" in text


@pytest.mark.parametrize(
    ("mailbox", "error"),
    [
        (f"ops@{'é' * 60}.com", "not a valid email address"),
        ("ops@", "not a valid email address"),
        ("ops@a.com, dev@a.com", "not a valid email address"),
        ("Ops <ops@a.com>", "not a valid email address"),
        (f"{'a' * 65}@example.com", "longer than 64 characters"),
        (f"ops@{'.'.join(['a' * 60] * 5)}.com", "longer than 254 characters"),
        (f"{'a' * 60}@{'.'.join(['b' * 60] * 3)}.{'c' * 20}.com", "longer than 254 characters"),
        ("\u212aelvin@example.com", "must be in ASCII"),
        ('"a\x01b"@example.com', "must be in ASCII"),
    ],
)
def test_a_mailbox_that_cannot_be_sent_to_is_refused_at_its_field(mailbox: str, error: str) -> None:
    answer = staff().post(ADD, values(channel="mail", target=mailbox))
    (text,) = answer.context["adminform"].form.errors["target"]
    assert error in text
    assert not SavedSearch.objects.exists()


def test_a_refusal_of_a_mailbox_is_translated() -> None:
    client = staff()
    long = values(channel="mail", target=f"{'a' * 65}@example.com")
    answer = client.post(ADD, long, headers={"Accept-Language": "zh-hans"})
    assert "@ 之前的名称超过 64 个字符。" in answer.content.decode()


@pytest.mark.parametrize("mailbox", ["ops@例子.cn", f"{'a' * 64}@example.com", "o'b+x@a-b.example"])
def test_a_mailbox_that_can_be_sent_to_is_taken(mailbox: str) -> None:
    staff().post(ADD, values(channel="mail", target=mailbox))
    assert SavedSearch.objects.get().target == mailbox


def test_a_scope_of_others_cannot_be_chosen() -> None:
    client = staff()
    other = Scope.objects.create(scope_type="biz", scope_id="3")
    said = client.post(ADD, values(scope=other.pk)).content.decode()
    assert "Select a valid choice" in said
    assert "biz:3" not in said
    assert not SavedSearch.objects.exists()


def test_each_sees_their_own_and_a_superuser_switches_others_off() -> None:
    search = saved_search(TARGET, statuses=[4], name="mine of zoe")
    notice = Notice.objects.create(search=search, step_id=1, attempt=0)
    other = staff("adam")
    assert "mine of zoe" not in html(other, LIST)
    assert other.get(f"{LIST}{search.pk}/change/").status_code == 302
    assert str(notice.event_id) not in html(other, "/admin/joblogs/notice/")
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    assert "mine of zoe" in html(root, LIST)
    assert root.post(f"{LIST}{search.pk}/change/", values()).status_code == 403
    root.post(LIST, {"action": "switch_off", "_selected_action": search.pk})
    search.refresh_from_db()
    notice.refresh_from_db()
    assert (search.active, notice.state) == (False, NoticeState.DROPPED)
    assert "its saved search was switched off" in html(root, "/admin/joblogs/notice/")


def test_the_list_says_why_a_search_is_off() -> None:
    client = staff()
    notices.switch_off(saved_search(TARGET, owner=User.objects.get(username="zoe")), "no access")
    assert "off: its owner may no longer see the scope" in html(client, LIST)


def test_what_was_given_up_is_shown_and_sent_again() -> None:
    client = staff()
    search = saved_search(TARGET, owner=User.objects.get(username="zoe"))
    dead = Notice.objects.create(
        search=search, step_id=1, attempt=0, state=NoticeState.DEAD, detail="HTTP 500"
    )
    address = "/admin/joblogs/notice/"
    shown = html(client, f"{address}?state__exact={NoticeState.DEAD.value}")
    assert "given up" in shown
    assert "HTTP 500" in shown
    assert "given up" in html(client, f"{address}?q={dead.event_id}")
    assert str(dead.event_id) in html(client, f"{address}{dead.pk}/change/")
    client.post(address, {"action": "send_again", "_selected_action": dead.pk})
    dead.refresh_from_db()
    assert dead.state == NoticeState.PENDING
