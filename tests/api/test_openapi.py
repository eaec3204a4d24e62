"""The OpenAPI document: all of the API, as the code has it, for anyone."""

from __future__ import annotations

import inspect
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import resolve

from joblogs import errors, refusals
from joblogs.api import urls
from joblogs.api.base import ApiView
from joblogs.api.openapi import OPERATIONS, PATHS

Json = dict[str, Any]
PLACES = {
    "group": "0" * 12,
    "scope_type": "biz",
    "scope_id": "2",
    "job": "1",
    "step": "1",
    "host": "1",
}
SLUGS = {"gateway": "bk-job", "stage": "prod", "module": "job-execute"}


@pytest.fixture(scope="module")
def document() -> Json:
    """As the code generates it, with every warning an error, checked against OpenAPI 3.1."""
    output = io.StringIO()
    call_command(
        "spectacular", "--validate", "--fail-on-warn", format="openapi-json", stdout=output
    )
    document: Json = json.loads(output.getvalue())
    return document


def test_it_is_valid_openapi_3_1_and_generated_without_a_warning(document: Json) -> None:
    assert document["openapi"] == "3.1.0"
    assert len(OPERATIONS) == sum(map(len, document["paths"].values()))


@pytest.mark.parametrize("path", ["/api/v1/schema", "/api/v1/schema/"])
def test_it_is_served_to_anyone_as_it_is_generated(path: str, document: Json) -> None:
    response = Client().get(path)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response.json() == document


def test_it_is_only_read() -> None:
    response = Client().post("/api/v1/schema")
    assert (response.status_code, response["Allow"]) == (405, "GET")
    assert response.json()["code"] == 1240003


def views() -> Iterator[tuple[str, type[ApiView]]]:
    """Every endpoint that has a route, by the name of the route."""
    for pattern in urls.urlpatterns:
        view = getattr(pattern.callback, "cls", None)
        if view is not None and issubclass(view, ApiView):
            yield str(pattern.name), view


@pytest.mark.parametrize(("name", "view"), list(views()))
def test_every_route_is_documented_with_every_method(
    name: str, view: type[ApiView], document: Json
) -> None:
    path = PATHS[view]
    methods = [method for method in view.http_method_names if hasattr(view, method)]
    assert sorted(document["paths"][path]) == sorted(methods)
    assert resolve(path.format(**PLACES)).url_name == name


def forms(text: str) -> list[str]:
    """The starts of paths that a description lists."""
    return [form.format(**SLUGS) for form in re.findall(r"`(/[^`]+/)`", text)]


def view_at(path: str) -> type:
    """The class of the view that answers at a path."""
    function: Any = resolve(path).func
    view: type = function.cls
    return view


@pytest.mark.parametrize(("path", "method"), list(OPERATIONS))
def test_the_forms_that_a_description_lists_answer_too(path: str, method: str) -> None:
    name = path.rpartition("/")[2]
    listed = forms(OPERATIONS[path, method]["description"])
    assert bool(listed) == path.startswith(("/api/v3/", "/api/v4/"))
    for form in listed:
        for slash in ("", "/"):
            assert PATHS[view_at(form + name + slash)] == path
    for form in (*listed[:2], "/api/v3/") if path.startswith("/api/v3/") else ():
        assert PATHS[view_at(f"{form}system/{name}")] == path


def leaves(shape: Any, key: str) -> Iterator[Any]:
    """Every value of a key, at whatever depth."""
    if isinstance(shape, dict):
        if key in shape:
            yield shape[key]
        shape = list(shape.values())
    if isinstance(shape, list):
        for item in shape:
            yield from leaves(item, key)


def test_every_reference_leads_somewhere_and_everything_is_referred_to(document: Json) -> None:
    said = {
        f"#/components/{kind}/{name}"
        for kind, shapes in document["components"].items()
        for name in shapes
        if kind != "securitySchemes"
    }
    used = {ref for ref in leaves(document, "$ref") if isinstance(ref, str)}
    assert used - said == set()
    assert said - used == set()


def test_no_schema_is_named_after_a_module(document: Json) -> None:
    assert [name for name in document["components"]["schemas"] if "." in name] == []


def test_every_error_code_is_in_it(document: Json) -> None:
    told = {code for codes in leaves(document, "enum") for code in codes}
    told |= {code for code in leaves(document, "const") if not isinstance(code, dict)}
    every = [*vars(errors).values(), *vars(refusals).values()]
    kinds = set(filter(inspect.isclass, every))
    codes = {kind.code for kind in kinds if hasattr(kind, "code")}
    assert {code for code in codes if code not in told and str(code) not in told} == set()


def test_only_the_document_itself_asks_for_no_credentials() -> None:
    without = [path for (path, _), operation in OPERATIONS.items() if not operation["security"]]
    assert without == ["/api/v1/schema"]
