"""The admin: lists that open, rows that nobody edits, scopes that keep strangers out."""

from __future__ import annotations

import hashlib
import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from joblogs import app_tokens
from joblogs.admin.base import ReadOnlyModelAdmin
from joblogs.models import (
    App,
    AppGrant,
    AppToken,
    FileLog,
    Host,
    HostResult,
    JobInstance,
    LogRead,
    Notice,
    Redaction,
    Removal,
    Scope,
    SearchRead,
    StepInstance,
)
from tests.builders import JOB, STEP, credentials, file_log, job, load, result, script_log, step
from tests.pages.page_helpers import page, staff
from tests.queries import the_job

pytestmark = pytest.mark.django_db

HISTORY: list[type[Model]] = [JobInstance, StepInstance, Host, HostResult, FileLog, LogRead]
RIGHTS: list[type[Model]] = [Scope, App, AppGrant, AppToken]


@pytest.fixture
def store() -> None:
    """A script step and a file step, and what was read of them."""
    load(
        job(name="restart web", operator="zoe"),
        step(),
        result(101, host_name="web-1", status=9),
        script_log(host=101),
        step(201, name="send", step_type=2),
        result(101, step=201, status=9, host_name="web-1"),
        file_log(101, step=201, status=4),
    )
    credentials("reader")
    app_tokens.create(code="reader", name="chat")
    staff("reader").get(page("log"))


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def _list(model: type[Model]) -> str:
    return reverse(f"admin:joblogs_{model._meta.model_name}_changelist")


def _row(model: type[Model], row: Model) -> str:
    return reverse(f"admin:joblogs_{model._meta.model_name}_change", args=[row.pk])


def _html(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("model", [*HISTORY, *RIGHTS], ids=lambda model: model.__name__)
@pytest.mark.usefixtures("store")
def test_every_list_and_row_opens(root: Client, model: type[Model]) -> None:
    for query in ("", "?q=101", "?q=web-1", "?q=10.0.0.101", "?q=" + "9" * 40, "?q=%00"):
        _html(root, _list(model) + query)
    row = model._default_manager.first()
    assert row is not None
    _html(root, _row(model, row))


@pytest.mark.parametrize("model", HISTORY, ids=lambda model: model.__name__)
@pytest.mark.usefixtures("store")
def test_history_is_not_edited_and_not_counted(root: Client, model: type[Model]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as made:
        html = _html(root, _list(model))
    table = f'FROM "{model._meta.db_table}"'
    assert not [q for q in made if "COUNT(" in q["sql"] and table in q["sql"]]
    pages = set(re.findall(r'<td class="field-page"><a href="([^"]+)"', html))
    assert pages
    for address in pages:
        assert root.get(address.replace("&amp;", "&")).status_code == 200
    row = model._default_manager.first()
    assert row is not None
    assert root.post(_row(model, row), {}).status_code == 403
    for name in ("add", "delete"):
        arguments = [row.pk] if name == "delete" else []
        address = reverse(f"admin:joblogs_{model._meta.model_name}_{name}", args=arguments)
        assert root.post(address, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", [JobInstance, HostResult, FileLog], ids=lambda m: m.__name__)
def test_more_rows_cost_no_more_statements(root: Client, model: type[Model]) -> None:
    counts = []
    for rows in (1, 40):
        for n in range(rows):
            load(
                job(JOB + n), step(STEP + n, job=JOB + n, step_type=2),
                result(n + 1, job=JOB + n, step=STEP + n),
                file_log(n + 1, job=JOB + n, step=STEP + n),
            )  # fmt: skip
        _html(root, _list(model))
        with CaptureQueriesContext(connection) as made:
            _html(root, _list(model))
        counts.append(len(made))
    assert counts[0] == counts[1]


@pytest.mark.usefixtures("store")
def test_a_search_finds_by_number_name_operator_and_address(root: Client) -> None:
    for said in (str(JOB), "restart", "zoe", "web-1", "10.0.0.101", "101"):
        assert "1 job instance" in _html(root, f"{_list(JobInstance)}?q={said}")
    assert "0 job instances" in _html(root, f"{_list(JobInstance)}?q=nothing")
    for said in (str(JOB), str(STEP), "web-1", "10.0.0.101", "101"):
        assert "0 host results" not in _html(root, f"{_list(HostResult)}?q={said}")


@pytest.mark.parametrize("model", HISTORY, ids=lambda model: model.__name__)
@pytest.mark.usefixtures("store")
def test_members_of_staff_see_the_scopes_of_their_groups(model: type[Model]) -> None:
    may_see = Permission.objects.get(codename="view_logread")
    zoe, charlie = staff("zoe"), staff("charlie", scope=("biz", "3"))
    for user in User.objects.all():
        user.user_permissions.add(may_see)
    row = model._default_manager.first()
    assert row is not None
    assert 'class="field-page"' in _html(zoe, _list(model))
    _html(zoe, _row(model, row))
    assert 'class="field-page"' not in _html(charlie, _list(model))
    assert charlie.get(_row(model, row)).status_code == 302


@pytest.mark.usefixtures("store")
def test_who_reads_what_is_for_those_who_were_allowed_to_know() -> None:
    assert staff("zoe").get(_list(LogRead)).status_code == 403


@pytest.mark.usefixtures("store")
def test_rights_are_given_by_superusers() -> None:
    zoe = staff("zoe")
    zoe_user = User.objects.get(username="zoe")
    zoe_user.user_permissions.set(Permission.objects.filter(content_type__app_label="joblogs"))
    assert zoe.get(_list(App)).status_code == 403
    assert zoe.get(_list(AppGrant)).status_code == 403
    Scope.objects.create(scope_type="biz", scope_id="99", name="not theirs")
    html = _html(zoe, _list(Scope))
    assert "not theirs" not in html
    assert ">2<" in html
    scope = Scope.objects.get(scope_id="2")
    assert zoe.post(_row(Scope, scope), {"name": "taken"}).status_code == 403


def _secret(html: str) -> str:
    found = re.search(r"\(shown only once\): ([\w-]{43})", html)
    assert found
    return found[1]


def test_a_new_app_shows_its_secret_once(root: Client) -> None:
    grants = {f"grants-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    said = {"app_code": "shop", "name": "", "active": "on", **grants}
    made = root.post(reverse("admin:joblogs_app_add"), said)
    secret = _secret(made.content.decode())
    assert (made.status_code, "no-store" in made["Cache-Control"]) == (200, True)
    assert not any(secret in cookie.value for cookie in root.cookies.values())
    app = App.objects.get(app_code="shop")
    assert bytes(app.secret_sha256) == hashlib.sha256(secret.encode()).digest()
    assert secret not in _html(root, _list(App))
    root.post(_row(App, app), {**said, "name": "Shop"})
    app.refresh_from_db()
    assert app.name == "Shop"
    assert bytes(app.secret_sha256) == hashlib.sha256(secret.encode()).digest()


def test_a_secret_is_rotated(root: Client) -> None:
    credentials("reader")
    app = App.objects.get()
    before = bytes(app.secret_sha256)
    chosen = {"action": "rotate", "_selected_action": [app.pk]}
    secret = _secret(root.post(_list(App), chosen).content.decode())
    assert not any(secret in cookie.value for cookie in root.cookies.values())
    app.refresh_from_db()
    assert bytes(app.secret_sha256) == hashlib.sha256(secret.encode()).digest() != before


def test_a_secret_is_shown_in_chinese_with_the_code_as_it_is(root: Client) -> None:
    credentials("reader")
    root.cookies["django_language"] = "zh-hans"
    chosen = {"action": "rotate", "_selected_action": [App.objects.get().pk]}
    html = root.post(_list(App), chosen, follow=True).content.decode()
    # Django writes the first letter of a message large: the code must not be it.
    assert "应用 reader 的密钥（仅显示这一次）：" in html


def _made(root: Client, **fields: object) -> str:
    """The page after a token is asked for."""
    said = {"app": App.objects.get().pk, "name": "chat", "read": "on"} | fields
    return root.post(reverse("admin:joblogs_apptoken_add"), said).content.decode()


def test_a_new_token_is_shown_once_and_revoked(root: Client) -> None:
    credentials("reader")
    found = re.search(r"\(shown only once\): (jlt_[\w-]{43})", _made(root))
    assert found
    assert not any(found[1] in cookie.value for cookie in root.cookies.values())
    token = AppToken.objects.get()
    assert bytes(token.digest) == hashlib.sha256(found[1].encode()).digest()
    for address in (_list(AppToken), _row(AppToken, token)):
        assert found[1] not in _html(root, address)
    root.post(_row(AppToken, token), {"name": "other", "app": token.app_id})
    token.refresh_from_db()
    assert token.name == "chat"
    chosen = {"action": "revoke", "_selected_action": [token.pk]}
    assert "1 token is revoked" in root.post(_list(AppToken), chosen, follow=True).content.decode()
    token.refresh_from_db()
    assert not token.is_valid


def test_a_token_beyond_its_app_is_refused_with_the_reason(root: Client) -> None:
    credentials("reader")
    assert "reader does not have this right in any scope: write" in _made(root, write="on")
    other = Scope.objects.create(scope_type="biz", scope_id="9")
    assert "reader may do nothing in biz:9" in _made(root, scope=other.pk)
    assert "Choose at least one right." in _made(root, read="")
    assert AppToken.objects.count() == 0


@pytest.mark.usefixtures("store")
def test_jobs_are_held_and_released(root: Client) -> None:
    chosen = {"action": "hold", "_selected_action": [the_job().pk]}
    assert (
        "1 job is now held" in root.post(_list(JobInstance), chosen, follow=True).content.decode()
    )
    assert (the_job().held_by, the_job().held_at is None) == ("root", False)
    root.post(_list(JobInstance), chosen | {"action": "release"})
    assert (the_job().held_by, the_job().held_at) == ("", None)


@pytest.mark.usefixtures("store")
def test_only_those_who_may_change_jobs_hold_them() -> None:
    chosen = {"action": "hold", "_selected_action": [the_job().pk]}
    staff("zoe").post(_list(JobInstance), chosen)
    assert the_job().held_at is None


def test_all_of_history_is_here() -> None:
    registered = {
        model
        for model, site in admin.site._registry.items()
        if isinstance(site, ReadOnlyModelAdmin)
    }
    # These have no pages; their lists are tried with the commands that make them.
    assert registered == {*HISTORY, Notice, Redaction, Removal, SearchRead}


def test_the_login_page_opens_for_whoever_is_not_logged_in_yet() -> None:
    response = Client().get("/admin/login/")
    assert response.status_code == 200
    assert b"id_username" in response.content
