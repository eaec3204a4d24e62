"""The API, and who sees what there."""

from __future__ import annotations

from collections.abc import Callable

from tests.builders import script_log
from tests.channels.rows import Asks, Row, at
from tests.channels.security_world import APP_OR_TOKEN, PRODUCER, Ask, Place


def _api(name: str, fields: Callable[[Place], dict[str, object]], *methods: str) -> Asks:
    """Under every form of the wire."""
    starts = (
        *("/api/v3/", "/api/v3/system/", "/api/bk-job/prod/api/v3/", "/prod/api/v3/system/"),
        *("/api/job/v3/job-execute/", "/esb/api/v3/", "/api/c/compapi/v2/jobv3/"),
        "/api/c/compapi/jobv3/",
    )

    def asks(where: Place) -> list[Ask]:
        body: dict[str, object] = {"bk_scope_type": "biz", "bk_scope_id": where.scope}
        body |= {"job_instance_id": where.job, **fields(where)}
        query = "&".join(f"{key}={value}" for key, value in body.items())
        made = {
            "POST": [Ask(f"{start}{name}", "POST", json=body, step=where.step) for start in starts],
            "GET": [Ask(f"{start}{name}/?{query}", step=where.step) for start in starts],
        }
        return [ask for method in methods for ask in made[method]]

    return asks


def _one_host(where: Place) -> dict[str, object]:
    return {"step_instance_id": where.step, "bk_host_id": where.host}


def _batch(where: Place) -> list[Ask]:
    plain = _api(
        "batch_get_job_instance_ip_log",
        lambda p: {"step_instance_id": p.step, "host_id_list": [p.host]},
        "POST",
    )(where)
    first = plain[0]
    more: list[dict[str, object]] = [
        {"host_id_list": None},
        {"host_id_list": None, "ip_list": [{"bk_cloud_id": 0, "ip": where.address}]},
        {"grep": f"{where.word}-needle"},
        {"tail_bytes": 60},
        {"return_log_state": True},
    ]
    asked = [Ask(first.path, "POST", json=first.json | said, step=where.step) for said in more]
    file = {"step_instance_id": where.file_step}
    return [
        *plain,
        *asked,
        Ask(first.path, "POST", json=first.json | file, step=where.file_step),
    ]


_V4_STARTS = (
    *("/api/v4/", "/api/v4/system/v4_", "/api/bk-job/prod/api/v4/"),
    *("/api/job/v4/job-execute/", "/esb/api/v4/"),
)


def _v4_get(name: str, query: str) -> Asks:
    """Under every form of version 4, with the scope and the job."""

    def asks(where: Place) -> list[Ask]:
        scope = f"bk_scope_type=biz&bk_scope_id={where.scope}&job_instance_id={where.job}"
        return [Ask(f"{start}{name}?{scope}&{query}") for start in _V4_STARTS]

    return asks


def _context(name: str, step: str, **fields: object) -> Asks:
    """The context of a step of that name on the host that has text in it."""

    def asks(where: Place) -> list[Ask]:
        number = getattr(where, step)
        body: dict[str, object] = {"bk_scope_type": "biz", "bk_scope_id": where.scope}
        body |= {"job_instance_id": where.job, "step_instance_id": number, "execute_count": 0}
        body |= {"execute_object_type": 1, "execute_object_resource_id": where.host, **fields}
        return [Ask(f"{start}{name}", "POST", json=body, step=number) for start in _V4_STARTS]

    return asks


def _plugin(where: Place) -> list[Ask]:
    objects = [{"type": 1, "resource_id": where.host}]
    body = {"step_instance_id": where.step, "execute_object_list": objects}
    return _api("bkci_plugin_batch_get_job_instance_execute_object_log", lambda p: body, "POST")(
        where
    )


def _v4(where: Place) -> list[Ask]:
    body = {"bk_scope_type": "biz", "bk_scope_id": where.scope, "job_instance_id": where.job}
    body |= {
        "step_instance_id": where.step,
        "execute_object_list": [],
        "host_id_list": [where.host],
    }
    name = "batch_get_job_instance_execute_object_log"
    return [Ask(f"{start}{name}", "POST", json=body, step=where.step) for start in _V4_STARTS]


def _own(where: Place, rest: str) -> str:
    return f"/api/v1/biz/{where.scope}/jobs/{where.job}/steps/{where.step}/{rest}"


def _raw(where: Place) -> list[Ask]:
    log = _own(where, f"hosts/{where.host}/log")
    return [Ask(f"{log}{rest}", step=where.step) for rest in ("", "/", "?tail=60", "?offset=3")]


def _follow(where: Place) -> list[Ask]:
    asked: list[dict[str, object]] = [{}, {"host_id_list": [where.host], "max_bytes": 60}]
    path = _own(where, "follow")
    return [Ask(path, "POST", json=body, step=where.step) for body in asked]


def _compare(where: Place) -> list[Ask]:
    path = f"{_own(where, 'compare')}?host={where.host}&with={where.other_host}"
    return [Ask(f"{path}{rest}", step=where.step) for rest in ("", "&masks=0&part=end")]


def _search(where: Place) -> list[Ask]:
    path = _own(where, "search")
    asked = (f"?q={where.word}-needle", f"/?q={where.word}-n.*&regex=1&context=0")
    return [Ask(f"{path}{rest}", step=where.step) for rest in asked]


def _search_history(where: Place) -> list[Ask]:
    path = f"/api/v1/biz/{where.scope}/search_history"
    span = "since=2023-11-14&until=2023-11-14"
    asked = (f"?q={where.word}-needle&{span}", f"/?q=nee.le&regex=1&{span}&name={where.word}-job")
    # The newer one of a job's steps comes first.
    return [Ask(f"{path}{rest}", step=where.file_step, also=(where.step,)) for rest in asked]


def _summary(where: Place) -> list[Ask]:
    rests = ("summary", "summary?max_chars=4000")
    return [Ask(_own(where, rest), step=where.step) for rest in rests]


def _first_errors(where: Place) -> list[Ask]:
    path = _own(where, "first_errors")
    return [Ask(f"{path}{rest}", step=where.step) for rest in ("", "/", "?format=csv&context=0")]


def _export(where: Place) -> list[Ask]:
    start = f"/api/v1/biz/{where.scope}/export"
    asked = [f"{start}?format={kind}&step={where.step}" for kind in ("txt", "ndjson")]
    return [
        *(Ask(path, step=where.step) for path in asked),
        Ask(f"{start}/?format=txt&job={where.job}&host={where.other_host}", step=where.step),
        Ask(f"{start}?format=txt&step={where.file_step}", step=where.file_step),
    ]


API = [
    Row(
        "logs of many hosts",
        ("batch_get_job_instance_ip_log",),
        _batch,
        text=APP_OR_TOKEN,
        recorded="batch_get_job_instance_ip_log",
    ),
    Row(
        "log of one host",
        ("get_job_instance_ip_log",),
        _api("get_job_instance_ip_log", _one_host, "POST", "GET"),
        text=APP_OR_TOKEN,
        recorded="get_job_instance_ip_log",
    ),
    Row(
        "logs of many hosts, version 4",
        ("v4_batch_get_job_instance_execute_object_log",),
        _v4,
        text=APP_OR_TOKEN,
        recorded="v4_batch_get_job_instance_execute_object_log",
    ),
    Row(
        "end of a script's log, for a language model",
        ("v4_get_script_task_context",),
        _context("get_script_task_context", "step"),
        text=APP_OR_TOKEN,
        recorded="v4_get_script_task_context",
    ),
    Row(
        "why files were not moved, for a language model",
        ("v4_get_file_task_context",),
        _context("get_file_task_context", "file_step", mode=1),
        text=APP_OR_TOKEN,
        recorded="v4_get_file_task_context",
    ),
    Row(
        "logs of many hosts, for plugins",
        ("bkci_plugin_batch_get_job_instance_execute_object_log",),
        _plugin,
        text=APP_OR_TOKEN,
        recorded="bkci_plugin_batch_get_job_instance_execute_object_log",
    ),
    Row(
        "raw log of one host",
        ("host_log",),
        _raw,
        text=APP_OR_TOKEN,
        recorded="raw log",
    ),
    Row(
        "comparison of two logs by an app",
        ("compare",),
        _compare,
        text=APP_OR_TOKEN,
        recorded="compare",
    ),
    Row(
        "search in a step by an app",
        ("search",),
        _search,
        text=APP_OR_TOKEN,
        recorded="search",
    ),
    Row(
        "search over history by an app",
        ("search_history",),
        _search_history,
        text=APP_OR_TOKEN,
        recorded="search_history",
    ),
    Row(
        "summary of a step",
        ("summary", "group_hosts"),
        _summary,
        text=APP_OR_TOKEN,
        recorded="summary",
    ),
    Row(
        "first errors of a step",
        ("first_errors",),
        _first_errors,
        text=APP_OR_TOKEN,
        recorded="first_errors",
    ),
    Row(
        "what is new of a step",
        ("follow",),
        _follow,
        text=APP_OR_TOKEN,
        recorded="follow",
    ),
    Row(
        "export of logs",
        ("export",),
        _export,
        text=APP_OR_TOKEN,
        recorded="export",
    ),
    Row(
        "state of a step by keyword: which logs hold it",
        ("get_step_instance_status",),
        _api(
            "get_step_instance_status",
            lambda p: {"step_instance_id": p.step, "keyword": f"{p.word}-needle"},
            "GET",
        ),
        facts=APP_OR_TOKEN,
        recorded="get_step_instance_status",
    ),
    Row(
        "state of a step without one, state and list of jobs, detail of a step",
        (
            *("get_job_instance_status", "get_job_instance_list", "get_step_instance_detail"),
            *("v4_get_job_instance_status", "v4_get_job_instance_list"),
            "bkci_plugin_get_job_instance_status",
        ),
        lambda p: [
            *_v4_get("get_job_instance_status", "return_execute_object_result=true")(p),
            *_v4_get("get_job_instance_list", "create_time_start=0&create_time_end=2000000000000")(
                p
            ),
            *_api(
                "bkci_plugin_get_job_instance_status",
                lambda p: {"include_execute_object_task_result": True},
                "POST",
            )(p)[:2],
            *_api("get_step_instance_status", lambda p: {"step_instance_id": p.step}, "GET")(p),
            *_api("get_job_instance_status", lambda p: {"return_ip_result": True}, "POST")(p),
            *_api("get_job_instance_status", lambda p: {"return_ip_result": "true"}, "GET")(p)[:1],
            Ask(
                f"/api/v3/get_job_instance_list?bk_scope_type=biz&bk_scope_id={p.scope}"
                "&create_time_start=1699999999000&create_time_end=1700000001000"
            ),
            *_api("get_step_instance_detail", lambda p: {"step_instance_id": p.step}, "GET")(p),
        ],
        facts=APP_OR_TOKEN,
    ),
    Row(
        "who read what, for apps with the right to audit, of which none of these is one",
        ("audit", "audit_searches"),
        at(
            *("/api/v1/audit", "/api/v1/audit/", "/api/v1/audit?after=0&length=10000"),
            *("/api/v1/audit/searches", "/api/v1/audit/searches?after=0&job_instance_id=1"),
        ),
    ),
    Row(
        "scopes that the caller may read",
        ("v4_get_user_authorized_scopes",),
        at("/api/v4/get_user_authorized_scopes", "/esb/api/v4/get_user_authorized_scopes"),
    ),
    Row(
        "expected offsets of a step's logs",
        ("offsets",),
        lambda p: [Ask(_own(p, "offsets"))],
        facts=frozenset({PRODUCER}),
    ),
    Row(
        "records in",
        ("records",),
        lambda p: [
            Ask("/api/v1/records", shows=False),
            Ask(
                "/api/v1/records",
                "POST",
                json=script_log(
                    "not what is there\n",
                    host=p.host,
                    job=p.job,
                    step=p.step,
                    bk_scope_type="biz",
                    bk_scope_id=p.scope,
                ),
                shows=False,
            ),
        ],
        facts=frozenset({PRODUCER}),
    ),  # fmt: skip
    Row(
        "document of the API, and whatever no address is for",
        (
            *("schema", "api_docs"),
            r"^(?:api/job/v3/job-execute|esb/api/v3)/",
            r"^(?:api/job/v4/(?!api/)[-\w.]+|esb/api/v4)/",
            r"^api/c/compapi/(?:v2/)?jobv3/",
            r"^(?:api/[-\w.]+/)?[-\w.]+/api/v3/(?:system/)?",
            r"^(?:api/[-\w.]+/)?[-\w.]+/api/v4/(?:system/)?",
            *(r"^api/v3/(?:system/)?", r"^api/v4/(?:system/)?", r"^api/v1/", r"^(?:api|esb)/"),
        ),
        at(
            *("/api/v1/schema", "/docs/api/", "/api/job/v3/job-execute/x", "/esb/api/v3/x"),
            *("/api/job/v4/job-manage/x", "/esb/api/v4/x"),
            *("/api/c/compapi/jobv3/x", "/prod/api/v3/x", "/prod/api/v4/x", "/api/v3/x"),
            *("/api/v4/x", "/api/v1/x", "/api/x", "/nothing/here"),
        ),
    ),
]
