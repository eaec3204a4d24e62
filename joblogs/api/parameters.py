"""Readers of parameters: of single fields, and of groups that several endpoints share.

`docs/api.md` has the rules and the errors that are raised.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest

from joblogs.choices import ScopeType
from joblogs.errors import BadRequest, InvalidParameter, ParameterInvalid, Text
from joblogs.query import HOSTS_MAX, Address, Page

from .body import json_object

_INTEGER = re.compile(r"\s*([+-]?)0*([0-9]{1,19})\s*", re.ASCII)
BIZ_SETS = range(8_000_000, 10_000_000)
_LARGEST = 2**63 - 1
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class NotInteger(Exception):
    """Error: a value is not an integer in any accepted form."""


def integer(value: Any) -> int | None:
    """Return a JSON integer, an integral number, or a string of blanks, sign and digits.

    None if blank. Raise NotInteger for other values, including booleans and more than 64 bits.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        number: int | None = value
    elif is_blank(value):
        return None
    elif isinstance(value, str):
        match = _INTEGER.fullmatch(value)
        number = int(match[1] + match[2]) if match else None
    elif isinstance(value, Decimal):
        # Compared before anything is computed: an exponent may be of any size.
        fits = value.is_finite() and -(2**63) <= value <= _LARGEST
        fits = fits and value == value.to_integral_value()
        number = int(value) if fits else None
    else:
        number = None
    if number is None or not -(2**63) <= number <= _LARGEST:
        raise NotInteger
    return number


def at_least(value: Any, least: int, text: Text) -> int:
    """Return an integer from `least`. Raise BadRequest with `text`, also for an absent one."""
    try:
        number = integer(value)
    except NotInteger:
        number = None
    if number is None or number < least:
        raise BadRequest(text)
    return number


def is_blank(value: Any) -> bool:
    """Return whether a value counts as absent: null or blank text."""
    return value is None or (isinstance(value, str) and not value.strip())


def scope_named(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return the type and id of a request's scope. Raise BadRequest or InvalidParameter."""
    kind, number = body.get("bk_scope_type"), body.get("bk_scope_id")
    if is_blank(kind) and is_blank(number):
        return _scope_of_business(body.get("bk_biz_id"))
    if is_blank(kind):
        raise BadRequest(BadRequest.SCOPE_TYPE)
    if is_blank(number) or isinstance(number, bool) or not isinstance(number, str | int):
        raise BadRequest(BadRequest.SCOPE_ID)
    if not isinstance(kind, str) or kind not in ScopeType.values:
        raise InvalidParameter(None, "bk_scope_type")
    return kind, str(number) if isinstance(number, str) or abs(number) <= _LARGEST else ""


def _scope_of_business(value: Any) -> tuple[str, str]:
    try:
        number = integer(value)
    except NotInteger:
        raise BadRequest(BadRequest.BIZ_ID) from None
    if number is None:
        raise BadRequest(BadRequest.SCOPE_TYPE)
    return ("biz_set" if number in BIZ_SETS else "biz"), str(number)


def host_list(
    body: Mapping[str, Any],
    *,
    most: int = HOSTS_MAX,
    lists: str = "host_id_list/ip_list",
) -> list[int | Address] | None:
    """Return the hosts of the first list that is not empty, or None.

    Raise BadRequest, or ParameterInvalid with `lists` as the name for more than `most`.
    """
    ids = optional_list(body, "host_id_list")
    entries = [] if ids else optional_list(body, "ip_list")
    # The API specification: with a host_id_list the ip_list is ignored, so it is not validated.
    hosts: list[int | Address | None] = []
    try:
        hosts += map(integer, ids) if ids else map(host_named, entries)
    except NotInteger:
        raise BadRequest(BadRequest.HOST_ID) from None
    if len(hosts) > most:
        raise ParameterInvalid(None, lists)
    return [host for host in hosts if host is not None] if hosts else None


def optional_list(body: Mapping[str, Any], field: str) -> list[Any]:
    """Return a list; [] if it is absent. Raise BadRequest."""
    value = body.get(field)
    if is_blank(value):
        return []
    if not isinstance(value, list):
        raise BadRequest(BadRequest.FIELD, field)
    return value


def host_named(item: Any) -> int | Address:
    """Return a host's id, else its cloud area and address. Raise BadRequest."""
    if not isinstance(item, dict):
        raise BadRequest(BadRequest.FIELD, "ip_list")
    stated = {
        key for key in ("bk_host_id", "bk_cloud_id", "ip", "ipv6") if not is_blank(item.get(key))
    }
    if not stated:
        raise BadRequest(BadRequest.HOST_ID_MISSING)
    if "bk_host_id" in stated:
        return at_least(item["bk_host_id"], 1, BadRequest.HOST_ID)
    cloud = at_least(item.get("bk_cloud_id"), 0, BadRequest.CLOUD_ID)
    return Address(cloud, address(item["ip"] if "ip" in stated else item.get("ipv6")))


def address(value: Any) -> str:
    """Return an address in the spelling in which it is stored. Raise BadRequest."""
    if not isinstance(value, str):
        raise BadRequest(BadRequest.IP)
    try:
        address = str(ipaddress.ip_address(value))
    except ValueError:
        raise BadRequest(BadRequest.IP) from None
    # The zone of an IPv6 address may contain any characters; no row has such an address.
    return address if address.isprintable() else ""


def optional_page(body: Mapping[str, Any]) -> Page | None:
    """Return the page of hosts by `start` and `length`, or None if both are absent."""
    start, length = body.get("start"), body.get("length")
    if is_blank(start) and is_blank(length):
        return None
    first = 0 if is_blank(start) else at_least(start, 0, _field("start"))
    count = HOSTS_MAX if is_blank(length) else at_least(length, 1, _field("length"))
    if count > HOSTS_MAX:
        raise BadRequest(_field("length"))
    return Page(first, count)


def required_id(params: Mapping[str, Any], field: str, *, text: Text | None = None) -> int:
    """Return an id from 1. Raise ParameterInvalid with the field's name or, if `text` is given, as
    by endpoints with POST only, BadRequest with `text`."""
    try:
        number = integer(params.get(field))
    except NotInteger:
        number = None
    if number is None or number < 1:
        raise ParameterInvalid(None, field) if text is None else BadRequest(text)
    return number


def _field(name: str) -> Text:
    return Text(BadRequest.FIELD.zh.format(name), BadRequest.FIELD.en.format(name))


def optional_integer(params: Mapping[str, Any], field: str, *, least: int = -(2**63)) -> int | None:
    """Return an integer, or None if it is absent. Raise BadRequest."""
    value = params.get(field)
    return None if is_blank(value) else at_least(value, least, _field(field))


def required_integer(params: Mapping[str, Any], field: str) -> int:
    """Return an integer of any sign. Raise ParameterInvalid with the field's name."""
    try:
        number = integer(params.get(field))
    except NotInteger:
        number = None
    if number is None:
        raise ParameterInvalid(None, field)
    return number


def number_within(
    params: Mapping[str, Any], field: str, *, least: int, most: int, default: int, text: Text
) -> int:
    """Return an integer within bounds, the default if absent. Raise BadRequest with `text`."""
    value = params.get(field)
    number = default if is_blank(value) else at_least(value, least, text)
    if number > most:
        raise BadRequest(text)
    return number


def optional_text(params: Mapping[str, Any], field: str) -> str | None:
    """Return a text, or None if it is absent; a number becomes its digits. Raise BadRequest."""
    value = params.get(field)
    if is_blank(value):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadRequest(BadRequest.FIELD, field)
    return str(value)


def flag(params: Mapping[str, Any], field: str) -> bool:
    """Return a boolean: true or false in any case, 1 or 0; False if absent. Raise BadRequest."""
    value = params.get(field)
    if is_blank(value):
        return False
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word not in _FLAGS:
        raise BadRequest(BadRequest.FIELD, field)
    return _FLAGS[word]


def parameters(request: HttpRequest) -> Mapping[str, Any]:
    """Return the parameters of a request: a POST's JSON body, or a GET's query string as texts."""
    if request.method == "POST":
        return json_object(request)
    try:
        return request.GET.dict()
    except SuspiciousOperation as error:
        raise BadRequest from error


def encoded_path(request: HttpRequest) -> str:
    """Return the path of a request, percent-encoded."""
    return quote(request.path)
