"""Configuration to register the API with BlueKing's API gateway: resources and an MCP server.

Generated from the operations of the OpenAPI document. The gateway calls the backend paths, where
its `X-Bkapi-JWT` names the caller (`docs/operations.md`, gateway_resources).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from joblogs import __version__
from joblogs.errors import Text

from .base import ApiView
from .fields import Json
from .gateway_texts import TITLES
from .openapi import OPERATIONS
from .urls import ROUTES

TIMEOUT_SECONDS = 60
MCP_SERVER = "job-logs"
_DEPRECATED = "bk_biz_id"
_SCOPE = ("bk_scope_type", "bk_scope_id")


@dataclass(frozen=True)
class Resource:
    """One operation at the gateway, in the form for users or in that for systems."""

    name: str
    version: str
    method: str
    view: type[ApiView]
    operation: Json
    is_system: bool

    @property
    def id(self) -> str:
        """Unique name of the resource, of its page and of its MCP tool."""
        parts = ["v4"] * (self.version == "v4") + ["system"] * self.is_system
        return "_".join([*parts, str(self.operation["operationId"]).removeprefix("v4_")])

    @property
    def path(self) -> str:
        """Path at the gateway."""
        return f"/api/{self.version}/{'system/' if self.is_system else ''}{self.name}"

    @property
    def backend(self) -> str:
        """Path at the store, in a form for which the gateway's token is verified."""
        return f"/api/job/{self.version}/job-execute/{self.name}"

    @property
    def title(self) -> Text:
        return Text(TITLES[self.name], self.operation["summary"])


def resources() -> Iterator[Resource]:
    """Yield the resources in the order of the routes; version 1 accepts no gateway tokens."""
    for route in ROUTES:
        version, name = route.path.split("/")[2:4]
        for method in route.view.operations if version in ("v3", "v4") else ():
            operation = OPERATIONS[route.path, method.upper()]
            for is_system in (False, True):
                yield Resource(name, version, method, route.view, operation, is_system)


def resources_yaml() -> str:
    """Return `resources.yaml`: an OpenAPI 3.0 document with the gateway's extensions."""
    paths: Json = {}
    for resource in resources():
        paths.setdefault(resource.path, {})[resource.method] = registered(resource)
    info = {"version": __version__, "title": "job logs", "description": ""}
    return _yaml({"openapi": "3.0.1", "servers": [{"url": "/"}], "info": info, "paths": paths})


def registered(resource: Resource) -> Json:
    operation, title = resource.operation, resource.title
    tags = [resource.version, "system" if resource.is_system else "open"]
    shape: Json = {
        "operationId": resource.id,
        "summary": title.zh,
        "description": f"{title.zh}。{title.en}. {about(resource)}".strip(),
        "tags": tags,
    }
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        shape["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _body(content["schema"])}},
        }
    else:
        shape["parameters"] = list(_parameters(operation["parameters"]))
    return shape | {
        "responses": {"default": {"description": ""}},
        "x-bk-apigateway-resource": {
            "isPublic": not resource.is_system,
            "allowApplyPermission": not resource.is_system,
            "matchSubpath": False,
            "enableWebsocket": False,
            "backend": {
                "name": "default",
                "method": resource.method,
                "path": resource.backend,
                "matchSubpath": False,
                "timeout": 0,
            },
            "pluginConfigs": [],
            "authConfig": {
                "userVerifiedRequired": not resource.is_system,
                "appVerifiedRequired": True,
                "resourcePermissionRequired": True,
            },
            "descriptionEn": title.en,
        },
    }


def about(resource: Resource) -> str:
    """Return the description of the endpoint, without the other forms of its path."""
    method = resource.view.operations[resource.method]
    return method.description


def _body(schema: Json) -> Json:
    properties = {
        name: _older(shape) for name, shape in schema["properties"].items() if name != _DEPRECATED
    }
    scope = [name for name in _SCOPE if name in properties]
    return {
        "type": "object",
        "properties": properties,
        "required": [*scope, *schema.get("required", [])],
    }


def _parameters(parameters: list[Json]) -> Iterator[Json]:
    for parameter in parameters:
        name = parameter["name"]
        if name != _DEPRECATED:
            required = parameter["required"] or name in _SCOPE
            yield parameter | {"required": required, "schema": _older(parameter["schema"])}


def _older(shape: Any) -> Any:
    """Return a JSON Schema converted to OpenAPI 3.0: one type only, for an id the integer."""
    if isinstance(shape, list):
        return [_older(item) for item in shape]
    if not isinstance(shape, dict):
        return shape
    made = {key: _older(value) for key, value in shape.items()}
    kinds = shape.get("type")
    if isinstance(kinds, list):
        made["type"] = next(kind for kind in kinds if kind != "null")
        if "null" in kinds:
            made["nullable"] = True
        if made["type"] == "integer":
            made.pop("pattern", None)
            if "enum" in made:
                made["enum"] = [value for value in made["enum"] if isinstance(value, int)]
    if "const" in made:
        made["enum"] = [made.pop("const")]
    return made


def definition_yaml(url: str) -> str:
    """Return `definition.yaml`: the gateway, one stage with the store at `url` as backend, pages
    and an MCP server with tools for agents. Access is granted at the gateway."""
    tools = [each.id for each in resources() if each.version == "v4" and not each.is_system]
    config = {
        "timeout": TIMEOUT_SECONDS,
        "loadbalance": "roundrobin",
        "hosts": [{"host": url, "weight": 100}],
    }
    server = {
        "name": MCP_SERVER,
        "title": "作业日志",
        "description": "作业执行状态与日志 / How jobs went and what they printed",
        "status": 1,
        "is_public": False,
        "protocol_type": "streamable_http",
        "resource_names": tools,
    }
    stage = {
        "name": "prod",
        "description": "作业日志",
        "description_en": "Job logs",
        "vars": {},
        "backends": [{"name": "default", "config": config}],
        "mcp_servers": [server],
    }
    return _yaml(
        {
            "spec_version": 2,
            "release": {"version": __version__, "title": __version__, "comment": "job logs"},
            "apigateway": {
                "description": "作业执行日志的存储",
                "description_en": "A store for what jobs print",
                "is_public": True,
                "api_type": 10,
                "maintainers": ["admin"],
                "allow_auth_from_params": False,
            },
            "stages": [stage],
            "resource_docs": {"basedir": "docs"},
        }
    )


class _Dumper(yaml.SafeDumper):
    """YAML dumper without aliases, which not all parsers support."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(value: Json) -> str:
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
