"""The environment and the settings made of it (README, "Configuration"), and the system checks."""

from __future__ import annotations

import json
import os
import runpy
import secrets
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings as django_settings
from django.core.checks import Error, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from joblogs import checks
from jobplatform import env
from tests.test_docs import variables_read

ROOT = Path(__file__).resolve().parent.parent
Load = Callable[..., dict[str, Any]]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Load:
    """Read the settings file as a process with this environment would, in a project of its own."""
    copy = tmp_path / "jobplatform" / "settings.py"
    copy.parent.mkdir()
    shutil.copy(ROOT / "jobplatform" / "settings.py", copy)
    for name in variables_read():
        monkeypatch.delenv(name, raising=False)

    def load(**variables: str) -> dict[str, Any]:
        with monkeypatch.context() as patch:
            for name, value in {"SECRET_KEY": "k" * 60, **variables}.items():
                patch.setenv(name, value)
            return runpy.run_path(str(copy))

    return load


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    public = key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


RSA_PEM = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.mark.parametrize("value", ["true", "TRUE", "1", "yes", "Yes", "on", "oN"])
def test_it_reads_these_as_true(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SWITCH", value)
    assert env.boolean("SWITCH", default=False) is True


@pytest.mark.parametrize("value", ["false", "False", "0", "no", "NO", "off", "oFF"])
def test_it_reads_these_as_false(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SWITCH", value)
    assert env.boolean("SWITCH", default=True) is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "tru"),
        ("DEBUG", "y"),
        ("DEBUG", "2"),
        ("DEBUG", " true"),
        ("SECURE_SSL", "enabled"),
        ("LOG_RETENTION_DAYS", "30d"),
        ("LOG_RETENTION_DAYS", "-1"),
        ("LOG_RETENTION_DAYS", "365001"),
        ("HISTORY_RETENTION_DAYS", "1.5"),
        ("AUDIT_RETENTION_DAYS", "a year"),
        ("RUNNING_RETENTION_DAYS", "x"),
        ("PACK_AFTER_DAYS", "one"),
        ("LOG_MAX_BYTES", "0"),
        ("LOG_MAX_BYTES", "1_000"),
        ("LOG_MAX_BYTES", "１０"),
        ("LOG_MAX_BYTES", "9" * 5000),
        ("RECORDS_MAX_BYTES", "1e6"),
        ("RATE_LIMIT", "none"),
        ("OBJECT_STORE_URL", "logs"),
        ("OBJECT_STORE_URL", "ftp://logs/a"),
        ("OBJECT_STORE_URL", "s3://"),
        ("OBJECT_STORE_URL", "s3:///logs"),
        ("OBJECT_STORE_URL", "s3://AKIA:hunter2@logs/a"),
        ("OBJECT_STORE_URL", "s3://logs/a?key=hunter2"),
        ("OBJECT_STORE_URL", "file://logs/a"),
        ("OBJECT_STORE_DAYS", "a year"),
        ("OBJECT_GRACE_DAYS", "-1"),
        ("OBJECT_TIMEOUT_SECONDS", "0"),
        ("OBJECT_CACHE_DIR", "/no/such/folder"),
        ("OBJECT_CACHE_BYTES", "0"),
        ("OBJECT_STORE_ADOPT", "once"),
        ("AWS_ALLOW_HTTP", "perhaps"),
        ("PUBLIC_URL", "logs.example.com"),
        ("PUBLIC_URL", "ftp://logs.example.com"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://*"),
        ("PUBLIC_URL", "https://.example.com"),
        ("PUBLIC_URL", "https://logs.example.com/logs"),
        ("PUBLIC_URL", "https://logs.example.com?a=b"),
        ("PUBLIC_URL", "https://me:hunter2@logs.example.com"),
        ("PUBLIC_URL", "https://logs.example.com:99999"),
        ("PUBLIC_URL", "https://logs.example.com:0"),
        ("JOBLOGS_TOKEN", "the app's secret"),
        ("JOBLOGS_TOKEN", "jlt_"),
        ("SERVER_THREADS", "0"),
        ("LOG_FORMAT", "JSON"),
        ("METRICS_TOKEN_SHA256", "the token itself"),
        ("METRICS_TOKEN_SHA256", "0" * 63),
        ("PROMETHEUS_MULTIPROC_DIR", "/no/such/folder"),
        ("NOTICE_CHANNELS", "webhook,sms"),
        ("NOTICE_CHANNELS", "webhook,"),
        ("NOTICE_PRIVATE_TARGETS", "some"),
        ("EMAIL_URL", "mail.example.com"),
        ("EMAIL_URL", "https://mail.example.com"),
        ("EMAIL_URL", "smtp://me:hunter2@"),
        ("EMAIL_URL", "smtp://me:hunter2@mail.example.com:port"),
        ("DEFAULT_FROM_EMAIL", "a@example.com\nBcc: b@example.com"),
        ("ALLOWED_HOSTS", "https://logs.example.com"),
        ("ALLOWED_HOSTS", "logs.example.com:8000"),
        ("ALLOWED_HOSTS", "logs.example.com,"),
        ("ALLOWED_HOSTS", "a b"),
        ("DATABASE_URL", "mysql://u:p@localhost/db"),
        ("DATABASE_URL", "db.sqlite3"),
        ("DATABASE_URL", "sqlite://db.sqlite3"),
        ("DATABASE_URL", "postgresql://u:p@localhost"),
        ("DATABASE_URL", "postgresql://u:p@localhost:port/db"),
        ("DATABASE_URL", "postgresql://u:p@[::1/db"),
        ("DATABASE_REPLICA_URL", "mysql://u:p@localhost/db"),
        ("DATABASE_PAGES_URL", "mysql://u:p@localhost/db"),
        ("PAGE_TIMEOUT_SECONDS", "5s"),
        ("DATABASE_REPLICA_URL", "postgresql://u:p@localhost"),
        ("MASK_SECRETS", "maybe"),
        ("READY_ASKS_TEXT", "sometimes"),
        ("AUDIT_REQUIRED", "maybe"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "nginx"),
        ("SECRET_PATTERNS", "no-such-file.json"),
        ("SECRET_PATTERNS", "{"),
        ("SECRET_PATTERNS", '{"own": "itk_"}'),
        ("SECRET_PATTERNS", '{"own": {"begins": "itk_", "then": "[0-9"}}'),
        ("SECRET_PATTERNS", '{"own": {"begins": "itk_", "then": ".*"}}'),
        ("SECRET_PATTERNS", '{"jwt": {"begins": "itk_", "then": "[0-9]{8}"}}'),
        ("SECRET_PATTERNS", '{"a": {}, "a": {}}'),
        ("BK_GATEWAY_PUBLIC_KEYS", "no-such-file.json"),
        ("BK_GATEWAY_PUBLIC_KEYS", "{"),
        ("BK_GATEWAY_PUBLIC_KEYS", '{"k": "not a key"}'),
        ("BK_GATEWAY_PUBLIC_KEYS", '{"k": 1}'),
        ("BK_GATEWAY_PUBLIC_KEYS", json.dumps({"k": pem(ed25519.Ed25519PrivateKey.generate())})),
        ("BK_GATEWAY_PUBLIC_KEYS", f'{{"k": {json.dumps(RSA_PEM)}, "k": {json.dumps(RSA_PEM)}}}'),
    ],
)
def test_it_refuses_to_start_and_names_the_variable(load: Load, name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"variable {name} "):
        load(**{name: value})


def test_mail_goes_where_the_url_says(load: Load) -> None:
    read = load(EMAIL_URL="smtp+tls://me:pass@mail.example.com:587", NOTICE_CHANNELS="mail,webhook")
    assert (read["EMAIL_HOST"], read["EMAIL_PORT"]) == ("mail.example.com", 587)
    assert (read["EMAIL_HOST_USER"], read["EMAIL_HOST_PASSWORD"]) == ("me", "pass")
    assert (read["EMAIL_USE_TLS"], read["EMAIL_USE_SSL"]) == (True, False)
    assert read["NOTICE_CHANNELS"] == ("mail", "webhook")


@pytest.mark.parametrize("name", sorted(variables_read()))
def test_a_variable_that_is_set_but_empty_is_refused(load: Load, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"variable {name} is empty"):
        load(**{name: ""})


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@h:x/d", "mysql://u:hunter2@h/d"])
def test_a_refused_database_url_does_not_show_its_password(load: Load, url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        load(DATABASE_URL=url)
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_with_nothing_set_it_keeps_everything_and_answers_this_machine_only(load: Load) -> None:
    loaded = load()
    assert loaded["DEBUG"] is False
    assert loaded["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert loaded["LOG_RETENTION_DAYS"] is None
    assert loaded["HISTORY_RETENTION_DAYS"] is None
    assert loaded["AUDIT_RETENTION_DAYS"] is None
    assert loaded["RUNNING_RETENTION_DAYS"] == 30
    assert loaded["PACK_AFTER_DAYS"] is None
    assert loaded["LOG_MAX_BYTES"] == 2**30
    assert loaded["RECORDS_MAX_BYTES"] == 0
    assert loaded["RATE_LIMIT"] == 0
    assert loaded["PUBLIC_URL"] is None
    assert loaded["OBJECT_STORE_URL"] is None
    assert loaded["OBJECT_STORE_ADOPT"] is False
    assert (loaded["OBJECT_STORE_DAYS"], loaded["OBJECT_GRACE_DAYS"]) == (90, 7)
    assert loaded["OBJECT_CACHE_DIR"] is None
    assert loaded["SERVER_THREADS"] == 4
    assert loaded["METRICS_TOKEN_SHA256"] is None
    assert loaded["PROMETHEUS_MULTIPROC_DIR"] is None
    assert loaded["BK_GATEWAY_PUBLIC_KEYS"] == {}
    assert loaded["DATABASES"]["default"]["NAME"] == str(loaded["BASE_DIR"] / "db.sqlite3")


def test_an_installed_store_keeps_its_files_in_the_working_directory(
    load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "jobplatform" / "templates").mkdir()  # where a wheel has them
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    loaded = load()
    assert loaded["DATABASES"]["default"]["NAME"] == str(tmp_path / "elsewhere" / "db.sqlite3")
    assert loaded["TEMPLATES"][0]["DIRS"] == [tmp_path / "jobplatform" / "templates"]


def test_joblogs_home_says_where_its_files_lie(load: Load, tmp_path: Path) -> None:
    loaded = load(JOBLOGS_HOME=str(tmp_path))
    assert loaded["DATABASES"]["default"]["NAME"] == str(tmp_path / "db.sqlite3")
    with pytest.raises(ImproperlyConfigured, match="JOBLOGS_HOME must be a folder"):
        load(JOBLOGS_HOME=str(tmp_path / "missing"))


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("https://logs.example.com", "https://logs.example.com"),
        ("https://logs.example.com/", "https://logs.example.com"),
        ("http://10.0.0.5:8000", "http://10.0.0.5:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[2001:db8::1]", "http://[2001:db8::1]"),
    ],
)
def test_the_address_of_the_pages_is_an_origin(load: Load, value: str, read: str) -> None:
    assert load(PUBLIC_URL=value)["PUBLIC_URL"] == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("s3://logs", "s3://logs"),
        ("s3://logs/joblogs/", "s3://logs/joblogs"),
        ("az://container/a-b", "az://container/a-b"),
        ("gs://logs/a.b", "gs://logs/a.b"),
        ("file:///srv/job logs", "file:///srv/job logs"),
    ],
)
def test_an_object_store_is_a_bucket_or_a_folder(load: Load, value: str, read: str) -> None:
    assert load(OBJECT_STORE_URL=value)["OBJECT_STORE_URL"] == read


def test_the_log_is_lines_unless_json_is_asked_for(load: Load) -> None:
    for variables, form in (({}, "line"), ({"LOG_FORMAT": "json"}, "json")):
        assert load(**variables)["LOGGING"]["handlers"]["console"]["formatter"] == form


def test_a_refused_token_of_an_agent_is_not_shown(load: Load) -> None:
    with pytest.raises(ImproperlyConfigured) as error:
        load(JOBLOGS_TOKEN="jlx_hunter2")
    assert "hunter2" not in str(error.value)


def test_a_refused_token_is_not_shown(load: Load) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        load(METRICS_TOKEN_SHA256="hunter2")
    assert "hunter2" not in str(refusal.value)


def test_a_retention_of_zero_keeps_for_ever(load: Load) -> None:
    loaded = load(LOG_RETENTION_DAYS="0", HISTORY_RETENTION_DAYS="90", RUNNING_RETENTION_DAYS="0")
    assert loaded["RUNNING_RETENTION_DAYS"] is None
    assert loaded["LOG_RETENTION_DAYS"] is None
    assert loaded["HISTORY_RETENTION_DAYS"] == 90


def test_sqlite_waits_for_its_lock_from_the_first_statement_on(load: Load) -> None:
    database = load(DATABASE_URL="sqlite:////srv/logs.sqlite3?timeout=5")["DATABASES"]["default"]
    assert database["NAME"] == "/srv/logs.sqlite3"
    assert database["ATOMIC_REQUESTS"] is False
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert database["OPTIONS"]["timeout"] == 5


def test_postgresql_is_reached_through_a_pool(load: Load) -> None:
    url = "postgresql://u:p%40ss@db.example.com:5433/logs?sslmode=require"
    database = load(DATABASE_URL=url)["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["USER"], database["PASSWORD"]) == ("u", "p@ss")
    assert (database["HOST"], database["PORT"], database["NAME"]) == (
        "db.example.com",
        5433,
        "logs",
    )
    assert database["OPTIONS"]["sslmode"] == "require"
    pool = database["OPTIONS"]["pool"]
    assert pool["max_size"] == 8
    # A request that waits for a connection outlives the attempts to make one: the next begins anew.
    assert pool["reconnect_timeout"] < pool["timeout"]
    assert database["CONN_MAX_AGE"] == 0
    assert database["ATOMIC_REQUESTS"] is False


def test_without_a_replica_there_is_one_database_and_no_router(load: Load) -> None:
    loaded = load()
    assert set(loaded["DATABASES"]) == {"default"}
    assert "DATABASE_ROUTERS" not in loaded


def test_a_replica_is_given_up_quickly_and_never_written_to(load: Load) -> None:
    primary = "postgresql://u:p@one.example.com/logs"
    replica = "postgresql://u:p@two.example.com/logs?sslmode=require"
    loaded = load(DATABASE_URL=primary, DATABASE_REPLICA_URL=replica)
    assert loaded["DATABASE_ROUTERS"] == ["joblogs.database.replica.Router"]
    database = loaded["DATABASES"]["replica"]
    assert database["HOST"] == "two.example.com"
    assert database["OPTIONS"]["sslmode"] == "require"
    assert database["OPTIONS"]["options"] == "-c default_transaction_read_only=on"
    assert database["OPTIONS"]["connect_timeout"] == database["OPTIONS"]["pool"]["timeout"] == 2
    assert "connect_timeout" not in loaded["DATABASES"]["default"]["OPTIONS"]


def test_pages_read_through_connections_that_end_a_long_statement(load: Load) -> None:
    url = "postgresql://u:p@one.example.com/logs?sslmode=require"
    loaded = load(DATABASE_URL=url, PAGE_TIMEOUT_SECONDS="7")
    assert loaded["DATABASE_ROUTERS"] == ["joblogs.database.replica.Router"]
    pages, default = loaded["DATABASES"]["pages"], loaded["DATABASES"]["default"]
    assert (pages["HOST"], pages["OPTIONS"]["sslmode"]) == ("one.example.com", "require")
    assert pages["OPTIONS"]["options"] == "-c statement_timeout=7s"
    assert "options" not in default["OPTIONS"]
    assert (pages["OPTIONS"]["pool"]["min_size"], default["OPTIONS"]["pool"]["min_size"]) == (0, 1)
    own = "postgresql://pages:p@one.example.com:6432/logs"
    pages = load(DATABASE_URL=url, DATABASE_PAGES_URL=own)["DATABASES"]["pages"]
    assert (pages["USER"], pages["PORT"]) == ("pages", 6432)
    assert "options" not in pages["OPTIONS"]
    assert set(load(DATABASE_URL=url, PAGE_TIMEOUT_SECONDS="0")["DATABASES"]) == {"default"}


def test_the_gateways_keys_come_from_the_variable_or_a_file(load: Load, tmp_path: Path) -> None:
    text = json.dumps({"one": RSA_PEM})
    (tmp_path / "keys.json").write_text(text)
    for value in (text, "keys.json", str(tmp_path / "keys.json")):
        assert load(BK_GATEWAY_PUBLIC_KEYS=value)["BK_GATEWAY_PUBLIC_KEYS"] == {"one": RSA_PEM}


def test_patterns_of_secrets_come_on_top_of_the_built_in_ones(load: Load, tmp_path: Path) -> None:
    built_in = load()["SECRET_RULES"]
    assert load()["MASK_SECRETS"] is True
    assert load()["READY_ASKS_TEXT"] is False
    assert (load()["AUDIT_REQUIRED"], load(AUDIT_REQUIRED="on")["AUDIT_REQUIRED"]) == (False, True)
    text = '{"own": {"begins": "itk_", "then": "[0-9a-f]{8}", "more": "[0-9a-f]"}}'
    (tmp_path / "patterns.json").write_text(text)
    for value in (text, "patterns.json", str(tmp_path / "patterns.json")):
        *others, own = load(SECRET_PATTERNS=value, MASK_SECRETS="off")["SECRET_RULES"]
        assert (tuple(others), own.name, own.begins) == (built_in, "own", (b"itk_",))


def test_values_behind_names_are_masked_unless_that_is_switched_off(load: Load) -> None:
    every, fewer = load()["SECRET_RULES"], load(MASK_ASSIGNMENTS="off")["SECRET_RULES"]
    assert set(fewer) == {rule for rule in every if not rule.assignment}
    assert {"named-password", "named-secret"} <= {rule.name for rule in every if rule.assignment}


def test_without_ssl_plain_http_is_answered_and_the_proxy_not_believed(load: Load) -> None:
    loaded = load(SECURE_SSL="off")
    assert loaded["SECURE_SSL_REDIRECT"] is False
    assert loaded["SECURE_HSTS_SECONDS"] == 0
    assert loaded["SESSION_COOKIE_SECURE"] is False
    assert "SECURE_PROXY_SSL_HEADER" not in loaded


def test_with_ssl_everything_is_https(load: Load) -> None:
    loaded = load(SECURE_SSL="on")
    assert loaded["SECURE_SSL_REDIRECT"] is True
    assert loaded["SECURE_HSTS_SECONDS"] > 0
    assert loaded["SESSION_COOKIE_SECURE"] is loaded["CSRF_COOKIE_SECURE"] is True
    assert loaded["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")


def test_with_debug_a_key_is_made_once_and_kept_private(load: Load, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("DEBUG", "on")
    file = tmp_path / ".secret_key"
    settings_file = str(tmp_path / "jobplatform" / "settings.py")
    key = runpy.run_path(settings_file)["SECRET_KEY"]
    assert len(key) >= 50
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert runpy.run_path(settings_file)["SECRET_KEY"] == key
    assert sorted(path.name for path in tmp_path.iterdir()) == [".secret_key", "jobplatform"]


def test_without_debug_no_key_is_made_or_taken_from_the_file(load, monkeypatch, tmp_path) -> None:
    (tmp_path / ".secret_key").write_text("a key that was made while DEBUG was on")
    with pytest.raises(ImproperlyConfigured, match="variable SECRET_KEY must be set"):
        runpy.run_path(str(tmp_path / "jobplatform" / "settings.py"))


def test_of_two_processes_that_make_a_key_at_once_both_use_one(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys; from jobplatform import env;"
        "print(env.secret_key('SECRET_KEY', generate=True, file=pathlib.Path(sys.argv[1])))"
    )
    clean = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"}
    command = [sys.executable, "-c", script, str(tmp_path / "key")]
    runs = [
        subprocess.Popen(command, cwd=ROOT, env=clean, stdout=subprocess.PIPE) for _ in range(4)
    ]
    assert len({run.communicate()[0] for run in runs}) == 1


def test_a_key_that_begins_with_a_dollar_is_a_key(load: Load) -> None:
    assert load(SECRET_KEY="$HOME")["SECRET_KEY"] == "$HOME"


def test_a_command_says_what_is_wrong_in_one_line() -> None:
    clean = {name: value for name, value in os.environ.items() if name not in variables_read()}
    clean.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "The environment variable SECRET_KEY must be set, unless DEBUG is on."
    ]


def test_the_documented_production_settings_pass_every_check_for_deployment() -> None:
    clean = {name: value for name, value in os.environ.items() if name not in variables_read()}
    production = {
        "DJANGO_SETTINGS_MODULE": "jobplatform.settings",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "logs.example.com",
        "SECURE_SSL": "on",
        "TRUSTED_PROXIES": "1",
        "DATABASE_URL": "postgresql://joblogs@db.example.com/joblogs?sslmode=verify-full",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=clean | production, capture_output=True, text=True)
    assert done.stdout + done.stderr == "System check identified no issues (2 silenced).\n"
    assert done.returncode == 0


def found(*, deploy: bool = False) -> set[str]:
    messages = run_checks(include_deployment_checks=deploy)
    return {str(message.id) for message in messages if str(message.id).startswith("joblogs.")}


def test_the_defaults_pass_every_check(settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    assert found(deploy=True) == set()


@pytest.mark.parametrize(
    ("logs", "history", "wrong"),
    [
        (30, 29, True),
        (None, 365, True),
        (30, 30, False),
        (30, None, False),
        (None, None, False),
    ],
)
def test_e001_history_must_outlive_logs(settings, logs, history, wrong) -> None:
    settings.LOG_RETENTION_DAYS, settings.HISTORY_RETENTION_DAYS = logs, history
    assert ("joblogs.E001" in found()) is wrong


def test_e001_is_an_error_so_that_no_command_runs(settings) -> None:
    settings.LOG_RETENTION_DAYS, settings.HISTORY_RETENTION_DAYS = 30, 7
    assert [type(message) for message in run_checks() if message.id == "joblogs.E001"] == [Error]


@pytest.mark.django_db
def test_e001_stops_a_command_of_the_store(settings) -> None:
    settings.LOG_RETENTION_DAYS, settings.HISTORY_RETENTION_DAYS = 30, 7
    with pytest.raises(SystemCheckError, match="joblogs.E001"):
        call_command("verify_logs", skip_checks=False)


@pytest.mark.parametrize(
    ("option", "value", "id_"),
    [("ATOMIC_REQUESTS", True, "joblogs.E002"), ("OPTIONS", {}, "joblogs.E003")],
)
def test_e002_e003_a_url_cannot_change_how_rows_are_locked(monkeypatch, option, value, id_) -> None:
    # Not through the settings fixture: Django asks not to override DATABASES, as connections exist.
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"transaction_mode": "immediate"}}
    databases = {"default": {**sqlite, option: value}}
    monkeypatch.setattr(django_settings, "DATABASES", databases)
    assert found() == {id_}


def test_e004_a_replica_is_of_the_same_kind(monkeypatch) -> None:
    kinds = {"default": "django.db.backends.sqlite3", "replica": "django.db.backends.postgresql"}
    options = {"transaction_mode": "IMMEDIATE"}
    databases = {name: {"ENGINE": kind, "OPTIONS": options} for name, kind in kinds.items()}
    monkeypatch.setattr(django_settings, "DATABASES", databases)
    assert found() == {"joblogs.E004"}
    databases["replica"]["ENGINE"] = kinds["default"]
    assert found() == set()


@pytest.mark.parametrize(("limit", "wrong"), [(0, False), (1000, True), (2**30, False)])
def test_w001_a_body_may_hold_at_least_one_record(settings, limit, wrong) -> None:
    settings.RECORDS_MAX_BYTES = limit
    assert ("joblogs.W001" in found()) is wrong


def test_w002_debug_is_for_this_machine(settings) -> None:
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["localhost"]
    assert found() == set()
    settings.ALLOWED_HOSTS = ["localhost", "logs.example.com"]
    assert found() == {"joblogs.W002"}


def test_w003_w004_are_said_on_deployment_only(settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert found() == set()
    assert found(deploy=True) == {"joblogs.W003", "joblogs.W004"}
    settings.SECURE_SSL, settings.TRUSTED_PROXIES = True, 1
    assert found(deploy=True) == {"joblogs.W004"}


def test_w005_behind_a_proxy_its_number_is_asked_for_on_deployment(settings) -> None:
    settings.SECURE_SSL = True
    assert found() == set()
    assert found(deploy=True) == {"joblogs.W005"}


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("postgresql://joblogs@db.example.com/joblogs", True),
        ("postgresql://joblogs@10.0.0.5/joblogs?sslmode=require", True),
        ("postgresql://joblogs@10.0.0.5/joblogs?sslmode=verify-ca", True),
        ("postgresql://joblogs@10.0.0.5/joblogs?sslmode=verify-full", False),
        ("postgresql://joblogs@127.0.0.1/joblogs", False),
        ("postgresql://joblogs@[::1]:5432/joblogs", False),
        ("postgresql:///joblogs", False),
        ("sqlite:///db.sqlite3", False),
    ],
)
def test_w006_a_database_on_another_machine_is_verified(
    monkeypatch: pytest.MonkeyPatch, url: str, warned: bool
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    config = env.database("DATABASE_URL", default="", root=ROOT)
    monkeypatch.setattr(django_settings, "DATABASES", {"default": config})
    assert [message.id for message in checks.unverified_database()] == ["joblogs.W006"] * warned


@pytest.mark.parametrize("arguments", [["--help"], ["help"], ["export_logs", "--help"]])
def test_help_needs_no_key(arguments: list[str], tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "JOBLOGS_HOME": str(tmp_path)}
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "export_logs" in done.stdout
    assert list(tmp_path.iterdir()) == []
