"""Parameters for the hosts of a batch read: two lists, or a page of all hosts."""

from __future__ import annotations

from typing import NamedTuple

from joblogs import query
from joblogs.api.fields import COUNT, ID, NAMED_HOST, Json, Params, described
from joblogs.api.parameters import host_list, optional_list, optional_page
from joblogs.query import HOSTS_MAX, Page

HOST_LISTS: dict[str, Json] = {
    "host_id_list": {
        "type": "array",
        "items": ID,
        "maxItems": HOSTS_MAX,
        "description": "The hosts; with it `ip_list` is not looked at.",
    },
    "ip_list": {
        "type": "array",
        "items": NAMED_HOST,
        "maxItems": HOSTS_MAX,
        "description": "Not recommended; use host_id_list.",
    },
}
PAGE: dict[str, Json] = {
    "start": described(COUNT, "First host of a page; only without a list."),
    "length": {
        "type": "integer",
        "minimum": 1,
        "maximum": HOSTS_MAX,
        "description": "Hosts of a page; only without a list.",
    },
}


class NamedHosts(NamedTuple):
    """NamedTuple of the hosts that a request names, or None. `has_empty_list`: a list was given,
    but no list has any hosts."""

    hosts: list[int | query.Address] | None = None
    has_empty_list: bool = False


def named_hosts(params: Params) -> NamedHosts:
    """Return the hosts of a request's lists."""
    hosts = host_list(params)
    is_given = any(isinstance(params.get(name), list) for name in HOST_LISTS)
    return NamedHosts(hosts, hosts is None and is_given)


def page_without_list(params: Params) -> Page | None:
    """Return the page of hosts of a request; None if it has a list or no page."""
    if any(optional_list(params, name) for name in HOST_LISTS):
        return None
    return optional_page(params)
