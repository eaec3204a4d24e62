"""Endpoint v4_get_script_task_context: why a script failed on a host."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from rest_framework.request import Request

from joblogs import query
from joblogs.api.base import Operation, read_entry
from joblogs.api.fields import text_param
from joblogs.audit import Channel
from joblogs.choices import ScriptLanguage, StepType
from joblogs.errors import ExecuteObjectNotFound, Text
from joblogs.models import StepInstance
from joblogs.query import StepHost

from .task_context import TaskContext, TaskContextParams, TaskContextView

ERROR_LOG_MAX = 50_000
"""Most characters of a log; in UTF-8 at most four times as many bytes."""
PARAMS_HIDDEN = "[Secure params ignored]"

_SCRIPT_TYPE = Text("脚本类型", "Script Type")
_SCRIPT_CONTENT = Text("脚本内容", "Script Content")
_SECURE_PARAM = Text("脚本参数是否为敏感参数", "Whether Script Parameters Are Sensitive")
_SCRIPT_PARAMS = Text("脚本参数", "Script Parameters")
_ERROR_LOG = Text(
    "报错信息（截取最多不超过5w字符的尾部行）", "Error Log (tail lines up to 50k characters)"
)


class ScriptContextParams(TaskContextParams, frozen=True, kw_only=True):
    """Parameters of a script's context."""

    content: Annotated[str | None, text_param("Taken as the log, which is not read then.")]


class V4GetScriptTaskContext(TaskContextView[ScriptContextParams]):
    """View of the context of a script on a host, by POST."""

    params_class = ScriptContextParams
    operations = {
        "post": Operation(
            summary="Why a script failed on a host, for a language model",
            description=f"The script's text is not kept here. The log's last {ERROR_LOG_MAX:,} "
            "characters at most.",
            request=ScriptContextParams,
            example={
                "execute_count": 0,
                "execute_object_type": 1,
                "execute_object_resource_id": 102,
            },
            answer=TaskContext,
        )
    }

    def facts(
        self, request: Request, step: StepInstance, host: StepHost, params: ScriptContextParams
    ) -> Iterable[tuple[str, str, Text]]:
        if step.step_type == StepType.FILE:
            raise ExecuteObjectNotFound
        sensitive = bool(step.script_param_sensitive)
        error = params.content
        if error is None:
            read = read_entry(request, step, hosts=1, channel=Channel.SCRIPT_CONTEXT)
            data = _tail(step, host)
            read.end(len(data))
            error = data.decode(errors="replace")
        return (
            ("scriptType", _script_type(step), _SCRIPT_TYPE),
            ("scriptContent", "", _SCRIPT_CONTENT),
            ("secureParam", "true" if sensitive else "false", _SECURE_PARAM),
            (
                "scriptParams",
                PARAMS_HIDDEN if sensitive else step.script_param or "",
                _SCRIPT_PARAMS,
            ),
            ("errorLog", _last_lines(error), _ERROR_LOG),
        )


def _script_type(step: StepInstance) -> str:
    if step.step_type == StepType.SQL:
        return ScriptLanguage.SQL.label
    language = step.script_language
    return "" if language is None else ScriptLanguage(language).label


def _tail(step: StepInstance, host: StepHost) -> bytes:
    """Return the last bytes of a host's log that may be needed, from the start of a character."""
    part = query.Range(tail=4 * ERROR_LOG_MAX + 1)
    for _, start, parts in query.script_range(step, [host], part):
        data = b"".join(parts)
        if start:
            while data and data[0] & 0xC0 == 0x80:
                data = data[1:]
        return data
    return b""


def _last_lines(text: str) -> str:
    """Return the last ERROR_LOG_MAX characters, from the start of a line if the text is longer."""
    if len(text) <= ERROR_LOG_MAX:
        return text
    tail = text[-ERROR_LOG_MAX:]
    _, newline, rest = tail.partition("\n")
    return rest if newline else tail
