"""Who looks at the pages, and where the pages of a host are."""

from __future__ import annotations

import re

from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from joblogs.models import LogRead, Scope
from tests.builders import HOST, JOB, STEP

PLACE = ("biz", "2", JOB, STEP)


def page(name: str, *, host: int | None = HOST, place: tuple[object, ...] = PLACE) -> str:
    """The address of a page of a step, or of a host in it."""
    return reverse(f"staff:{name}", args=[*place, *([] if host is None else [host])])


def staff(name: str = "zoe", *, scope: tuple[str, str] | None = ("biz", "2")) -> Client:
    """A browser in which a member of staff is logged in, whose group may browse a scope."""
    user = User.objects.create_user(name, is_staff=True)
    if scope is not None:
        group = Group.objects.create(name=f"group of {name}")
        user.groups.add(group)
        Scope.objects.get_or_create(scope_type=scope[0], scope_id=scope[1])[0].groups.add(group)
    client = Client()
    client.force_login(user)
    return client


def html(client: Client, address: str) -> str:
    """A page, which must open."""
    response = client.get(address)
    assert response.status_code == 200
    content = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    return content.decode()


def text(client: Client, address: str) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html(client, address)))


def reads() -> list[tuple[str, str, int, int]]:
    """What was recorded: who, channel, hosts, bytes."""
    return list(LogRead.objects.order_by("pk").values_list("who", "channel", "host_count", "size"))
