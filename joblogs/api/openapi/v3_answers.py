"""OpenAPI schemas of the answers of version 3, but for the batch endpoint."""

from __future__ import annotations

from joblogs.choices import HostStatus, LaunchMode, RunStatus, StepType, TaskType

from .shapes import (
    ADDRESS,
    BOOLEAN,
    INTEGER,
    NOTHING,
    TEXT,
    Json,
    choices,
    described,
    listed,
    nullable,
    ref,
    thing,
)

TIMES: dict[str, Json] = {
    "create_time": described(INTEGER, "Milliseconds since the epoch."),
    "start_time": nullable(INTEGER),
    "end_time": nullable(INTEGER),
    "total_time": nullable(INTEGER, "Milliseconds."),
}
SCOPE: dict[str, Json] = {
    "bk_biz_id": nullable(INTEGER, "The old notation; null where there is none."),
    "bk_scope_type": TEXT,
    "bk_scope_id": TEXT,
}
TARGET: dict[str, Json] = {
    "bk_host_id": INTEGER,
    "ip": nullable(ADDRESS),
    "bk_cloud_id": INTEGER,
    "status": choices(HostStatus, "Status"),
    "tag": TEXT,
    "exit_code": nullable(INTEGER),
    "start_time": nullable(INTEGER),
    "end_time": nullable(INTEGER),
    "total_time": nullable(INTEGER),
}
STEP: dict[str, Json] = {
    "step_instance_id": INTEGER,
    "execute_count": INTEGER,
    "name": TEXT,
    "type": choices(StepType, "Kind"),
    "status": choices(RunStatus, "Status"),
    **TIMES,
}
JOB: dict[str, Json] = {
    **SCOPE,
    "job_instance_id": INTEGER,
    "name": TEXT,
    "status": choices(RunStatus, "Status"),
    **TIMES,
}
JOB_STATUS = thing(
    {
        "finished": BOOLEAN,
        "job_instance": thing(JOB),
        "step_instance_list": listed(
            thing(
                {
                    **STEP,
                    "step_ip_result_list": nullable(
                        listed(thing({**TARGET, "error_code": nullable(INTEGER)})),
                        "Null unless return_ip_result; of a file step its targets.",
                    ),
                }
            )
        ),
    }
)
JOB_LIST = thing(
    {
        "start": INTEGER,
        "length": INTEGER,
        "total": described(INTEGER, "Jobs that match."),
        "data": listed(
            thing(
                {
                    **JOB,
                    "job_plan_id": NOTHING,
                    "job_template_id": NOTHING,
                    "operator": TEXT,
                    "launch_mode": choices(LaunchMode, "How it was started"),
                    "type": choices(TaskType, "Kind"),
                }
            ),
            "Newest first.",
        ),
    }
)
HOST_LOG = thing(
    {
        "log_type": nullable(INTEGER, "1 script and SQL, 2 files, null for an approval."),
        "bk_host_id": nullable(INTEGER),
        "bk_cloud_id": nullable(INTEGER),
        "ip": nullable(ADDRESS),
        "log_content": nullable(TEXT, "Null if there is only blank text."),
        "file_logs": nullable(
            listed(ref("FileLog")),
            "The host's own files, then what the other sources of the step sent.",
        ),
    }
)
GROUP = thing(
    {
        "result_type": choices(HostStatus, "Status of these hosts"),
        "result_type_desc": TEXT,
        "tag": TEXT,
        "host_size": INTEGER,
        "host_result_list": listed(
            thing(
                {
                    **TARGET,
                    "ipv6": nullable(ADDRESS),
                    "bk_agent_id": NOTHING,
                    "bk_cloud_name": NOTHING,
                    "status_desc": TEXT,
                }
            )
        ),
    },
    text="Hosts of one status and tag.",
)
STEP_STATUS = thing({**STEP, "step_result_group_list": listed(GROUP)})

MACHINE = thing(
    {
        "bk_host_id": INTEGER,
        "bk_cloud_id": nullable(INTEGER),
        "bk_cloud_name": NOTHING,
        "ip": nullable(ADDRESS),
        "ipv6": nullable(ADDRESS),
        "bk_agent_id": NOTHING,
        "alive": NOTHING,
    }
)


def _nulls(*names: str) -> dict[str, Json]:
    return dict.fromkeys(names, NOTHING)


SERVER = thing(
    {**_nulls("variable", "dynamic_group_list", "topo_node_list"), "ip_list": listed(MACHINE)}
)
SCRIPT_INFO = thing(
    {
        **_nulls("script_type", "script_id", "script_version_id", "script_content"),
        "script_language": nullable(INTEGER, "6 for SQL, else not known."),
        **_nulls("script_param", "windows_interpreter", "script_timeout", "account"),
        "server": SERVER,
        **_nulls("is_param_sensitive", "is_ignore_error"),
    }
)
FILE_SOURCE = thing(
    {
        "file_list": listed(TEXT),
        "account": NOTHING,
        "server": {"oneOf": [SERVER, NOTHING]},
        "file_type": described(INTEGER, "1 a server's file, 3 a third party's.", enum=[1, 3]),
        **_nulls("file_source_id", "file_source_code"),
    }
)
DESTINATION = thing({"path": nullable(TEXT), "account": NOTHING, "server": SERVER})
FILE_INFO = thing(
    {
        "file_source_list": listed(FILE_SOURCE),
        "file_destination": DESTINATION,
        **_nulls("timeout", "source_speed_limit", "destination_speed_limit"),
        **_nulls("transfer_mode", "is_ignore_error"),
    }
)
APPROVAL = thing(_nulls("approval_type", "approval_user", "approval_message", "notify_channel"))
STEP_DETAIL = thing(
    {
        "id": INTEGER,
        "name": TEXT,
        "type": described(choices(StepType, ""), "1 script and SQL, 2 file transfer, 3 approval."),
        "script_info": {"oneOf": [SCRIPT_INFO, NOTHING]},
        "file_info": {"oneOf": [FILE_INFO, NOTHING]},
        "approval_info": {"oneOf": [APPROVAL, NOTHING]},
    },
    text="What is the executor's is null.",
)
