"""Endpoint v4_get_file_task_context: why a file transfer failed on a host."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Annotated, Any

from rest_framework.request import Request

from joblogs import query
from joblogs.api.base import Operation, read_entry
from joblogs.api.exchange import exchange_of, json_bytes
from joblogs.api.fields import NUMBER, Parameter
from joblogs.audit import Channel
from joblogs.choices import StepType
from joblogs.errors import BadRequest, ExecuteObjectNotFound, StepTypeUnsupported, Text
from joblogs.models import StepInstance
from joblogs.query import FailedTransfer, StepHost

from .task_context import TaskContext, TaskContextParams, TaskContextView, required_number

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

_mode_param = Parameter(
    partial(required_number, least=-(2**63), text=BadRequest.FILE_MODE),
    NUMBER,
    "0 upload, 1 download: the way that the host moved files.",
    required=True,
)


class FileContextParams(TaskContextParams, frozen=True, kw_only=True):
    """Parameters of a file transfer's context."""

    mode: Annotated[int, _mode_param]


class V4GetFileTaskContext(TaskContextView[FileContextParams]):
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
