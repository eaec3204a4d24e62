"""The pages for staff, and who sees what there."""

from __future__ import annotations

from typing import Any

from tests.channels.rows import READERS, Row
from tests.channels.security_world import Ask, Place
from tests.pages.page_helpers import page


def _of_step(name: str, where: Place, query: str = "", *, host: bool = True) -> str:
    return page(name, host=where.host if host else None, place=where.path) + query


def _exports(where: Place) -> list[Ask]:
    every: dict[str, Any] = {"step": where.step, "also": (where.file_step,)}
    job = f"/logs/biz/{where.scope}/jobs/{where.job}/export"
    return [
        Ask(f"/logs/export?format=txt&number={where.job}", **every),
        Ask(f"/logs/export?format=ndjson&name={where.word}-job", **every),
        Ask(f"{job}?format=ndjson", **every),
        *(
            Ask(_of_step("step-export", where, f"?format={kind}", host=False), step=where.step)
            for kind in ("txt", "ndjson&q=" + where.host_name, "txt&outcome=ok&attempt=0")
        ),
        Ask(_of_step("host-export", where, "?format=txt"), step=where.step),
    ]


def _history(where: Place) -> list[Ask]:
    span = "since=2023-11-14&until=2023-11-14"
    asked = (f"?q={where.word}-needle&{span}", f"?q=nee.le&regex=1&{span}&name={where.word}-job")
    # The newer one of a job's steps comes first.
    return [Ask(f"/logs/search/{rest}", step=where.file_step, also=(where.step,)) for rest in asked]


PAGES = [
    Row(
        "log page",
        ("staff:log",),
        lambda p: [
            *(Ask(_of_step("log", p, q), step=p.step) for q in ("", "?line=2", "?at=end")),
            Ask(page("log", host=p.host, place=(*p.path[:3], p.file_step)), step=p.file_step),
        ],
        text=READERS,
        recorded="page log",
    ),
    Row(
        "following a log",
        ("staff:log-more",),
        lambda p: [Ask(_of_step("log-more", p, "?byte=0"), step=p.step)],
        text=READERS,
        recorded="page follow",
    ),
    Row(
        "log download",
        ("staff:log-download",),
        lambda p: [Ask(_of_step("log-download", p), step=p.step)],
        text=READERS,
        recorded="page download",
    ),
    Row(
        "comparison of two logs",
        ("staff:compare",),
        lambda p: [
            Ask(_of_step("compare", p, f"?to=host&other={p.other_host}{more}"), step=p.step)
            for more in ("&all=1", "&all=1&view=inline", "&all=1&masks=0&part=end")
        ],
        text=READERS,
        recorded="page compare",
    ),
    Row(
        "step search",
        ("staff:search",),
        lambda p: [
            Ask(_of_step("search", p, f"?q={p.word}-needle", host=False), step=p.step),
            Ask(_of_step("search", p, "?q=nee[d]le&regex=1", host=False), step=p.step),
        ],
        text=READERS,
        recorded="page search",
    ),
    Row(
        "search over history",
        ("staff:history",),
        _history,
        text=READERS,
        recorded="page history",
    ),
    Row(
        "page of a step, with samples",
        ("staff:step",),
        lambda p: [
            Ask(_of_step("step", p, q, host=False), step=p.step) for q in ("", "?alike=identical")
        ],
        text=READERS,
        recorded="page step",
    ),
    Row(
        "export of what a page shows",
        ("staff:jobs-export", "staff:job-export", "staff:step-export", "staff:host-export"),
        _exports,
        text=READERS,
        recorded="page export",
    ),
    Row(
        "hosts of a step as a list",
        ("staff:step-hosts",),
        lambda p: [
            Ask(_of_step("step-hosts", p, q, host=False)) for q in ("", "?as=ids", "?as=addresses")
        ],
        facts=READERS,
    ),
    Row(
        "hosts beside one, the way to the next",
        ("staff:log-beside", "staff:log-neighbour"),
        lambda p: [
            Ask(_of_step("log-beside", p, "?among=all")),
            Ask(_of_step("log-neighbour", p, "?to=next"), shows=False),
        ],
        facts=READERS,
    ),
    Row(
        "lists of jobs, page of a job, page of a host",
        ("staff:jobs", "staff:job", "staff:host"),
        lambda p: [
            Ask("/logs/"),
            Ask(f"/logs/?name={p.word}-job"),
            Ask(f"/logs/?host={p.host_name}"),
            Ask(f"/logs/?number={p.job}"),
            Ask(f"/logs/?operator={p.operator}"),
            Ask(f"/logs/biz/{p.scope}/jobs/{p.job}/"),
            Ask(f"/logs/hosts/{p.host}/"),
        ],
        facts=READERS,
    ),
]
