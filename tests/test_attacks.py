"""What somebody would try who has a login, a foreign link or a hostile site."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from joblogs.access import Caller
from joblogs.models import App, JobInstance
from tests.builders import credentials, job, load, result, script_log, step
from tests.channels.security_world import (
    GONE,
    GONE_KEY,
    HISTORY,
    STAFF,
    STAFF_ELSEWHERE,
    SUPERUSER,
    Ask,
    World,
    make_world,
)
from tests.pages.page_helpers import page, staff

pytestmark = pytest.mark.django_db

LOOKUPS = (
    *("name__startswith", "host_name__startswith", "operator__startswith", "content__startswith"),
    *("step__job__name__startswith", "job__name__startswith", "job__scope__name__startswith"),
    *("step__job__scope__scope_id", "host__name__startswith", "host_result__host_name"),
    *("host_results__host_name__startswith", "steps__name__startswith", "held_by", "task_key"),
    *("scope__groups__user__password__startswith", "job__scope__groups__user__username"),
    *("who__startswith", "job_instance_id__lt", "value_hashes__contains", "redacted__contains"),
)


def test_lists_are_not_asked_by_what_no_filter_offers() -> None:
    world = make_world()
    for model, lookup in product(HISTORY, LOOKUPS):
        address = f"/admin/joblogs/{model._meta.model_name}/"
        for name in (SUPERUSER, STAFF):
            answer = world.callers[name].send(Ask(f"{address}?{lookup}={world.here.word}"))
            # Not narrowed to nothing or to something: refused, whatever it would have found.
            assert answer.status in (302, 400), (model, lookup, name)
            assert answer.status == 400 or answer.headers["Location"].endswith("?e=1")


def _questions(world: World) -> Iterator[tuple[Ask, Ask]]:
    """Each once of what is there, once of what is not."""
    keys = world.here.keys
    for model in HISTORY:
        start = f"/admin/joblogs/{model._meta.model_name}/"
        for said in ("status", "scope__id__exact", "_to_field", "o", "p", "_popup"):
            yield Ask(f"{start}?{said}={keys[model]}"), Ask(f"{start}?{said}={GONE_KEY}")
    for key in keys.values():
        for name in ("scope", "number", "host"):
            yield Ask(f"/logs/?{name}={key}"), Ask(f"/logs/?{name}={GONE_KEY}")
    here, gone = world.here, GONE
    for said in ("name", "operator", "host"):
        yield Ask(f"/logs/?{said}={here.word}-web-1"), Ask(f"/logs/?{said}={gone.word}-web-1")
    for query in ("other", "to=host&other"):
        yield (
            Ask(f"{page('compare', place=('biz', '3', 72021001, 72022001), host=72023001)}"
                f"?{query}={here.host_name}"),
            Ask(f"{page('compare', place=('biz', '3', 72021001, 72022001), host=72023001)}"
                f"?{query}={gone.host_name}"),
        )  # fmt: skip


def test_no_question_of_a_stranger_is_answered_by_what_is_there() -> None:
    world = make_world()
    stranger = world.callers[STAFF_ELSEWHERE]
    for ask, gone in _questions(world):
        words = {part.partition("?")[2] for part in (ask.path, gone.path)}
        words |= {word.rpartition("=")[2] for word in words}
        answer = stranger.send(ask).without(ask, words)
        seen = [fact for fact in (*world.here.facts, world.here.text) if fact in answer.everything]
        assert not seen, ask
        if ask.path.startswith("/logs/") and not ask.path[-1].isdigit():
            assert answer == stranger.send(gone).without(gone, words), ask


def test_a_file_of_another_scope_is_not_opened_through_an_own_page() -> None:
    world = make_world()
    own, foreign = world.elsewhere, world.here.keys
    for name in ("log", "log-more", "log-download"):
        place = ("biz", own.scope, own.job, own.file_step)
        files = [key for model, key in foreign.items() if model.__name__ == "FileLog"]
        ask = Ask(page(name, place=place, host=own.host) + f"?file={files[0]}")
        answer = world.callers[STAFF_ELSEWHERE].send(ask)
        assert (answer.status, world.here.text in answer.everything) == (404, False)


def test_an_action_on_a_foreign_row_does_nothing() -> None:
    world = make_world()
    may = Permission.objects.get(codename="change_jobinstance")
    for user in User.objects.filter(is_staff=True):
        user.user_permissions.add(may)
    foreign = world.here.keys[JobInstance]
    for more in ({}, {"select_across": 1, "index": 0}):
        form = {"action": "hold", "_selected_action": foreign, **more}
        world.callers[STAFF_ELSEWHERE].send(
            Ask("/admin/joblogs/jobinstance/", "POST", form=form)
        )  # fmt: skip
        assert JobInstance.objects.get(pk=foreign).held_at is None
    form = {"action": "hold", "_selected_action": foreign}
    world.callers[STAFF].send(Ask("/admin/joblogs/jobinstance/", "POST", form=form))
    assert JobInstance.objects.get(pk=foreign).held_at is not None


AWAY = (
    *("https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example"),
    *("javascript:alert(1)", "http:///evil.example", "https:evil.example", " //evil.example"),
    *("/%09/evil.example", "///evil.example", "http://testserver@evil.example/"),
)


@pytest.mark.parametrize("away", AWAY)
def test_no_link_of_ours_leads_away(away: str) -> None:
    User.objects.create_superuser("root", password="swordfish")
    client = Client()
    answers: list[Any] = [
        client.post(reverse("set_language"), {"language": "en", "next": away}),
        client.post(reverse("set_language"), {"language": "en"}, headers={"referer": away}),
        client.post("/admin/login/", {"username": "root", "password": "swordfish", "next": away}),
        client.get("/admin/login/", {"next": away}),
        client.get(f"//{away.strip('/')}"),
    ]
    for answer in answers:
        to = answer.headers.get("Location", "/")
        assert to.startswith("/"), (away, to)
        assert not to.startswith(("//", "/\\")), (away, to)
        assert "\t" not in to


def test_nothing_is_done_for_another_site() -> None:
    load(job(), step(), result(status=9), script_log())
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))
    row = JobInstance.objects.get()
    forms: dict[str, dict[str, Any]] = {
        "/admin/joblogs/jobinstance/": {"action": "hold", "_selected_action": row.pk},
        "/admin/joblogs/app/add/": {"app_code": "evil", "active": "on"},
        "/admin/logout/": {},
        "/admin/password_change/": {},
        reverse("set_language"): {"language": "zh-hans"},
    }
    for path, form in forms.items():
        answer = client.post(path, form, headers={"origin": "https://evil.example"})
        assert answer.status_code == 403, path
    row.refresh_from_db()
    assert (row.held_at, App.objects.count()) == (None, 0)
    assert client.get("/logs/").status_code == 200


def test_a_session_gives_nothing_to_the_api() -> None:
    load(job(), step(), result(status=9), script_log("printed\n"))
    client = staff()
    answer = client.get("/api/v1/biz/2/jobs/100/steps/200/hosts/101/log")
    assert (answer.status_code, b"printed" in answer.content) == (400, False)


@pytest.mark.parametrize("lost", ["is_active", "is_staff", "groups"])
def test_what_is_taken_away_is_gone_at_once(lost: str) -> None:
    load(job(), step(), result(status=9), script_log("printed\n"))
    client = staff()
    assert b"printed" in client.get(page("log")).content
    user = User.objects.get(username="zoe")
    if lost == "groups":
        user.groups.clear()
    else:
        setattr(user, lost, False)
        user.save()
    answer = client.get(page("log"))
    assert (answer.status_code, b"printed" in answer.content) in ((302, False), (404, False))


def test_no_secret_is_in_what_an_error_or_a_console_shows() -> None:
    keys = credentials()["X-Bkapi-Authorization"]
    app = App.objects.get()
    shown = f"{app!r} {app} {Caller(app, 'zoe')!r} {dataclasses.asdict(Caller(app, 'zoe'))}"
    digest = bytes(app.secret_sha256)
    assert repr(digest) not in shown
    assert digest.hex() not in shown
    assert keys.split('"bk_app_secret": "')[1][:43] not in shown
