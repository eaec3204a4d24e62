"""The admin, and who sees what there: log text only by its exports."""

from __future__ import annotations

from joblogs.models import Host, JobInstance, StepInstance
from tests.channels.rows import READERS, Asks, Row, at
from tests.channels.security_world import AUDITOR, GONE_KEY, HISTORY, SUPERUSER, Ask, Place

_TABLES = tuple(f"joblogs.{model._meta.model_name}" for model in HISTORY)
_RIGHTS = (
    *("joblogs.app", "joblogs.appgrant", "joblogs.apptoken"),
    *("joblogs.redaction", "joblogs.removal", "joblogs.searchread"),
)
_SEARCHES = ("joblogs.savedsearch", "joblogs.notice")
_PEOPLE = ("auth.group", "auth.user")
_SCOPE, _READ = ("joblogs.scope",), ("joblogs.logread",)
_EVERY = (*_TABLES, *_READ, *_SCOPE, *_RIGHTS, *_SEARCHES, *_PEOPLE)


def _named(models: tuple[str, ...], *views: str) -> tuple[str, ...]:
    return tuple(f"admin:{m.replace('.', '_')}_{view}" for m in models for view in views)


def _lists(where: Place) -> list[Ask]:
    """The lists and rows of what ran, found and narrowed by whatever one may say."""
    made = []
    for model in HISTORY:
        start = f"/admin/joblogs/{model._meta.model_name}/"
        for said in ("", "?q=" + where.host_name):
            made.append(Ask(start + said, shows=not said))
        key = where.keys.get(model, GONE_KEY)
        made += [Ask(f"{start}{key}/change/"), Ask(f"{start}{key}/history/", shows=False)]
    return made


def _rows(*views: str, models: tuple[str, ...] = ()) -> Asks:
    """These pages of the rows of these tables."""

    def asks(where: Place) -> list[Ask]:
        keys = {model._meta.label_lower: key for model, key in where.keys.items()}
        return [
            Ask(f"/admin/{m.replace('.', '/')}/{keys.get(m, GONE_KEY)}/{view}", shows=False)
            for m in models
            for view in views
        ]

    return asks


def _exports(where: Place) -> list[Ask]:
    """The action on a chosen row of a list."""
    steps = {JobInstance: (where.file_step,), StepInstance: ()}
    return [
        Ask(
            f"/admin/joblogs/{model._meta.model_name}/",
            "POST",
            form={"action": "export_records", "_selected_action": where.keys.get(model, GONE_KEY)},
            step=where.step,
            also=also,
        )
        for model, also in steps.items()
    ]


ADMIN = [
    Row(
        "admin: export of chosen jobs and steps",
        (),
        _exports,
        text=READERS,
        recorded="admin export",
    ),
    Row(
        "admin: lists and rows of jobs, steps, hosts, results, files",
        _named(_TABLES, "changelist", "change", "history"),
        _lists,
        facts=READERS,
    ),
    Row(
        "admin: who read what",
        _named(_READ, "changelist", "change", "history"),
        lambda p: [
            Ask("/admin/joblogs/logread/"),
            Ask(f"/admin/joblogs/logread/?q={p.job}"),
            *_rows("change/", "history/", models=_READ)(p),
        ],
        facts=frozenset({SUPERUSER, AUDITOR}),
    ),
    Row(
        "admin: scopes",
        _named(_SCOPE, "changelist", "change", "history"),
        lambda p: [
            Ask("/admin/joblogs/scope/", shows=False),
            *_rows("change/", "history/", models=_SCOPE)(p),
        ],
        facts=READERS,
    ),
    Row(
        "admin: apps, grants, tokens, people, redactions, removals, searches",
        _named((*_RIGHTS, *_PEOPLE), "changelist", "change", "history"),
        lambda p: [
            *(
                Ask(f"/admin/{model.replace('.', '/')}/", shows=False)
                for model in (*_RIGHTS, *_PEOPLE)
            ),
            *_rows("change/", models=(*_RIGHTS, *_PEOPLE))(p),
            *_rows("history/", models=_RIGHTS)(p),
        ],
        facts=frozenset({SUPERUSER}),
    ),
    Row(
        "admin: saved searches and their notices, each member of staff their own",
        _named(_SEARCHES, "changelist", "change", "history"),
        lambda p: [
            *(Ask(f"/admin/{model.replace('.', '/')}/", shows=False) for model in _SEARCHES),
            *_rows("change/", "history/", models=_SEARCHES)(p),
        ],
    ),
    Row(
        "admin: adding, deleting, the short address of a row",
        (
            *_named(_EVERY, "add", "delete"),
            *(f"admin/{m.replace('.', '/')}/<path:object_id>/" for m in _EVERY),
            "admin:auth_user_password_change",
        ),
        lambda p: [
            *at(*(f"/admin/{m.replace('.', '/')}/add/" for m in _EVERY))(p),
            *_rows("delete/", "", models=_EVERY)(p),
            *_rows("password/", models=("auth.user",))(p),
        ],
        facts=frozenset({SUPERUSER}),
    ),
    Row(
        "admin: suggestions of scopes",
        ("admin:autocomplete",),
        lambda p: [
            Ask(
                "/admin/autocomplete/?app_label=joblogs&model_name=appgrant&field_name=scope"
                f"&term={term}",
                shows=False,
            )
            for term in ("", p.scope)
        ],
        facts=READERS,
    ),
    Row(
        "admin: first page, login and out, passwords, texts of its scripts",
        (
            *(f"admin:{name}" for name in ("index", "login", "logout", "app_list", "jsi18n")),
            *("admin:password_change", "admin:password_change_done", "admin:view_on_site"),
            "admin/(?P<url>.*)$",
        ),
        lambda p: [
            *at(
                *(
                    "/admin/",
                    "/admin/login/",
                    "/admin/logout/",
                    "/admin/joblogs/",
                    "/admin/jsi18n/",
                ),
                *("/admin/password_change/", "/admin/password_change/done/", "/admin/nothing"),
            )(p),
            *(
                Ask(f"/admin/r/{kind}/{p.keys.get(model, GONE_KEY)}/", shows=False)
                for kind in range(1, 16, 3)
                for model in (JobInstance, Host)
            ),
        ],
    ),
    Row(
        "language, start",
        ("set_language", ""),
        at("/i18n/setlang/", "/i18n/setlang/?next=/logs/", "/"),
    ),
    Row(
        "health, readiness, metrics (numbers, for a token of their own), static files",
        ("/healthz", "/readyz", "/metrics", "/static/"),
        at(
            *("/healthz", "/readyz", "/metrics", "/static/admin/css/base.css", "/static/"),
            *("/static/../db.sqlite3", "/static/%2e%2e/manage.py", "/static//etc/passwd"),
        ),
    ),
]
