"""`X-Bkapi-JWT` (docs/api.md, Credentials)."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from joblogs.models import App, LogRead
from tests import builders
from tests.builders import asking, job, load, result, script_log, step

BACKEND = "/api/job/v3/job-execute/batch_get_job_instance_ip_log"
FORMS = [BACKEND, BACKEND + "/", "/esb/api/v3/batch_get_job_instance_ip_log"]

pytestmark = pytest.mark.django_db


def _key_pair() -> tuple[rsa.RSAPrivateKey, str]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public.decode()


GATEWAY, GATEWAY_PEM = _key_pair()
ESB, ESB_PEM = _key_pair()
STRANGER, _ = _key_pair()


def _claims(**changed: Any) -> dict[str, Any]:
    """What a gateway mints."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": "APIGW",
        "nbf": now - 300,
        "exp": now + 1500,
        "app": {"version": 1, "app_code": "granted", "verified": True, "valid_error_message": ""},
        "user": {"version": 1, "username": "zoe", "verified": True, "valid_error_message": ""},
    } | changed
    return {key: value for key, value in claims.items() if value is not None}


def _token(
    claims: dict[str, Any] | None = None,
    *,
    key: Any = GATEWAY,
    kid: str | None = "bk-job",
    algorithm: str = "RS512",
) -> str:
    headers = {"kid": kid, "iat": int(time.time())} if kid else {}
    return jwt.encode(
        _claims() if claims is None else claims, key, algorithm=algorithm, headers=headers
    )


@pytest.fixture(autouse=True)
def _store(settings: Any) -> None:
    settings.BK_GATEWAY_PUBLIC_KEYS = {"bk-job": GATEWAY_PEM, "apigw": ESB_PEM}
    load(job(), step(), result(), script_log("hello\n"))
    builders.credentials("granted")


def _ask(client: Client, token: str, path: str = BACKEND, **headers: str) -> Any:
    return client.post(
        path,
        json.dumps(asking(host_id_list=[builders.HOST])),
        content_type="application/json",
        headers={"X-Bkapi-JWT": token} | headers,
    )


def _text(response: Any) -> str:
    text: str = response.json()["data"]["script_task_logs"][0]["log_content"]
    return text


@pytest.mark.parametrize("path", FORMS)
def test_a_token_as_a_gateway_mints_it_is_accepted(client: Client, path: str) -> None:
    assert _text(_ask(client, _token(), path)) == "hello\n"
    assert LogRead.objects.get().user_verified is True


def test_several_gateways_are_told_apart_by_kid(client: Client) -> None:
    assert _text(_ask(client, _token(key=ESB, kid="apigw"))) == "hello\n"
    assert _ask(client, _token(key=ESB, kid="bk-job")).status_code == 401


def test_a_token_without_kid_needs_exactly_one_configured_key(
    client: Client, settings: Any
) -> None:
    assert _ask(client, _token(kid=None)).status_code == 401
    settings.BK_GATEWAY_PUBLIC_KEYS = {"bk-job": GATEWAY_PEM}
    assert _text(_ask(client, _token(kid=None))) == "hello\n"


def test_the_other_spelling_of_app_and_user_is_read(client: Client) -> None:
    claims = _claims(
        app={"bk_app_code": "granted", "verified": True}, user={"bk_username": "li.wei"}
    )
    assert _text(_ask(client, _token(claims))) == "hello\n"
    assert LogRead.objects.get().who == "li.wei"
    assert LogRead.objects.get().user_verified is False


@pytest.mark.parametrize(
    ("user", "recorded"),
    [
        (None, "granted"),
        ({"username": "zoe", "verified": False}, "zoe"),
        ({"username": "", "verified": False}, "granted"),
        ("zoe", "granted"),
    ],
)
def test_an_absent_or_unverified_user_is_accepted_and_recorded_as_such(
    client: Client, user: Any, recorded: str
) -> None:
    assert _text(_ask(client, _token(_claims(user=user)))) == "hello\n"
    assert LogRead.objects.get().who == recorded


def _unsigned() -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none', 'kid': 'bk-job', 'typ': 'JWT'})}.{part(_claims())}."


def _past() -> dict[str, Any]:
    return _claims(exp=int(time.time()) - 61)


def _future() -> dict[str, Any]:
    return _claims(nbf=int(time.time()) + 120)


APP = {"app_code": "granted", "verified": True}
BAD_TOKENS = {
    "another RSA algorithm": lambda: _token(algorithm="RS256"),
    "a shared secret": lambda: _token(key="x" * 64, algorithm="HS512"),
    "no signature": _unsigned,
    "another key": lambda: _token(key=STRANGER),
    "an unknown kid": lambda: _token(kid="other"),
    "expired": lambda: _token(_past()),
    "not valid yet": lambda: _token(_future()),
    "no exp": lambda: _token(_claims(exp=None)),
    "exp is text": lambda: _token(_claims(exp="soon")),
    "app not verified": lambda: _token(_claims(app=APP | {"verified": False})),
    "verified is text": lambda: _token(_claims(app=APP | {"verified": "true"})),
    "no app": lambda: _token(_claims(app=None)),
    "app without a name": lambda: _token(_claims(app={"verified": True})),
    "app name is a number": lambda: _token(_claims(app=APP | {"app_code": 7})),
    "unknown app": lambda: _token(_claims(app=APP | {"app_code": "nobody"})),
    "a NUL in the name": lambda: _token(_claims(app=APP | {"app_code": "granted\0"})),
    "nonsense": lambda: "nonsense",
    "three empty parts": lambda: "..",
    "a long token": lambda: "a" * 7000,
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_a_bad_token_is_refused_with_401_and_says_which_check_failed(
    client: Client, kind: str
) -> None:
    token = BAD_TOKENS[kind]()
    response = _ask(client, token)
    assert response.status_code == 401
    body = response.json()
    assert list(body) == ["code", "code_name", "message", "result", "data"]
    assert (body["code"], body["code_name"]) == (1640101, "APP_VERIFY_FAILED")
    assert body["message"].startswith('App verification failed [reason="the token')
    assert token not in body["message"]
    assert response["X-Bkapi-Error-Code"] == "1640101"


def test_a_leeway_of_a_minute_is_given(client: Client) -> None:
    claims = _claims(exp=int(time.time()) - 30, nbf=int(time.time()) + 30)
    assert _text(_ask(client, _token(claims))) == "hello\n"


def test_a_disabled_app_is_refused(client: Client) -> None:
    App.objects.update(active=False)
    assert _ask(client, _token()).status_code == 401


def test_a_token_beside_good_credentials_alone_decides(client: Client) -> None:
    good = builders.credentials("granted")
    assert _ask(client, _token(key=STRANGER), **good).status_code == 401


def test_without_configured_keys_the_token_is_ignored(client: Client, settings: Any) -> None:
    settings.BK_GATEWAY_PUBLIC_KEYS = {}
    assert _ask(client, _token()).status_code == 400
    assert _text(_ask(client, "nonsense", **builders.credentials("granted"))) == "hello\n"


def test_other_forms_do_not_look_at_tokens(client: Client) -> None:
    assert _ask(client, _token(), builders.BATCH).status_code == 400
    good = builders.credentials("granted")
    assert _text(_ask(client, "nonsense", builders.BATCH, **good)) == "hello\n"


V4_FORMS = [
    *(f"/api/job/v4/{module}/" for module in ("job-execute", "job-manage", "job-analysis", "x")),
    "/esb/api/v4/",
]
V4_OTHER_FORMS = ["/api/v4/", "/api/bk-job/prod/api/v4/system/", "/api/job/v4/api/v4/"]
NAMES: dict[str, tuple[str, dict[str, Any]]] = {
    "get_job_instance_status": ("GET", {}),
    "get_job_instance_list": ("GET", {"create_time_start": 0, "create_time_end": 2**42}),
    "get_user_authorized_scopes": ("GET", {}),
    "batch_get_job_instance_execute_object_log": ("POST", {"host_id_list": [builders.HOST]}),
    "get_script_task_context": (
        "POST",
        {"execute_count": 0, "execute_object_type": 1, "execute_object_resource_id": 101},
    ),
}


def _ask_v4(client: Client, path: str, **headers: str) -> Any:
    """Status and error of the API at the end of a path."""
    method, fields = NAMES[path.rstrip("/").rpartition("/")[2]]
    asked = asking(**fields)
    query = "?" + urlencode(asked) if method == "GET" else ""
    body = b"" if method == "GET" else json.dumps(asked).encode()
    response = client.generic(method, path + query, body, "application/json", headers=headers)
    content = b"".join(response) if response.streaming else response.content
    return response.status_code, json.loads(content)


@pytest.mark.parametrize("form", V4_FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_every_backend_form_of_version_4_takes_a_token(
    client: Client, form: str, name: str
) -> None:
    for slash in ("", "/"):
        status, body = _ask_v4(client, form + name + slash, **{"X-Bkapi-JWT": _token()})
        assert (status, "data" in body) == (200, True), body
    assert _ask_v4(client, form + name, **{"X-Bkapi-JWT": _token(key=STRANGER)})[0] == 401


@pytest.mark.parametrize("form", V4_OTHER_FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_no_other_form_of_version_4_looks_at_it(client: Client, form: str, name: str) -> None:
    assert _ask_v4(client, form + name, **{"X-Bkapi-JWT": _token()})[0] == 400
    good = builders.credentials("granted")
    assert _ask_v4(client, form + name, **{"X-Bkapi-JWT": "nonsense"}, **good)[0] == 200


def test_rights_are_the_apps_not_the_users(client: Client) -> None:
    builders.credentials("elsewhere", scopes=(("biz", "9"),))
    claims = _claims(app=APP | {"app_code": "elsewhere"})
    assert _ask(client, _token(claims)).json()["code"] == 9900403
