"""Chinese titles and descriptions of fields for the pages of BlueKing's API gateway.

The keys are the English descriptions of the OpenAPI document; `tests/management` checks that none
is missing here.
"""

from __future__ import annotations

import re

from django.utils import translation

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
"""Chinese titles of the APIs."""
DESCRIPTIONS = {
    "At most 500 hosts. Without a list every host of the step is answered "
    "for. Unknown fields are ignored.": (
        "最多 500 台主机。不给列表时返回该步骤的全部主机。未知字段被忽略。"
    ),
    "Kind of the scope.": "资源范围类型。",
    "Number of the scope. Compared exactly: 01 is not 1.": "资源范围 ID。精确比较：01 不是 1。",
    "The job.": "作业实例 ID。",
    "The step of the job.": "作业的步骤实例 ID。",
    "The hosts; with it `ip_list` is not looked at.": "主机 ID 列表；给出时不看 `ip_list`。",
    "Not recommended; use host_id_list.": "不推荐，请使用 host_id_list。",
    "First host of a page; only without a list.": "分页的起始主机；仅在不给列表时有效。",
    "Hosts of a page; only without a list.": "每页主机数；仅在不给列表时有效。",
    "First byte wanted of each script log.": "从每份脚本日志的第几个字节开始。",
    "Bytes wanted of each script log.": "每份脚本日志返回的字节数。",
    "The last bytes of each script log; not beside the two above.": (
        "每份脚本日志的最后若干字节；不能与上面两项同用。"
    ),
    "Only the lines that match; not beside a range.": "只返回匹配的行；不能与字节范围同用。",
    "Lines to show around each match.": "每处匹配前后显示的行数。",
    "Only up to this attempt; the first is 0.": "截至此次执行；第一次为 0。",
    "Only this rolling batch.": "仅此滚动批次。",
    "Tell how complete each log is.": "返回每份日志是否完整。",
    "With paging: hosts of the step.": "分页时：该步骤的主机数。",
    "With return_log_state: hosts that were named and are not in the step.": (
        "给出 return_log_state 时：被请求但不在该步骤中的主机。"
    ),
    "At most 500.": "最多 500 个。",
    "Hosts (type 1) by their ids.": "主机（类型 1），按 ID。",
    "With each host's result.": "返回每台主机的结果。",
    "The host; `host_id` is read too.": "主机 ID；也接受 `host_id`。",
    "The host, as BlueKing's page calls it.": "主机，按蓝鲸页面的叫法。",
    "Without an id: the cloud area, with ip or ipv6.": "没有 ID 时：管控区域，与 ip 或 ipv6 同用。",
    "An IPv4 or IPv6 address.": "IPv4 或 IPv6 地址。",
    "Null if there is only blank text.": "只有空白文本时为 null。",
    "The host's own files, then what the other sources of the step sent.": (
        "先是该主机自己的文件，然后是该步骤其他源发送的文件。"
    ),
    "Created at or after; milliseconds.": "创建时间下限（含），毫秒。",
    "Created at or before; at most 30 days on.": "创建时间上限（含）；与下限相差不超过 30 天。",
    "Only this job; nothing else but the span is read.": "仅此作业；除时间范围外不看其他条件。",
    "Who started it, exactly.": "执行人，精确匹配。",
    "A part of its name.": "作业名称的一部分。",
    "How it was started.": "启动方式。",
    "Kind of job.": "作业类型。",
    "Its status.": "作业状态。",
    "Of a host that took part.": "参与执行的某台主机的地址。",
    "Its schedule; none is kept here, so no job matches.": (
        "定时任务 ID；此处不保存，故没有作业匹配。"
    ),
    "First job of the page.": "分页的起始作业。",
    "Jobs of the page.": "每页作业数。",
    "Jobs that match.": "匹配的作业数。",
    "Newest first.": "最新的在前。",
    "With the result on each host.": "返回每台主机上的结果。",
    "1 script and SQL, 2 file transfer, 3 approval.": "1 脚本与 SQL，2 文件分发，3 人工确认。",
    "As it stood at this attempt.": "截至此次执行的情况。",
    "This rolling batch; 0 all of them; absent the latest.": (
        "此滚动批次；0 为全部；缺省为最新批次。"
    ),
    "Hosts listed of each group.": "每组列出的主机数。",
    "Only hosts whose script log has it.": "仅脚本日志含此文本的主机。",
    "Only hosts whose address has this part.": "仅地址含此部分的主机。",
    "List the hosts of groups of this status only.": "仅列出此状态的分组的主机。",
    "List the hosts of groups of this tag only.": "仅列出此标签的分组的主机。",
    "Milliseconds since the epoch.": "Unix 时间戳，毫秒。",
    "At most 50 hosts; no key is null. The first list that is not empty counts.": (
        "最多 50 台主机；没有键为 null。以第一个非空的列表为准。"
    ),
    "Containers are not kept here: no entries.": "此处不保存容器：没有条目。",
    "1 of scripts and SQL, 2 of files.": "1 脚本与 SQL，2 文件。",
    "The failed uploads of the run and the failed downloads of the host, "
    "500 of each at most, as JSON in a text.": (
        "该次执行失败的上传与该主机失败的下载，各最多 500 个，为 JSON 文本。"
    ),
    "This run of the step, and no earlier one.": "步骤的此次执行，不含更早的执行。",
    "This rolling batch of it; none or below 1: any.": (
        "其中的此滚动批次；缺省或小于 1 为任意批次。"
    ),
    "1 a host, 2 a container, of which there are none here.": "1 主机，2 容器（此处没有）。",
    "The host's id.": "主机 ID。",
    "0 upload, 1 download: the way that the host moved files.": (
        "0 上传，1 下载：该主机传输文件的方向。"
    ),
    "No key is null: what is not known is left out. There is no total.": (
        "没有键为 null：未知的键不返回。没有总数。"
    ),
    "Created at or before; milliseconds.": "创建时间上限（含），毫秒。",
    "Only this job; nothing else is looked at.": "仅此作业；不看其他条件。",
    "Jobs before the page.": "分页之前的作业数。",
    "No key is null: what is not known is left out.": "没有键为 null：未知的键不返回。",
    "The script's text is not kept here. The log's last 50,000 characters at most.": (
        "此处不保存脚本内容。日志最多返回最后 50,000 个字符。"
    ),
    "Taken as the log, which is not read then.": "以此作为日志，不再读取保存的日志。",
    "Rights are the app's, or what its token leaves of them.": (
        "权限为应用的权限，或其令牌保留的部分。"
    ),
    "Scopes before the page.": "分页之前的资源范围数。",
    "Scopes of the page.": "每页资源范围数。",
    "Scopes that it may read.": "可读的资源范围数。",
    "By type and id.": "按类型与 ID 排序。",
    "Kind": "类型",
    "Status": "状态",
}
_ENUMERATION = re.compile(r"(\w+): ([0-9]+ .+)\. A number that is not listed may come too\.")


def in_chinese(text: str) -> str:
    """Return a description in Chinese; for an enumeration, with the translated labels of pages."""
    if match := _ENUMERATION.fullmatch(text):
        numbers = [entry.partition(" ")[::2] for entry in match[2].split(", ")]
        with translation.override("zh-hans"):
            words = "，".join(f"{number} {translation.gettext(word)}" for number, word in numbers)
        return f"{DESCRIPTIONS[match[1]]}：{words}。也可能出现未列出的数值。"
    return DESCRIPTIONS.get(text, text)
