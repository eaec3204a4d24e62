"""Settings of the project. Operators configure it by environment variables (README,
"Configuration"); conflicts between settings are system checks (`joblogs/checks.py`).
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from joblogs.logtext.secret_rules import RULES
from jobplatform import env, postgres, private_sqlite

# A checkout has its files and templates at the top. An installed package is not written to: the
# store's files are in JOBLOGS_HOME or the working directory, the templates within the package.
_PROJECT_DIR = Path(__file__).resolve().parent
_CHECKOUT = _PROJECT_DIR.parent
_INSTALLED = (_PROJECT_DIR / "templates").is_dir()
BASE_DIR = Path(env.folder("JOBLOGS_HOME") or (Path.cwd() if _INSTALLED else _CHECKOUT)).resolve()

DEBUG = env.boolean("DEBUG", default=False)
SECRET_KEY = env.secret_key("SECRET_KEY", generate=DEBUG, file=BASE_DIR / ".secret_key")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

# The store

LOG_RETENTION_DAYS = env.retention_days("LOG_RETENTION_DAYS")
HISTORY_RETENTION_DAYS = env.retention_days("HISTORY_RETENTION_DAYS")
RUNNING_RETENTION_DAYS = env.retention_days("RUNNING_RETENTION_DAYS", default=30)
AUDIT_RETENTION_DAYS = env.retention_days("AUDIT_RETENTION_DAYS")
AUDIT_REQUIRED = env.boolean("AUDIT_REQUIRED", default=False)
PACK_AFTER_DAYS = env.retention_days("PACK_AFTER_DAYS")
LOG_MAX_BYTES = env.integer("LOG_MAX_BYTES", default=1024**3, minimum=1)
RECORDS_MAX_BYTES = env.integer("RECORDS_MAX_BYTES", default=0)
PUBLIC_URL = env.origin("PUBLIC_URL")
RATE_LIMIT = env.integer("RATE_LIMIT", default=0)
SERVER_THREADS = env.integer("SERVER_THREADS", default=4, minimum=1)  # see gunicorn.py
MASK_SECRETS = env.boolean("MASK_SECRETS", default=True)
MASK_ASSIGNMENTS = env.boolean("MASK_ASSIGNMENTS", default=True)
SECRET_RULES = env.secret_rules(
    "SECRET_PATTERNS",
    root=BASE_DIR,
    built_in=tuple(rule for rule in RULES if MASK_ASSIGNMENTS or not rule.assignment),
)
BK_GATEWAY_PUBLIC_KEYS = env.public_keys("BK_GATEWAY_PUBLIC_KEYS", root=BASE_DIR)

# Object storage; its credentials are in the usual environment variables of the provider.

OBJECT_STORE_URL = env.object_store("OBJECT_STORE_URL")
OBJECT_STORE_ADOPT = env.boolean("OBJECT_STORE_ADOPT", default=False)
OBJECT_STORE_DAYS = env.retention_days("OBJECT_STORE_DAYS", default=90)
OBJECT_GRACE_DAYS = env.integer("OBJECT_GRACE_DAYS", default=7, maximum=365_000)
OBJECT_TIMEOUT_SECONDS = env.integer("OBJECT_TIMEOUT_SECONDS", default=10, minimum=1, maximum=600)
OBJECT_CACHE_DIR = env.folder("OBJECT_CACHE_DIR")
OBJECT_CACHE_BYTES = env.integer("OBJECT_CACHE_BYTES", default=1024**3, minimum=1)
AWS_ALLOW_HTTP = env.boolean("AWS_ALLOW_HTTP", default=False)

# The store that `manage.py mcp` queries for an agent, and its token

# Validated by the command: shippers on the same machine read JOBLOGS_URL in their own way.
MCP_URL = env.text("JOBLOGS_URL", default="")
MCP_TOKEN = env.token("JOBLOGS_TOKEN")

# Notices of saved searches (docs/notices.md), mailed by Django's own settings

NOTICE_CHANNELS = env.words("NOTICE_CHANNELS", of=("webhook", "mail"), default=("webhook",))
NOTICE_PRIVATE_TARGETS = env.boolean("NOTICE_PRIVATE_TARGETS", default=False)
_mail = env.mail("EMAIL_URL")
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = "EMAIL_USE_TLS" in _mail, "EMAIL_USE_SSL" in _mail
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", default="joblogs@localhost")
EMAIL_TIMEOUT = 20

# Monitoring

METRICS_TOKEN_SHA256 = env.sha256("METRICS_TOKEN_SHA256")
PROMETHEUS_MULTIPROC_DIR = env.folder("PROMETHEUS_MULTIPROC_DIR")

# Whether `/readyz` also queries the tables of log text: for tables on servers of their own.
READY_ASKS_TEXT = env.boolean("READY_ASKS_TEXT", default=False)

# Databases. Options in the URLs override those here.

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database("DATABASE_URL", default="sqlite:///db.sqlite3", root=BASE_DIR)
}
PAGE_TIMEOUT_SECONDS = env.integer("PAGE_TIMEOUT_SECONDS", default=5)
_replica = env.database("DATABASE_REPLICA_URL", root=BASE_DIR)
_pages = env.database("DATABASE_PAGES_URL", root=BASE_DIR)
if _replica:
    DATABASES["replica"] = _replica
_limited = DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql"
if _pages or (_limited and PAGE_TIMEOUT_SECONDS):
    # The primary again, for reads of the pages and the admin. A timeout belongs to a connection,
    # and ingest and the API must not get it. With DATABASE_PAGES_URL the role of its user sets the
    # limit.
    DATABASES["pages"] = _pages or copy.deepcopy(DATABASES["default"])
if len(DATABASES) > 1:
    DATABASE_ROUTERS = ["joblogs.database.replica.Router"]
for _name, _database in DATABASES.items():
    # Reads need no transaction.
    _database["ATOMIC_REQUESTS"] = _database.get("ATOMIC_REQUESTS", False)
    if _database["ENGINE"] == "django.db.backends.sqlite3":
        _database["OPTIONS"] = private_sqlite.OPTIONS | _database.get("OPTIONS", {})
        # Each thread keeps its connection: opening one, and closing the last one, costs more than a
        # small read.
        _database["CONN_MAX_AGE"] = _database.get("CONN_MAX_AGE", 60)
        # A file: an in-memory database is one shared connection, which hides every lock.
        _database["TEST"] = {"NAME": str(BASE_DIR / "test.sqlite3")}
    else:
        # The pool keeps the connections, so requests must not. It tests a connection before lending
        # it, so that a restart of the server fails no request.
        _database["CONN_MAX_AGE"] = _database.get("CONN_MAX_AGE", 0)
        _database["CONN_HEALTH_CHECKS"] = True
        _database["OPTIONS"] = {"pool": postgres.POOL} | _database.get("OPTIONS", {})
    if _name != "default":
        _database["TEST"] = {"MIRROR": "default"}
if "pages" in DATABASES and "pool" in DATABASES["pages"]["OPTIONS"]:
    _options = DATABASES["pages"]["OPTIONS"]
    _options["pool"] = _options["pool"] | {"min_size": 0}
    if not _pages:
        _options["options"] = (
            f"{_options.get('options', '')} -c statement_timeout={PAGE_TIMEOUT_SECONDS}s".strip()
        )
if _replica and _replica["ENGINE"] == "django.db.backends.postgresql":
    _replica["OPTIONS"] = postgres.REPLICA_OPTIONS | _replica["OPTIONS"]
    _replica["OPTIONS"]["pool"] = postgres.REPLICA_POOL
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Application

INSTALLED_APPS = [
    "joblogs.apps.LimitedAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",  # Swagger UI, for our page of the API
    "joblogs.apps.JoblogsConfig",
]
MIDDLEWARE = [
    # Outermost: every response has these headers.
    "jobplatform.middleware.SafeHeaders",
    # Before middleware that may refuse, redirect or start a session: load balancers probe here.
    # Above all other middleware that responds, so that every response is counted.
    "joblogs.middleware.Requests",
    # Above the rest, so that no response of the API is HTML or a redirect, whatever refuses it.
    "joblogs.middleware.ApiAnswers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "joblogs.middleware.PageMiddleware",
    # Innermost: it counts what views do and send.
    "joblogs.middleware.SlowRequests",
]
ROOT_URLCONF = "jobplatform.urls"
WSGI_APPLICATION = "jobplatform.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [(_PROJECT_DIR if _INSTALLED else _CHECKOUT) / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["joblogs.pages.template_filters"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
    {  # for markup repeated hundreds of times: ten times as fast
        "NAME": "partials",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [(_PROJECT_DIR if _INSTALLED else _CHECKOUT) / "templates" / "partials"],
        "OPTIONS": {"environment": "joblogs.pages.rendering.partials"},
    },
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # limit of the API; records are read as a stream instead
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # where `next` is refused
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# A view without permission classes of its own requires authentication.
REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "joblogs.api.openapi.EndpointSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "joblogs",
    "DESCRIPTION": "The API of a store for what jobs print. The rules of the wire, every error "
    "code and what is promised to stay: docs/api.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "PREPROCESSING_HOOKS": ["joblogs.api.openapi.canonical_paths"],
    "POSTPROCESSING_HOOKS": ["joblogs.api.openapi.add_components"],
}

# Static files: served from the packages themselves, without collectstatic.

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

# Languages and time. Times are stored and logged in UTC.

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [_CHECKOUT / "joblogs" / "locale"]  # also for `templates/`
USE_TZ = True
TIME_ZONE = "UTC"

# Security. Always on:

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = 12 * 3600  # a working day: former staff do not stay logged in for weeks
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"

# Whether the store is reached by HTTPS. If not, plain HTTP is served directly, regardless of DEBUG,
# and X-Forwarded-Proto is ignored: without a proxy that sets it, any client could.
SECURE_SSL = env.boolean("SECURE_SSL", default=False)
# Number of trusted proxies that append their client's address to X-Forwarded-For.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", default=0, maximum=10)
SECURE_SSL_REDIRECT = SECURE_SSL
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_SSL else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_SSL
# HSTS covers the store's own host name only, not subdomains, which others may run.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if SECURE_SSL:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# The program's own logging: events, never log text, never a credential.

LOG_FORMAT = env.choice("LOG_FORMAT", of=("line", "json"), default="line")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "joblogs.monitoring.log_formats.LineFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "joblogs.monitoring.log_formats.Json"},
    },
    "filters": {"without_queries": {"()": "joblogs.monitoring.log_formats.WithoutQueries"}},
    "handlers": {
        "console": {  # standard error
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
        },
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    # Django's own handlers would log everything twice, and mail errors to nobody.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # If a body fails, it would log the URL with its query string, and log text.
        "gunicorn.error": {
            "handlers": ["console"],
            "filters": ["without_queries"],
            "propagate": False,
        },
        "django.request": {"level": "ERROR"},  # joblogs.requests logs refused requests
    },
}
