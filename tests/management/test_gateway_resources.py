"""gateway_resources: what an operator registers at BlueKing's API gateway."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import resolve
from drf_spectacular.validation import validate_schema

from joblogs.api.exchange import BACKENDS, dialect_of
from joblogs.api.urls import ROUTES

Json = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gateway") / "made"
    said = io.StringIO()
    call_command("gateway_resources", str(folder), "--url", "http://10.0.0.7:8000", stdout=said)
    assert str(folder) in said.getvalue()
    return folder


@pytest.fixture(scope="module")
def resources(folder: Path) -> Json:
    resources: Json = yaml.safe_load((folder / "resources.yaml").read_text("utf-8"))
    return resources


def operations(resources: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in resources["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_read_of_versions_3_and_4_is_there_for_users_and_for_systems(
    resources: Json,
) -> None:
    made = {(path, method) for path, method, _ in operations(resources)}
    expected = {
        (f"/api/{version}/{form}{name}", method)
        for route in ROUTES
        for version, name in [route.path.split("/")[2:4]]
        if version in ("v3", "v4")
        for method in route.view.operations
        for form in ("", "system/")
    }
    assert made == expected
    assert len(made) >= 34


def test_a_backend_path_is_one_that_takes_the_gateways_token_and_answers_alike(
    resources: Json,
) -> None:
    for path, method, operation in operations(resources):
        backend = operation["x-bk-apigateway-resource"]["backend"]
        assert dialect_of(backend["path"]) in BACKENDS
        there: Any = resolve(backend["path"]).func
        here: Any = resolve(path).func
        assert there.cls is here.cls
        assert backend["method"] == method
        assert method in there.cls.http_method_names


def test_users_are_verified_on_their_form_only(resources: Json) -> None:
    for path, _, operation in operations(resources):
        given = operation["x-bk-apigateway-resource"]
        system = "/system/" in path
        assert given["authConfig"]["userVerifiedRequired"] is not system
        assert given["authConfig"]["appVerifiedRequired"] is True
        assert given["isPublic"] is not system


def test_ids_are_unique_and_every_resource_has_a_page_in_both_languages(
    folder: Path, resources: Json
) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(resources)]
    assert len(ids) == len(set(ids))
    assert "v4_get_job_instance_status" in ids
    for language, told in (("zh", "错误码"), ("en", "Errors")):
        assert {page.stem for page in (folder / "docs" / language).iterdir()} == set(ids)
        for page in (folder / "docs" / language).iterdir():
            text = page.read_text("utf-8")
            assert told in text
            assert "| 1240002 |" in text


def test_it_is_openapi_3_0_whose_parameters_a_tool_can_be_made_of(resources: Json) -> None:
    validate_schema(resources)
    text = json.dumps(resources)
    assert '"const"' not in text
    assert "bk_biz_id" not in text
    for _, method, operation in operations(resources):
        if method == "post":
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            fields = schema["properties"]
        else:
            fields = {each["name"]: each["schema"] for each in operation["parameters"]}
        assert fields
        assert all(isinstance(field.get("type"), str) for field in fields.values())
        assert operation["description"]


def test_agents_have_the_reads_of_version_4_as_tools(folder: Path, resources: Json) -> None:
    definition = yaml.safe_load((folder / "definition.yaml").read_text("utf-8"))
    (stage,) = definition["stages"]
    assert stage["backends"][0]["config"]["hosts"] == [
        {"host": "http://10.0.0.7:8000", "weight": 100}
    ]
    (server,) = stage["mcp_servers"]
    ids = {operation["operationId"] for _, _, operation in operations(resources)}
    assert set(server["resource_names"]) <= ids
    assert set(server["resource_names"]) == {
        *("v4_get_job_instance_status", "v4_get_job_instance_list"),
        *("v4_get_user_authorized_scopes", "v4_batch_get_job_instance_execute_object_log"),
        *("v4_get_script_task_context", "v4_get_file_task_context"),
    }


def test_it_wants_to_know_where_the_store_is(tmp_path: Path, settings: Any) -> None:
    for arguments in ([], ["--url", "store"], ["--url", "http://store/path"]):
        with pytest.raises(CommandError):
            call_command("gateway_resources", str(tmp_path / "d"), *arguments)
    assert not (tmp_path / "d").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("a file")
    with pytest.raises(CommandError, match="d"):
        call_command("gateway_resources", str(tmp_path / "d"), "--url", "http://store:1")


def test_the_chinese_pages_describe_every_field_in_chinese(folder: Path) -> None:
    english = re.compile(r"[A-Za-z]{3,} [a-z]{2,} [a-z]{2,}")
    left = {
        line
        for page in (folder / "docs" / "zh").glob("*.md")
        for line in page.read_text("utf-8").splitlines()
        if english.search(line)
    }
    assert left == set()
    (scope,) = {
        line
        for line in (folder / "docs" / "zh" / "get_job_instance_ip_log.md").read_text().splitlines()
        if line.startswith("| `bk_scope_type`")
    }
    assert scope.endswith("| 资源范围类型。 |")
