"""Pages end a statement that takes too long; the API and producers have no such limit."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from tests.builders import HOST, job, lines, result, script_log, step
from tests.serving import Server, manage, serving

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no limit")
RAW = f"/api/v1/biz/2/jobs/100/steps/200/hosts/{HOST}/log"
LOGIN = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
user = User.objects.create_superuser("root")
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.save()
print(session.session_key)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("limit")
    with serving(folder, workers=1, PAGE_TIMEOUT_SECONDS="1") as server:
        assert server.post(lines(job(), step(), result(), script_log("hello")))["result"]
        yield server


def page(server: Server, path: str, cookie: str) -> tuple[int, str]:
    with server.answer("GET", path, Cookie=cookie) as response:
        return response.status, response.read().decode()


def test_a_page_that_takes_too_long_says_what_to_ask_for_instead(server: Server) -> None:
    made = manage(server.environment, "shell", "-v", "0", "-c", LOGIN)
    cookie = f"sessionid={made.splitlines()[-1]}"
    pages = ("/logs/", "/admin/joblogs/jobinstance/", "/admin/joblogs/hostresult/")
    for path in pages:
        assert page(server, path, cookie)[0] == 200
    answers: list[str] = []

    def read() -> None:
        with server.answer("GET", RAW) as response:
            answers.append(response.read().decode())

    # As a statement that takes for ever: it waits for whoever has locked the table.
    with psycopg.connect(server.environment["DATABASE_URL"]) as locker:
        locker.execute("LOCK TABLE joblogs_jobinstance, joblogs_hostresult")
        reader = threading.Thread(target=read)
        reader.start()
        for path in pages:
            status, html = page(server, path, cookie)
            assert status == 503
            assert "The database did not answer within 1 second. Ask for less" in html
        chinese = page(server, "/logs/", f"{cookie}; django_language=zh-hans")[1]
        assert "数据库未在 1 秒内答复" in chinese
        # The read has waited for longer than the pages did, and goes on waiting.
        assert reader.is_alive()
        locker.rollback()
    reader.join()
    assert answers == ["hello"]
    for path in pages:
        assert page(server, path, cookie)[0] == 200


def test_without_a_limit_pages_have_no_connections_of_their_own(server: Server) -> None:
    code = "from django.conf import settings; print(*settings.DATABASES)"
    for limit, expected in (("1", "default pages"), ("0", "default")):
        environment = server.environment | {"PAGE_TIMEOUT_SECONDS": limit}
        said = manage(environment, "shell", "-v", "0", "-c", code)
        assert said.splitlines()[-1] == expected
