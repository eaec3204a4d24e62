"""Fields of requests and responses, with their readers and descriptions.

A request is a struct whose fields are annotated with a `Parameter` or `ParameterGroup`, by which
`read` reads them and the OpenAPI document describes them. Responses are structs with described
fields.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeVar, get_type_hints

import msgspec
from django.db.models import IntegerChoices
from django.http import HttpRequest
from django.utils import translation
from msgspec import NODEFAULT, UNSET, Meta, UnsetType

from joblogs.choices import ScopeType
from joblogs.errors import BadRequest

from .parameters import (
    flag,
    optional_integer,
    optional_text,
    parameters,
    required_id,
    scope_named,
)

Json = dict[str, Any]
Params = Mapping[str, Any]
R = TypeVar("R", bound=msgspec.Struct)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Parameter:
    """Annotation of a request's field: its reader, and the JSON Schema of accepted values."""

    read: Callable[[Params, str], Any]
    shape: Json
    description: str = ""
    required: bool = False

    def shapes(self, name: str) -> dict[str, Json]:
        about = {"description": self.description} if self.description else {}
        return {name: self.shape | about}


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    """Annotation of a request's field that is read from several parameters, with the JSON Schema of
    each, and the names of those required."""

    read: Callable[[Params], Any]
    fields: dict[str, Json]
    required: tuple[str, ...] = ()

    def shapes(self, name: str) -> dict[str, Json]:
        return self.fields


def read(kind: type[R], params: Params) -> R:
    """Read a request from its parameters, field by field in order.

    A field with a default is read only if one of its parameters is given. Raise the errors of the
    readers.
    """
    values, optional = {}, _optional(kind)
    for name, param in params_of(kind).items():
        if name in optional and optional[name].isdisjoint(params):
            continue
        if isinstance(param, ParameterGroup):
            values[name] = param.read(params)
        else:
            values[name] = param.read(params, name)
    return kind(**values)


def read_query(kind: type[R], request: HttpRequest, *, repeated: Collection[str] = ()) -> R:
    """Read a request from a query string.

    Also raise BadRequest for an unknown parameter, because a misspelt filter would select
    everything, and for one that is given twice and is not in `repeated`.
    """
    known = shapes_of(kind)
    for name in parameters(request):
        if name not in known or (name not in repeated and len(request.GET.getlist(name)) > 1):
            raise BadRequest(BadRequest.FIELD, name)
    return read(kind, request.GET)


@functools.cache
def params_of(kind: type[msgspec.Struct]) -> dict[str, Parameter | ParameterGroup]:
    """Return the annotation of each field of a request."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: hints[name].__metadata__[-1] for name in kind.__struct_fields__}


@functools.cache
def _optional(kind: type[msgspec.Struct]) -> dict[str, frozenset[str]]:
    """Return the parameters of each field that has a default."""
    defaults = {
        field.name for field in msgspec.structs.fields(kind) if field.default is not NODEFAULT
    }
    params = params_of(kind).items()
    return {name: frozenset(param.shapes(name)) for name, param in params if name in defaults}


def shapes_of(kind: type[msgspec.Struct]) -> dict[str, Json]:
    """Return the JSON Schema of each parameter of a request."""
    params = params_of(kind).items()
    return {key: shape for name, param in params for key, shape in param.shapes(name).items()}


def required_of(kind: type[msgspec.Struct]) -> list[str]:
    """Return the required parameters of a request."""
    names: list[str] = []
    for name, param in params_of(kind).items():
        names += param.required if isinstance(param, ParameterGroup) else [name] * param.required
    return names


def nested(kind: type[msgspec.Struct]) -> ParameterGroup:
    """Return the annotation of a request's field that is itself a struct of parameters."""
    return ParameterGroup(partial(read, kind), shapes_of(kind))


def described(shape: Json, text: str, **more: Any) -> Json:
    """Return a JSON Schema with a description."""
    return {**shape, "description": text, **more}


# An id is a JSON integer or a string of digits: clients send both.
ID: Json = {"type": ["integer", "string"], "minimum": 1, "pattern": "^[1-9][0-9]{0,15}$"}
COUNT: Json = {"type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]{1,15}$"}
NUMBER: Json = {"type": ["integer", "string"], "pattern": "^-?[0-9]{1,15}$"}
TEXT: Json = {"type": "string"}
ADDRESS = described(TEXT, "An IPv4 or IPv6 address.")
NAMED_HOST: Json = {
    "type": "object",
    "description": "A host by its id, else by cloud area and address.",
    "properties": {
        "bk_cloud_id": described(COUNT, "Cloud area; required with an address."),
        "ip": ADDRESS,
        "ipv6": ADDRESS,
        "bk_host_id": described(ID, "With it the other fields are not read."),
    },
}
SCOPE = ParameterGroup(
    scope_named,
    {
        "bk_scope_type": described(TEXT, "Kind of the scope.", enum=list(ScopeType.values)),
        "bk_scope_id": {
            "type": ["string", "integer"],
            "description": "Number of the scope. Compared exactly: 01 is not 1.",
        },
        "bk_biz_id": described(
            ID, "Deprecated; read only when both of the pair are absent.", deprecated=True
        ),
    },
)
"""Parameters by which requests of versions 3 and 4 name their scope."""

required_id_param = partial(Parameter, required_id, ID, required=True)
count_param = partial(Parameter, partial(optional_integer, least=0), COUNT)
number_param = partial(Parameter, optional_integer, NUMBER)
text_param = partial(Parameter, optional_text, TEXT)
job_id_param = Parameter(
    partial(required_id, text=BadRequest.JOB_ID), ID, "The job.", required=True
)
step_id_param = Parameter(
    partial(required_id, text=BadRequest.STEP_ID), ID, "The step of the job.", required=True
)
flag_param = partial(Parameter, flag, {"type": "boolean"})

Address = Annotated[str, Meta(description="An IPv4 or IPv6 address.")]


def number_of(kind: type[IntegerChoices], text: str) -> Meta:
    """Return the description of a number with the choices `kind`; other numbers are unchanged."""
    with translation.override("en"):
        meanings = ", ".join(f"{choice.value} {choice.label}" for choice in kind)
    return Meta(description=f"{text}: {meanings}. A number that is not listed may come too.")


def header(text: str, **shape: Any) -> Json:
    """Return the OpenAPI description of a header that a response always has."""
    return {"description": text, "required": True, "schema": TEXT | shape}


def constant(value: str | int | bool | None) -> Meta:
    """Return the description of a key that always has this value."""
    return Meta(extra_json_schema={"const": value})


def or_unset(value: V | None) -> V | UnsetType:
    """Return UNSET instead of None, so that the key is left out."""
    return UNSET if value is None else value
