"""Builders of JSON Schema and of request descriptions in the OpenAPI document.

The numbers come from the code that they describe, so that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import IntegerChoices
from django.utils import translation

from joblogs.choices import ScopeType

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
INTEGER: Json = {"type": "integer"}
BOOLEAN: Json = {"type": "boolean"}
NOTHING: Json = {"type": "null"}
ADDRESS = TEXT | {"description": "An IPv4 or IPv6 address."}
# An id is an integer of JSON or its digits as a string: clients of every language send both.
ID: Json = {"type": ["integer", "string"], "minimum": 1, "pattern": "^[1-9][0-9]{0,15}$"}
COUNT: Json = {"type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]{1,15}$"}


def described(shape: Mapping[str, Any], text: str, **more: Any) -> Json:
    """A shape with what it means."""
    return {**shape, "description": text, **more}


def ref(name: str, kind: str = "schemas") -> Json:
    """A shape that is described once, under `components`."""
    return {"$ref": f"#/components/{kind}/{name}"}


def nullable(shape: Json, text: str = "") -> Json:
    """A shape or null."""
    if "$ref" in shape:
        schema: Json = {"oneOf": [shape, NOTHING]}
    else:
        kinds = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
        schema = shape | {"type": [*kinds, "null"]}
    return described(schema, text) if text else schema


def listed(items: Json, text: str = "", **more: Any) -> Json:
    """A list."""
    shape: Json = {"type": "array", "items": items, **more}
    return described(shape, text) if text else shape


def thing(
    properties: Mapping[str, Json], *, optional: Mapping[str, Json] | None = None, text: str = ""
) -> Json:
    """An object: its `properties` are always there, `optional` ones only sometimes.

    More keys may come later, so none is forbidden here; the tests forbid them.
    """
    shape: Json = {"type": "object", "properties": {**properties, **(optional or {})}}
    if properties:
        shape["required"] = list(properties)
    return described(shape, text) if text else shape


def choices(kind: type[IntegerChoices], text: str) -> Json:
    """An integer whose listed meanings are `kind`; another is passed on unchanged."""
    with translation.override("en"):
        meanings = ", ".join(f"{choice.value} {choice.label}" for choice in kind)
    return described(INTEGER, f"{text}: {meanings}. A number that is not listed may come too.")


SCOPE_FIELDS: dict[str, Json] = {
    "bk_scope_type": described(TEXT, "Kind of the scope.", enum=list(ScopeType.values)),
    "bk_scope_id": {
        "type": ["string", "integer"],
        "description": "Number of the scope. Compared exactly: 01 is not 1.",
    },
    "bk_biz_id": described(
        ID, "Deprecated; read only when both of the pair are absent.", deprecated=True
    ),
}
SCOPE_STATED: Json = {
    "anyOf": [{"required": ["bk_scope_type", "bk_scope_id"]}, {"required": ["bk_biz_id"]}]
}


def scope_body(required: Mapping[str, Json], optional: Mapping[str, Json], text: str = "") -> Json:
    """A request body that names a scope."""
    return thing(required, optional={**SCOPE_FIELDS, **optional}, text=text) | SCOPE_STATED


EXAMPLE: Json = {
    "bk_scope_type": "biz",
    "bk_scope_id": "2",
    "job_instance_id": 100,
    "step_instance_id": 200,
    "create_time_start": 1_700_000_000_000,
    "create_time_end": 1_700_086_400_000,
}


def body(shape: Json, **more: Any) -> Json:
    """A request body of JSON. Its example has the required fields, and `more`."""
    stated = ("bk_scope_type", "bk_scope_id", *shape.get("required", ()))
    example = {name: EXAMPLE[name] for name in stated} | more
    content = {"application/json": {"schema": shape, "example": example}}
    return {"required": True, "content": content}


def in_query(fields: Mapping[str, Json], *, required: Iterable[str] = ()) -> list[Json]:
    """Fields as parameters of a query string, where all is text."""
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": shape.get("description", ""),
            "deprecated": shape.get("deprecated", False),
            "schema": {
                key: shape[key] for key in shape if key not in ("description", "deprecated")
            },
        }
        for name, shape in fields.items()
    ]


def in_path(fields: Mapping[str, Json]) -> list[Json]:
    """Fields as parts of a path."""
    return [
        {"name": name, "in": "path", "required": True, "schema": shape}
        for name, shape in fields.items()
    ]
