"""get_step_instance_detail: what the store knows of a step; of the rest what JOB's clients take."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.get_requests import Ask, data_of, error_of
from tests.builders import Fields, file_log, job, load, result, step

NAME = "get_step_instance_detail"


@pytest.fixture(autouse=True)
def _db(db: None) -> None:
    pass


def ip(host: int, **fields: Any) -> dict[str, Any]:
    return {
        "bk_host_id": host,
        "bk_cloud_id": 0,
        "bk_cloud_name": None,
        "ip": f"10.0.0.{host}",
        "ipv6": None,
        "bk_agent_id": None,
        "alive": None,
    } | fields


def server(*ips: dict[str, Any]) -> dict[str, Any]:
    unknown = {"dynamic_group_list": None, "topo_node_list": None}
    return {"variable": None, "ip_list": list(ips), **unknown}


def account(name: str | None) -> dict[str, Any]:
    return {"id": 0, "name": name, "alias": None}


@pytest.mark.parametrize(("kind", "language"), [(1, 1), (4, 6)])
def test_a_script_step_has_its_targets_and_sql_is_a_script(
    ask: Ask, kind: int, language: int
) -> None:
    load(
        job(),
        step(step_type=kind),
        result(102, ip=None, ipv6="fd00::7", bk_cloud_id=3),
        result(101, ip="10.0.9.9"),
        result(101, execute_count=1, ip="10.0.0.101"),
    )
    assert data_of(ask, NAME) == {
        "id": 200,
        "name": "restart",
        "type": 1,
        "script_info": {
            "script_type": 1,
            "script_id": None,
            "script_version_id": None,
            "script_content": "",
            "script_language": language,
            "script_param": None,
            "windows_interpreter": None,
            "script_timeout": 0,
            "account": account(None),
            "server": server(ip(101), ip(102, ip=None, ipv6="fd00::7", bk_cloud_id=3)),
            "is_param_sensitive": 0,
            "is_ignore_error": 0,
        },
        "file_info": None,
        "approval_info": None,
    }


def test_an_approval_step_has_nothing_that_is_known(ask: Ask) -> None:
    load(job(), step(step_type=3))
    data = data_of(ask, NAME)
    assert (data["type"], data["script_info"], data["file_info"]) == (3, None, None)
    assert data["approval_info"] == {
        "approval_type": None,
        "approval_user": None,
        "approval_message": "",
        "notify_channel": None,
    }


def source(kind: int, *paths: str, ips: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "file_list": list(paths),
        "account": account(None),
        "server": ips,
        "file_type": kind,
        "file_source_id": None,
        "file_source_code": None,
    }


def test_a_file_step_has_its_sources_targets_and_target_path(ask: Ask) -> None:
    load(
        job(),
        step(step_type=2),
        result(101),
        result(103),
        result(104, role="source"),
        file_log(101, source=104, src_path="/data/b.log", dest_path="/srv/b.log"),
        file_log(103, source=104, src_path="/data/b.log", dest_path="/srv/b.log"),
        file_log(101, source=104, src_path="/data/a.log", dest_path="/srv/a.log"),
        file_log(104, mode=0, src_path="/data/c.log"),
        file_log(101, source=102, src_path="/x", dest_path="/srv/x"),
        file_log(101, src=None, src_path="bucket:y", dest_path="/srv/y"),
    )
    data = data_of(ask, NAME)
    assert (data["type"], data["script_info"], data["approval_info"]) == (2, None, None)
    paths = ("/data/a.log", "/data/b.log", "/data/c.log")
    assert data["file_info"] == {
        "file_source_list": [
            source(1, "/x", ips=server(ip(102))),
            source(1, *paths, ips=server(ip(104))),
            source(3, "bucket:y", ips=None),
        ],
        "file_destination": {
            "path": "/srv/",
            "account": account(None),
            "server": server(ip(101), ip(103)),
        },
        "timeout": 0,
        "source_speed_limit": None,
        "destination_speed_limit": None,
        "transfer_mode": 1,
        "is_ignore_error": 0,
    }


@pytest.mark.parametrize(
    ("paths", "directory"),
    [
        (["/srv/a", "/srv/b"], "/srv/"),
        (["/srv/a", "/var/b"], ""),
        (["C:\\temp\\a", "C:\\temp\\b"], "C:\\temp\\"),
        (["/srv/all/"], "/srv/all/"),
        ([], ""),
    ],
)
def test_the_target_path_is_the_one_directory_of_all_files(
    ask: Ask, paths: list[str], directory: str
) -> None:
    files = [file_log(101, src_path=path, dest_path=path) for path in paths]
    load(job(), step(step_type=2), result(101), *files)
    assert data_of(ask, NAME)["file_info"]["file_destination"]["path"] == directory


def test_a_file_step_without_files_has_empty_lists(ask: Ask) -> None:
    load(job(), step(step_type=2))
    info = data_of(ask, NAME)["file_info"]
    assert info["file_source_list"] == info["file_destination"]["server"]["ip_list"] == []


def test_what_a_producer_says_of_a_script_is_answered(ask: Ask) -> None:
    task: Fields = {
        "script_language": 4,
        "account": "root",
        "timeout": 7200,
    }
    load(job(), step(script_param="--all", **task))
    info = data_of(ask, NAME)["script_info"]
    assert (info["script_language"], info["account"]) == (4, account("root"))
    assert (info["script_timeout"], info["script_param"]) == (7200, "--all")
    load(step(script_param_sensitive=True))
    info = data_of(ask, NAME)["script_info"]
    assert (info["script_param"], info["is_param_sensitive"]) == ("******", 1)


def test_what_a_producer_says_of_files_is_answered_instead_of_what_came(ask: Ask) -> None:
    hosts = [{"bk_host_id": 7, "bk_cloud_id": 2, "ipv6": "fd00::7"}, {"bk_host_id": 8}]
    sources = [
        {"account": "mysql", "file_type": 1, "files": ["/a", "/b"], "hosts": hosts},
        {"file_type": 2, "files": ["/c"]},
        {},
    ]
    task: Fields = {"file_target_path": "/srv/all/", "account": "root", "timeout": 60}
    load(job(), step(step_type=2, file_sources=sources, **task), result(101), file_log(101))
    info = data_of(ask, NAME)["file_info"]
    given = server(ip(7, bk_cloud_id=2, ip=None, ipv6="fd00::7"), ip(8, ip=None, bk_cloud_id=None))
    assert info["file_source_list"] == [
        source(1, "/a", "/b", ips=given) | {"account": account("mysql")},
        source(2, "/c", ips=None),
        source(3, ips=None),
    ]
    assert info["file_destination"] == {
        "path": "/srv/all/",
        "account": account("root"),
        "server": server(ip(101, ip="10.0.0.101")),
    }
    assert info["timeout"] == 60


def test_a_missing_job_and_a_missing_step_are_told_apart(ask: Ask) -> None:
    load(job(), step())
    assert error_of(ask, NAME, job_instance_id=404) == (1244006, "作业实例不存在")
    assert error_of(ask, NAME, step_instance_id=404) == (1244007, "作业步骤实例不存在")
