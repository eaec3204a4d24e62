"""The store's APIs as BlueKing's API gateway registers them: resources, pages, and an MCP server.

Made from the operations of the OpenAPI document. Calls come from the gateway on the backend forms,
where its `X-Bkapi-JWT` says who calls (`docs/operations.md`, gateway_resources).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from joblogs import __version__
from joblogs.errors import StoreError, Text, Unavailable

from .base import ApiView
from .fields import Json
from .openapi import COMPONENTS, OPERATIONS
from .urls import ROUTES

TIMEOUT_SECONDS = 60
MCP_SERVER = "job-logs"
TITLES = {
    "batch_get_job_instance_ip_log": "批量查询主机的作业执行日志",
    "get_job_instance_status": "查询作业执行状态",
    "get_job_instance_list": "查询作业实例列表",
    "get_job_instance_ip_log": "查询单台主机的执行日志",
    "get_step_instance_status": "查询步骤执行状态",
    "get_step_instance_detail": "查询步骤详情",
    "bkci_plugin_get_job_instance_status": "查询作业执行状态（蓝盾插件）",
    "bkci_plugin_batch_get_job_instance_execute_object_log": "批量查询执行对象日志（蓝盾插件）",
    "get_user_authorized_scopes": "查询应用可读的资源范围",
    "get_script_task_context": "查询脚本任务失败的上下文",
    "get_file_task_context": "查询文件分发任务失败的上下文",
    "batch_get_job_instance_execute_object_log": "批量查询执行对象日志",
}
"""What each API is called in Chinese."""
_DEPRECATED = "bk_biz_id"
_VALUE = re.compile(r"{\d}")
_SCOPE = ("bk_scope_type", "bk_scope_id")


@dataclass(frozen=True)
class Resource:
    """One operation at the gateway: of the user's form, or of the system's."""

    name: str
    version: str
    method: str
    view: type[ApiView]
    operation: Json
    is_system: bool

    @property
    def id(self) -> str:
        """Unique name: of the resource, of its page and of its MCP tool."""
        parts = ["v4"] * (self.version == "v4") + ["system"] * self.is_system
        return "_".join([*parts, str(self.operation["operationId"]).removeprefix("v4_")])

    @property
    def path(self) -> str:
        """Path at the gateway."""
        return f"/api/{self.version}/{'system/' if self.is_system else ''}{self.name}"

    @property
    def backend(self) -> str:
        """Path at the store, where the gateway's token counts."""
        return f"/api/job/{self.version}/job-execute/{self.name}"

    @property
    def title(self) -> Text:
        return Text(TITLES[self.name], self.operation["summary"])


def resources() -> Iterator[Resource]:
    """The resources in the order of the routes; version 1 takes no gateway's token."""
    for route in ROUTES:
        version, name = route.path.split("/")[2:4]
        for method in route.view.operations if version in ("v3", "v4") else ():
            operation = OPERATIONS[route.path, method.upper()]
            for is_system in (False, True):
                yield Resource(name, version, method, route.view, operation, is_system)


def resources_yaml() -> str:
    """`resources.yaml`: an OpenAPI 3.0 document with what the gateway wants to know."""
    paths: Json = {}
    for resource in resources():
        paths.setdefault(resource.path, {})[resource.method] = _registered(resource)
    info = {"version": __version__, "title": "job logs", "description": ""}
    return _yaml({"openapi": "3.0.1", "servers": [{"url": "/"}], "info": info, "paths": paths})


def _registered(resource: Resource) -> Json:
    operation, title = resource.operation, resource.title
    tags = [resource.version, "system" if resource.is_system else "open"]
    shape: Json = {
        "operationId": resource.id,
        "summary": title.zh,
        "description": f"{title.zh}。{title.en}. {_about(resource)}".strip(),
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


def _about(resource: Resource) -> str:
    """What the endpoint itself says, without the other forms of its path."""
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
    """A JSON Schema as OpenAPI 3.0 has it: one type, of an id that of its digits as a number."""
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
    """`definition.yaml`: the gateway, one stage whose backend is the store at `url`, its pages and
    an MCP server of what agents read. Who may use it is granted at the gateway."""
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


def pages() -> Iterator[tuple[str, str]]:
    """The pages of the resources in both languages: path below `docs`, and Markdown."""
    for resource in resources():
        yield f"zh/{resource.id}.md", _page(resource, _ZH)
        yield f"en/{resource.id}.md", _page(resource, _EN)


@dataclass(frozen=True)
class _Words:
    """Headings of a page in one language."""

    language: str
    field: str
    kind: str
    required: str
    meaning: str
    yes: str
    no: str
    parameters: str
    example: str
    answer: str
    errors: str
    code: str


_ZH = _Words(
    "zh", "字段", "类型", "必选", "描述", "是", "否", "请求参数", "请求参数示例", "返回结果",
    "错误码", "错误码",
)  # fmt: skip
_EN = _Words(
    "en", "field", "type", "required", "meaning", "yes", "no", "Parameters", "Example", "Answer",
    "Errors", "code",
)  # fmt: skip


def _page(resource: Resource, words: _Words) -> str:
    title = resource.title.en if words.language == "en" else resource.title.zh
    parts = [f"# {title}", f"`{resource.method.upper()} {resource.path}`", _about(resource)]
    parts += [f"## {words.parameters}", "\n".join(_table(_fields(resource), words))]
    if "requestBody" in resource.operation:
        example = resource.operation["requestBody"]["content"]["application/json"]["example"]
        text = json.dumps(example, ensure_ascii=False, indent=4)
        parts += [f"## {words.example}", f"```json\n{text}\n```"]
    answer = resource.view.operations[resource.method].answer
    if answer is not None:
        schema = COMPONENTS["schemas"][answer.__name__]
        required = schema.get("required", [])
        fields = [(name, shape, name in required) for name, shape in schema["properties"].items()]
        parts += [f"## {words.answer} (`data`)", "\n".join(_table(fields, words))]
    parts += [f"## {words.errors}", "\n".join(_errors(resource.view, words))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _fields(resource: Resource) -> list[tuple[str, Json, bool]]:
    registered = _registered(resource)
    if "requestBody" in registered:
        schema = registered["requestBody"]["content"]["application/json"]["schema"]
        return [
            (name, shape, name in schema["required"])
            for name, shape in schema["properties"].items()
        ]
    return [
        (each["name"], each["schema"] | {"description": each.get("description", "")},
         each["required"])
        for each in registered["parameters"]
    ]  # fmt: skip


def _table(fields: list[tuple[str, Json, bool]], words: _Words) -> Iterator[str]:
    yield f"| {words.field} | {words.kind} | {words.required} | {words.meaning} |"
    yield "|---|---|---|---|"
    for name, shape, required in fields:
        needed = words.yes if required else words.no
        text = str(shape.get("description", "")).replace("|", "\\|")
        yield f"| `{name}` | {_kind(shape)} | {needed} | {text} |"


def _kind(shape: Json) -> str:
    if "anyOf" in shape:
        return " or ".join(map(_kind, shape["anyOf"]))
    kind = shape.get("type")
    if kind == "array":
        return f"array of {_kind(shape.get('items', {}))}"
    if isinstance(kind, list):
        return " or ".join(kind)
    return str(kind or "object")


def _errors(view: type[ApiView], words: _Words) -> Iterator[str]:
    errors: dict[int, type[StoreError]] = {}
    every: tuple[type[StoreError], ...] = (Unavailable, *view.errors)
    for error in every:
        errors.setdefault(error.code, error)
    yield f"| {words.code} | {words.meaning} |"
    yield "|---|---|"
    for code, error in sorted(errors.items()):
        text = error.text.en if words.language == "en" else error.text.zh
        yield f"| {code} | {_VALUE.sub('…', text)} |"


class _Dumper(yaml.SafeDumper):
    """Dumper without aliases: other readers of YAML do not know all of them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(value: Json) -> str:
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
