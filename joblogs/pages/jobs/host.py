"""Page of a host: everything that ran on it that the reader may see."""

from __future__ import annotations

import re

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from joblogs import query, times
from joblogs.models import Scope
from joblogs.pages import links
from joblogs.pages.formats import address_label, duration, host_status_label, state_label
from joblogs.pages.log.host_log import moment
from joblogs.pages.rendering import rendered
from joblogs.pages.step.groups import kind_of_status
from joblogs.query import job_list
from joblogs.query.job_list import ResultKey

RESULTS = 50
HOST_ID_MAX = 2**63 - 1
_KEY = re.compile(r"(\d{4}-\d{2}-\d{2})\.(\d{1,18})", re.ASCII)


def host_page(scopes: QuerySet[Scope], bk_host_id: int, request: HttpRequest) -> HttpResponse:
    """Return the page of what ran on a host in these scopes. Raises Http404 if nothing did."""
    key = _key(request)
    if bk_host_id > HOST_ID_MAX:
        raise Http404
    results, after = job_list.results_after(scopes, bk_host_id, key, length=RESULTS)
    if not results and key is None:
        raise Http404
    context = {
        "bk_host_id": bk_host_id,
        "host": results[0] if results else None,
        "address": address_label(results[0].bk_cloud_id, results[0].ip or results[0].ipv6)
        if results
        else "–",
        "name": next((r.host_name for r in results if r.host_name), None),
        "rows": [
            {
                "result": result,
                "step": result.step,
                "job": result.step.job,
                "kind": kind_of_status(result.status),
                "status": host_status_label(result.status, result.exit_code),
                "started": moment(result.start_time or result.step.job.create_time),
                "took": duration(result.total_time),
                "state": state.state,
                "state_label": state_label(state),
                "log": links.of_host(result.step, bk_host_id)["log"],
            }
            for result in results
            for state in [query.result_state(result.step, result)]
        ],
        "newest": "after" in request.GET,
        "older": f"after={after.day}.{after.pk}" if after else None,
    }
    return HttpResponse(rendered("joblogs/host.html", context, request))


def _key(request: HttpRequest) -> ResultKey | None:
    match = _KEY.fullmatch(request.GET.get("after", ""))
    if not match:
        return None
    try:
        return ResultKey(times.day(match[1]), int(match[2]))
    except ValueError:
        raise Http404 from None
