"""Errors of the API: one class per failure, one code per class.

Code raises them; only `api.envelope` renders them. Codes and both texts are those of BlueKing JOB;
`docs/api.md` lists them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple


class Text(NamedTuple):
    """NamedTuple of the text of an error in the two languages of the API."""

    zh: str
    en: str


class StoreError(Exception):
    """Base class of errors with a code. BlueKing's routes return them with HTTP 200."""

    code: ClassVar[int] = 1240002
    text: Text = Text("内部服务器异常", "Internal Server Error")

    def __init__(self, text: Text | None = None, *values: object) -> None:
        """`text` replaces that of the class; `values` fill its `{0}`, `{1}`, …"""
        if text is not None:
            self.text = text
        self.values = values
        super().__init__(self.message("en"))

    def message(self, language: str) -> str:
        """Return the message in `language`, `zh` or `en`."""
        text = self.text.en if language == "en" else self.text.zh
        return text.format(*self.values) if self.values else text


class Unavailable(StoreError):
    """Error: the store is temporarily unavailable (1240002)."""


class BadRequest(StoreError):
    """Error: the request is malformed (1240003)."""

    code = 1240003
    text = Text("错误的请求", "Bad Request")

    SCOPE_TYPE: ClassVar = Text("非法的资源范围类型", "Invalid bk_scope_type")
    SCOPE_ID: ClassVar = Text("非法的资源范围 ID", "Invalid bk_scope_id")
    BIZ_ID: ClassVar = Text("非法的业务 ID", "Invalid bk_biz_id")
    JOB_ID: ClassVar = Text("任务实例ID必须为正整数", "Job instance id must be a positive number")
    STEP_ID: ClassVar = Text("步骤实例ID必须为正整数", "Step instance id must be a positive number")
    HOST_ID: ClassVar = Text("非法的主机 ID", "Invalid host id")
    HOST_ID_MISSING: ClassVar = Text("主机 ID 不能为空", "Host id must not be null")
    CLOUD_ID: ClassVar = Text("管控区域 ID 非法", "Invalid BK-Net")
    IP: ClassVar = Text("IP 非法", "Invalid IP")
    LIST_OFFSET: ClassVar = Text(
        "最多只能查偏移量为 0-10000 的执行历史", "Offset must be in range: [0,10000]"
    )
    LIST_LENGTH: ClassVar = Text(
        "单次返回最大记录数量length必须在 1-200 之间",
        "The param 'length' must be in range: [1,200]",
    )
    SCOPES_OFFSET: ClassVar = Text(
        "分页起始偏移offset必须大于等于0", "Pagination offset must be greater than or equal to 0"
    )
    EXECUTE_COUNT: ClassVar = Text(
        "执行次数必须为非负整数", "Execute count must be a non-negative integer"
    )
    OBJECT_TYPE: ClassVar = Text("执行对象类型不能为空", "Execute object type cannot be empty")
    OBJECT_ID: ClassVar = Text(
        "执行对象资源ID必须为正整数", "Execute object resource id must be a positive number"
    )
    FILE_MODE: ClassVar = Text("文件分发任务模式不能为空", "File task mode cannot be empty")
    OBJECTS_SIZE: ClassVar = Text(
        "单次查询执行对象数量范围必须在 1-500 之间",
        "Query execute objects size must be between 1 and 500",
    )
    FIELD: ClassVar = Text("错误的请求 [{0}]", "Bad Request [{0}]")
    NOT_JSON: ClassVar = Text(
        "错误的请求 [JSON 第 {0} 行第 {1} 列]", "Bad Request [JSON line {0} column {1}]"
    )
    NOT_UTF8: ClassVar = Text("错误的请求 [UTF-8 字节 {0}]", "Bad Request [UTF-8 byte {0}]")
    FOLLOWED: ClassVar = Text(
        "错误的请求 [cursor 过大：请用 host_id_list 指定主机]",
        "Bad Request [the cursor gets too large: choose hosts by host_id_list]",
    )
    TOO_WIDE: ClassVar = Text(
        "请缩小范围：少于 3 字节的文本或没有固定文字的正则表达式，需指定作业名、主机或某一天",
        "Narrow the search: a text under 3 bytes or an expression without a literal needs a job "
        "name, a host or a single day",
    )
    TOO_DEEP: ClassVar = Text("错误的请求 [JSON 嵌套过深]", "Bad Request [JSON nested too deeply]")


class InvalidParameter(StoreError):
    """Error: a parameter has a value that this store does not know (1241005)."""

    code = 1241005
    text = Text("请求参数[{0}]不合法", "Invalid request parameter [{0}]")


class InvalidParameters(StoreError):
    """Error: valid parameters contradict each other (1241002)."""

    code = 1241002
    text = Text("请求参数不合法", "Invalid request parameters")


class UnsupportedOperation(StoreError):
    """Error: this type of step does not support the operation (1241003)."""

    code = 1241003
    text = Text("不支持的操作", "Unsupported operation")


class ParameterInvalid(StoreError):
    """Error: a parameter is missing or invalid (1241007)."""

    code = 1241007
    text = Text("请求参数[{0}]缺失或不合法", "Missing or invalid request parameter [{0}]")


class ParameterRefused(StoreError):
    """Error: a parameter is invalid, with the reason (1241010)."""

    code = 1241010
    text = Text("请求参数[{0}]不合法，原因：{1}", "Invalid request parameter [{0}], reason: {1}")

    KEYWORD: ClassVar = Text(
        "请求参数[keyword]不合法，原因：须为 1 至 {0} 个字符，且不能包含换行",
        "Invalid request parameter [keyword], reason: it must have 1 to {0} characters and no "
        "line break",
    )
    TOO_MUCH_TO_SEARCH: ClassVar = Text(
        "请求参数[keyword]不合法，原因：日志过多，无法在限定时间内搜索完，"
        "请使用 search_ip 或 batch 缩小范围",
        "Invalid request parameter [keyword], reason: the logs are too large to be searched in "
        "time; narrow the search with search_ip or batch",
    )


class HostListInvalid(StoreError):
    """Error: too many hosts are requested at once (1241007)."""

    code = 1241007
    text = Text(
        "请求参数[host_id_list/ip_list]缺失或不合法",
        "Missing or invalid request parameter [host_id_list/ip_list]",
    )

    TOO_MANY_IN_STEP: ClassVar = Text(
        "请求参数[host_id_list/ip_list]缺失或不合法：该步骤共有 {0} 台主机，超过 {1} 台，"
        "请指定主机列表，或使用 start/length 分页查询",
        "Missing or invalid request parameter [host_id_list/ip_list]: the step has {0} hosts, "
        "more than {1}; list the hosts, or page with start/length",
    )


class ScopeNotFound(StoreError):
    """Error: no such business or business set (1243049)."""

    code = 1243049
    text = Text(
        "业务/业务集不存在或已被归档",
        "Business/Business Set not exist or archived",
    )


class JobNotFound(StoreError):
    """Error: no such job in the scope, or no such step in the job (1244006). One class, so that a
    job of another scope cannot be distinguished from one that does not exist."""

    code = 1244006
    text = Text("作业实例不存在", "Task instance does not exist")


class StepNotFound(StoreError):
    """Error: the job has no such step (1244007), on routes that name a step."""

    code = 1244007
    text = Text("作业步骤实例不存在", "Task step instance does not exist")


class StepTypeUnsupported(StoreError):
    """Error: this type of step has no task context (1264001)."""

    code = 1264001
    text = Text("不支持的步骤类型", "Step type not supported")


class ExecuteObjectNotFound(StoreError):
    """Error: an execute object did not take part in the run (1264004)."""

    code = 1264004
    text = Text(
        "目标执行对象不存在，请检查任务及执行对象参数是否正确。",
        "Target execute object does not exist. Please check the task and the execute object.",
    )


class PermissionDenied(StoreError):
    """Error: the app has no grant for the scope (9900403)."""

    code = 9900403
    text = Text(
        "用户({0})权限不足，请前往权限中心确认并申请补充后重试",
        "User ({0}) permission not allowed",
    )

    def __init__(
        self, *, user: str, scope_type: str = "", scope_id: str = "", scope_name: str = ""
    ) -> None:
        self.scope_type, self.scope_id, self.scope_name = scope_type, scope_id, scope_name
        super().__init__(None, user)


class RecordsRefused(StoreError):
    """Error: some records of a body were refused, others accepted (1245409, docs/records.md)."""

    code = 1245409
    text = Text("{0} 条记录被拒绝", "Records refused: {0}")


class NothingSelected(StoreError):
    """Error: an export selects nothing, or names a host that is missing (1245404)."""

    code = 1245404
    text = Text("没有符合条件的日志", "No matching logs")

    HOST: ClassVar = Text("没有符合条件的日志 [{0} {1}]", "No matching logs [{0} {1}]")


class RangeNotSatisfiable(StoreError):
    """Error: a range is beyond the end of a log (1240003; HTTP 416 where bytes are served)."""

    code = 1240003
    text = Text(
        "请求的字节范围超出日志大小 {0}", "The range is beyond the end of the log ({0} bytes)"
    )

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(None, size)


class OffsetBeyondLog(StoreError):
    """Error: a follower's offset is beyond the end of the log (1245416, HTTP 416).

    The offset is of another log: of another attempt or batch, or one that has expired.
    """

    code = 1245416
    text = Text(
        "offset {0} 超出日志：执行次数 {1}、滚动批次 {2} 的日志有 {3} 字节，状态为 {4}",
        "Offset {0} is beyond the end of the log (attempt {1}, batch {2}: {3} bytes, {4})",
    )

    def __init__(self, *, offset: int, size: int, stands: Mapping[str, str]) -> None:
        """`stands` are the headers that identify the log."""
        self.size, self.stands = size, stands
        names = ("X-Log-Attempt", "X-Log-Batch", "X-Log-Size", "X-Log-State")
        super().__init__(None, offset, *(stands[name] for name in names))
