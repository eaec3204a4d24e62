"""Pages of errors that no view answers itself: each says what to do next, in both languages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from django.views.defaults import server_error

from joblogs.middleware import PageMiddleware
from tests.pages.page_helpers import staff

pytestmark = pytest.mark.django_db
CHINESE = {"accept-language": "zh-hans"}


def test_what_somebody_may_not_do_leads_back_to_the_jobs() -> None:
    response = staff().get("/admin/joblogs/app/")
    assert response.status_code == 403
    content = response.content.decode()
    assert "<h1>You do not have permission for this</h1>" in content
    assert 'href="/logs/"' in content


def test_an_expired_form_says_how_to_send_it_again() -> None:
    client = Client(enforce_csrf_checks=True, headers=CHINESE)
    response = client.post("/admin/login/", {"username": "zoe", "password": "x"})
    assert response.status_code == 403
    assert "<h1>此表单已失效</h1>" in response.content.decode()


def test_a_host_name_that_is_not_allowed_is_explained() -> None:
    response = Client().get("/logs/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "ALLOWED_HOSTS" in response.content.decode()


@pytest.mark.parametrize(("language", "text"), [("en", "has been logged"), ("zh-hans", "已记录")])
def test_a_fault_of_ours_says_that_it_is_logged(language: str, text: str) -> None:
    with translation.override(language):
        response = server_error(RequestFactory().get("/logs/"))
    assert response.status_code == 500
    assert text in response.content.decode()
    assert "{%" not in response.content.decode()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="what is unreachable is a server")
def test_a_page_of_somebody_says_that_the_database_does_not_answer() -> None:
    def unreachable() -> User:
        raise OperationalError("connection refused")

    request = RequestFactory().get("/logs/")
    vars(request)["user"] = SimpleLazyObject(unreachable)
    page = PageMiddleware(lambda _request: HttpResponse())
    with translation.override("en"):
        response = page.process_exception(request, OperationalError("connection refused"))
    assert response is not None
    assert response.status_code == 503
    assert "temporarily unavailable" in response.content.decode()
