"""Names of the statuses of host results in responses, in two languages.

These are BlueKing JOB's names. The pages have names of their own, in the translations.
"""

from __future__ import annotations

from joblogs.errors import Text

_UNKNOWN = Text("未知", "Unknown")
_NAMES = {
    0: Text("未知错误", "Unknown Error"),
    1: Text("Agent 异常", "Abnormal Agent"),
    2: Text("无效执行对象", "Invalid Execute Object"),
    3: Text("上次已成功", "Successful Last Time"),
    5: Text("等待执行", "Waiting"),
    7: Text("正在执行", "Running"),
    9: Text("执行成功", "Success"),
    11: Text("任务失败", "Failed"),
    12: Text("任务下发失败", "Task send failed"),
    13: Text("任务超时", "Task Timeout"),
    15: Text("任务日志错误", "Error in Log"),
    16: Text("脚本日志超时", "Script Log Timeout"),
    17: Text("文件日志超时", "File Log Timeout"),
    18: Text("Agent 未安装", "Agent not installed"),
    101: Text("脚本执行失败", "Script Execution Failed"),
    102: Text("脚本执行超时", "Script Execution Timeout"),
    103: Text("脚本执行被终止", "Script Execution Terminated"),
    104: Text("脚本返回码非零", "Non-zero Exit Code"),
    202: Text("文件传输失败", "File Transmission Failed"),
    203: Text("源文件不存在", "Source File Not Exists"),
    301: Text("文件任务未分类错误", "Unclassified File Failure"),
    303: Text("执行任务超时", "File Transmission Timeout"),
    310: Text("Agent 异常", "Abnormal Agent"),
    311: Text("用户名不存在", "User not exist"),
    312: Text("用户密码不正确", "User password incorrect"),
    320: Text("文件获取失败", "File pull failed"),
    321: Text("文件超出限制", "File size exceeds limit"),
    329: Text("文件传输错误", "File Transmission Error"),
    399: Text("任务执行出错", "Execution Error"),
    403: Text("任务强制终止成功", "Force Terminated"),
    404: Text("任务强制终止失败", "Force Terminate Failed"),
    500: _UNKNOWN,
}


def name_of(status: int, *, language: str) -> str:
    """Return the name of a host result's status; "Unknown" for a number that is not listed."""
    text = _NAMES.get(status, _UNKNOWN)
    return text.en if language == "en" else text.zh
