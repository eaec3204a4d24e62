"""Endpoints v4_get_script_task_context and v4_get_file_task_context: why a task failed on a host.

The answer is a list of texts, made for language models. What nobody said of the script is empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Annotated, Any, TypeVar

from django.http.response import HttpResponseBase
from msgspec import Meta, Struct
from rest_framework.request import Request

from joblogs import query
from joblogs.api.base import Operation, StepParams, StepView, read_entry
from joblogs.api.envelope import exchange_of, json_bytes, success
from joblogs.api.fields import (
    COUNT,
    ID,
    NUMBER,
    Parameter,
    Params,
    job_id_param,
    number_param,
    step_id_param,
    text_param,
)
from joblogs.api.parameters import at_least
from joblogs.audit import Channel
from joblogs.choices import ScriptLanguage, StepType
from joblogs.errors import (
    BadRequest,
    ExecuteObjectNotFound,
    ParameterInvalid,
    StepTypeUnsupported,
    Text,
)
from joblogs.models import StepInstance
from joblogs.query import FailedTransfer, StepHost

from .fields import CONTAINER_OBJECT, HOST_OBJECT

ERROR_LOG_MAX = 50_000
"""Characters of a log; of UTF-8 at most four times as many bytes."""
PARAMS_HIDDEN = "[Secure params ignored]"

_SCRIPT_TYPE = Text("脚本类型", "Script Type")
_SCRIPT_CONTENT = Text("脚本内容", "Script Content")
_SECURE_PARAM = Text("脚本参数是否为敏感参数", "Whether Script Parameters Are Sensitive")
_SCRIPT_PARAMS = Text("脚本参数", "Script Parameters")
_ERROR_LOG = Text(
    "报错信息（截取最多不超过5w字符的尾部行）", "Error Log (tail lines up to 50k characters)"
)
_ERROR_SOURCE = Text("文件任务错误根源", "File Task Error Source")
_UPLOAD_ERRORS = Text("源文件上传失败的机器与报错信息", "Source File Upload Error Details")
_DOWNLOAD_ERRORS = Text("目标机器下载失败的机器与报错信息", "Target File Download Error Details")

NO_ERROR = Text("任务未失败", "No error")
DOWNLOAD_FAILED = Text(
    "目标执行对象下载文件出错导致的任务失败", "Target execute object download file error"
)
UPLOAD_FAILED = Text("源文件上传出错导致的任务失败", "Source execute object upload file error")
BOTH_FAILED = Text(
    "源文件上传与目标执行对象下载文件均出错导致的任务失败",
    "Source execute object upload file error and Target execute object download file error",
)


def _whole(params: Params, field: str, *, least: int, text: Text) -> int:
    return at_least(params.get(field), least, text)


_count_param = Parameter(
    partial(_whole, least=0, text=BadRequest.EXECUTE_COUNT),
    COUNT,
    "This run of the step, and no earlier one.",
    required=True,
)
_batch_param = number_param("This rolling batch of it; none or below 1: any.")
_type_param = Parameter(
    partial(_whole, least=-(2**63), text=BadRequest.OBJECT_TYPE),
    NUMBER,
    "1 a host, 2 a container, of which there are none here.",
    required=True,
)
_object_param = Parameter(
    partial(_whole, least=1, text=BadRequest.OBJECT_ID), ID, "The host's id.", required=True
)
_mode_param = Parameter(
    partial(_whole, least=-(2**63), text=BadRequest.FILE_MODE),
    NUMBER,
    "0 upload, 1 download: the way that the host moved files.",
    required=True,
)


class TaskContextParams(StepParams, frozen=True, kw_only=True):
    """Parameters: one run of a step on one execute object."""

    job_instance_id: Annotated[int, job_id_param]
    step_instance_id: Annotated[int, step_id_param]
    execute_count: Annotated[int, _count_param]
    batch: Annotated[int | None, _batch_param]
    execute_object_type: Annotated[int, _type_param]
    execute_object_resource_id: Annotated[int, _object_param]

    @property
    def run(self) -> dict[str, Any]:
        """The run as queries take it."""
        batch = self.batch if self.batch is not None and self.batch > 0 else None
        return {"execute_count": self.execute_count, "batch": batch}


class ScriptContextParams(TaskContextParams, frozen=True, kw_only=True):
    """Parameters of a script's context."""

    content: Annotated[str | None, text_param("Taken as the log, which is not read then.")]


class FileContextParams(TaskContextParams, frozen=True, kw_only=True):
    """Parameters of a file transfer's context."""

    mode: Annotated[int, _mode_param]


class ContextField(Struct):
    """One fact of a task."""

    name: str
    value: str
    description: Annotated[str, Meta(description="What it is, in the language of the request.")]


class TaskContext(Struct):
    """Facts of a task, in a fixed order."""

    field_list: list[ContextField]


C = TypeVar("C", bound=TaskContextParams)


class _TaskContextView(StepView[C]):
    """Base view of a task's context: it finds the host in the run; a subclass tells the facts."""

    http_method_names = ["post"]
    errors = (*StepView.errors, StepTypeUnsupported, ExecuteObjectNotFound)

    def answer_step(self, request: Request, step: StepInstance, params: C) -> HttpResponseBase:
        if step.step_type == StepType.APPROVAL:
            raise StepTypeUnsupported
        if params.execute_object_type not in (HOST_OBJECT, CONTAINER_OBJECT):
            raise ParameterInvalid(None, "execute_object_type")
        host = None
        if params.execute_object_type == HOST_OBJECT:
            host = query.host_in_run(step, params.execute_object_resource_id, **params.run)
        if host is None:
            raise ExecuteObjectNotFound
        language = exchange_of(request._request).language
        facts = [
            ContextField(name, value, text.en if language == "en" else text.zh)
            for name, value, text in self.facts(request, step, host, params)
        ]
        return success(request._request, TaskContext(facts))

    def facts(
        self, request: Request, step: StepInstance, host: StepHost, params: C
    ) -> Iterable[tuple[str, str, Text]]:
        """Name, value and description of each fact; what it reads of logs is recorded."""
        raise NotImplementedError


class V4GetScriptTaskContext(_TaskContextView[ScriptContextParams]):
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
    """As many of the last bytes of a host's log as an answer can hold, from a whole character."""
    part = query.Range(tail=4 * ERROR_LOG_MAX + 1)
    for _, start, parts in query.script_range(step, [host], part):
        data = b"".join(parts)
        if start:
            while data and data[0] & 0xC0 == 0x80:
                data = data[1:]
        return data
    return b""


def _last_lines(text: str) -> str:
    """The last ERROR_LOG_MAX characters, from the beginning of a line if that is not all."""
    if len(text) <= ERROR_LOG_MAX:
        return text
    tail = text[-ERROR_LOG_MAX:]
    _, newline, rest = tail.partition("\n")
    return rest if newline else tail


class V4GetFileTaskContext(_TaskContextView[FileContextParams]):
    """View of the context of a file transfer to or from a host, by POST."""

    params_class = FileContextParams
    operations = {
        "post": Operation(
            summary="Why a file transfer failed on a host, for a language model",
            description="The failed uploads of the run and the failed downloads of the host, "
            "500 of each at most, as JSON in a text.",
            request=FileContextParams,
            example={
                "execute_count": 0,
                "execute_object_type": 1,
                "execute_object_resource_id": 101,
                "mode": 1,
            },
            answer=TaskContext,
        )
    }

    def facts(
        self, request: Request, step: StepInstance, host: StepHost, params: FileContextParams
    ) -> Iterable[tuple[str, str, Text]]:
        if step.step_type != StepType.FILE:
            raise StepTypeUnsupported
        if not query.files_in_run(step, host, mode=params.mode):
            raise ExecuteObjectNotFound
        failures = query.transfer_failures(step, host, **params.run)
        read = read_entry(request, step, hosts=1, channel=Channel.FILE_CONTEXT)
        read.end(failures.size)
        uploads, downloads = failures.uploads, failures.downloads
        unexplained = failures.unexplained()
        source = NO_ERROR
        if uploads:
            source, downloads = (BOTH_FAILED if unexplained else UPLOAD_FAILED), unexplained
        elif downloads:
            source = DOWNLOAD_FAILED
        english = exchange_of(request._request).language == "en"
        return (
            ("errorSource", source.en if english else source.zh, _ERROR_SOURCE),
            ("uploadFileErrorData", _as_text(map(_upload, uploads)), _UPLOAD_ERRORS),
            ("downloadFileErrorData", _as_text(map(_download, downloads)), _DOWNLOAD_ERRORS),
        )


def _as_text(entries: Iterable[dict[str, Any]]) -> str:
    return json_bytes(list(entries)).decode()


def _upload(failed: FailedTransfer) -> dict[str, Any]:
    return {
        **_source(failed),
        "sourceFilePath": failed.log.src_path,
        "errorLog": failed.error.decode(errors="replace"),
    }


def _download(failed: FailedTransfer) -> dict[str, Any]:
    log = failed.log
    return {
        **_source(failed),
        "targetExecuteObjectType": "HOST",
        "targetHostDescription": _host(log.dest_cloud_id, log.dest_ip or log.dest_ipv6),
        "targetContainerDescription": None,
        "targetFilePath": log.dest_path,
        "errorLog": failed.error.decode(errors="replace"),
    }


def _source(failed: FailedTransfer) -> dict[str, Any]:
    log = failed.log
    is_host = log.src_host_id is not None
    return {
        "sourceExecuteObjectType": "HOST" if is_host else None,
        "sourceHostDescription": _host(log.src_cloud_id, log.src_ip or log.src_ipv6)
        if is_host
        else None,
        "sourceContainerDescription": None,
    }


def _host(cloud: int | None, address: str | None) -> dict[str, str]:
    return {"cloudIp": f"{cloud or 0}:{address or ''}"}
