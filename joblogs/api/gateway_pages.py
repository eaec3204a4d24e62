"""Documentation pages for BlueKing's API gateway, for each resource in Chinese and English."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from joblogs.errors import StoreError, Unavailable

from .base import ApiView
from .fields import Json
from .gateway_resources import Resource, about, registered, resources
from .gateway_texts import in_chinese
from .openapi import schema_of

_VALUE = re.compile(r"{\d}")


def pages() -> Iterator[tuple[str, str]]:
    """Yield the pages of the resources in both languages: path below `docs`, and Markdown."""
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
    array: str
    either: str

    def translated(self, text: str) -> str:
        """Return a description in this language."""
        return in_chinese(text) if self.language == "zh" else text


_ZH = _Words(
    "zh", "字段", "类型", "必选", "描述", "是", "否", "请求参数", "请求参数示例", "返回结果",
    "错误码", "错误码", "{} 数组", " 或 ",
)  # fmt: skip
_EN = _Words(
    "en", "field", "type", "required", "meaning", "yes", "no", "Parameters", "Example", "Answer",
    "Errors", "code", "array of {}", " or ",
)  # fmt: skip


def _page(resource: Resource, words: _Words) -> str:
    title = resource.title.en if words.language == "en" else resource.title.zh
    parts = [f"# {title}", f"`{resource.method.upper()} {resource.path}`"]
    parts += [words.translated(about(resource))]
    parts += [f"## {words.parameters}", "\n".join(_table(_fields(resource), words))]
    if "requestBody" in resource.operation:
        example = resource.operation["requestBody"]["content"]["application/json"]["example"]
        text = json.dumps(example, ensure_ascii=False, indent=4)
        parts += [f"## {words.example}", f"```json\n{text}\n```"]
    answer = resource.view.operations[resource.method].answer
    if answer is not None:
        schema = schema_of(answer)
        required = schema.get("required", [])
        fields = [(name, shape, name in required) for name, shape in schema["properties"].items()]
        parts += [f"## {words.answer} (`data`)", "\n".join(_table(fields, words))]
    parts += [f"## {words.errors}", "\n".join(_errors(resource.view, words))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _fields(resource: Resource) -> list[tuple[str, Json, bool]]:
    shape = registered(resource)
    if "requestBody" in shape:
        schema = shape["requestBody"]["content"]["application/json"]["schema"]
        return [
            (name, shape, name in schema["required"])
            for name, shape in schema["properties"].items()
        ]
    return [
        (each["name"], each["schema"] | {"description": each.get("description", "")},
         each["required"])
        for each in shape["parameters"]
    ]  # fmt: skip


def _table(fields: list[tuple[str, Json, bool]], words: _Words) -> Iterator[str]:
    yield f"| {words.field} | {words.kind} | {words.required} | {words.meaning} |"
    yield "|---|---|---|---|"
    for name, shape, required in fields:
        needed = words.yes if required else words.no
        text = words.translated(shape.get("description", "")).replace("|", "\\|")
        yield f"| `{name}` | {_kind(shape, words)} | {needed} | {text} |"


def _kind(shape: Json, words: _Words) -> str:
    if "anyOf" in shape:
        return words.either.join(_kind(one, words) for one in shape["anyOf"])
    kind = shape.get("type")
    if kind == "array":
        return words.array.format(_kind(shape.get("items", {}), words))
    if isinstance(kind, list):
        return words.either.join(kind)
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
