"""What the documents promise to list, they list."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from joblogs import __version__
from joblogs.logtext.secret_rules import RULES
from joblogs.shippers import ship_log
from jobplatform import gunicorn, postgres

ROOT = Path(__file__).resolve().parent.parent


def variables_read() -> set[str]:
    """The environment variables that the settings ask `env` for."""
    tree = ast.parse((ROOT / "jobplatform" / "settings.py").read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env")), args=[ast.Constant(value=str(name))]
            ):
                names.add(name)
    return names


def section(document: str, title: str) -> str:
    """The text under a heading, up to the next of its level."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.split(r"^## ", text.split(f"\n## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_readme_lists_every_environment_variable_and_no_other() -> None:
    listed = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", section("README.md", "Configuration"), re.M))
    assert variables_read() == listed


def test_only_env_reads_the_environment_of_the_project() -> None:
    allowed = {"jobplatform/env.py", "jobplatform/wsgi.py", "jobplatform/command_line.py"}
    allowed |= {"jobplatform/gunicorn.py"}  # tells the settings what it was started with
    files = [ROOT / "manage.py", *(ROOT / "jobplatform").rglob("*.py")]
    reading = {
        str(file.relative_to(ROOT))
        for file in files
        if re.search(r"\benviron\b|\bgetenv\b", file.read_text(encoding="utf-8"))
    }
    assert reading <= allowed


def test_the_front_pages_stay_short() -> None:
    limits = {"README.md": 150, "CONTRIBUTING.md": 100}
    lengths = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in limits}
    assert all(lengths[name] <= limit for name, limit in limits.items()), lengths


def test_every_version_kept_by_hand_is_that_of_the_package() -> None:
    (galaxy,) = (ROOT / "joblogs").rglob("galaxy.yml")
    (collection,) = re.findall(r"^version: (\S+)$", galaxy.read_text("utf-8"), re.M)
    assert {collection, ship_log.VERSION} == {__version__}


def test_the_locks_name_no_host() -> None:
    for lock in ("requirements.lock", "tests/requirements.lock"):
        assert "://" not in (ROOT / lock).read_text(encoding="utf-8")


def test_operations_lists_every_pattern_of_secrets_and_no_other() -> None:
    table = section("docs/operations.md", "Secrets in logs")
    listed = re.findall(r"^\| `([a-z0-9-]+)` \| (.*?) \|", table, re.M)
    assert [name for name, _ in listed] == list(dict.fromkeys(rule.name for rule in RULES))
    begins = {rule.name: rule.begins for rule in RULES if not rule.ignore_case}
    for name, said in listed:
        for literal in begins.get(name, ()):
            assert f"`{literal.decode().strip()}`" in said


def test_the_guide_to_deployment_sets_variables_that_there_are() -> None:
    set_there = re.findall(r"^([A-Z0-9_]+)=", section("docs/deployment.md", "The program"), re.M)
    assert {"SECRET_KEY", "DATABASE_URL"} <= set(set_there) <= variables_read()


def test_its_unit_has_no_more_threads_than_the_pool_has_connections() -> None:
    assert "-c python:jobplatform.gunicorn" in section("docs/deployment.md", "systemd")
    assert postgres.POOL["max_size"] == gunicorn.threads


def test_the_image_serves_as_the_unit_does() -> None:
    unit = section("docs/deployment.md", "systemd").replace("\\\n", " ")
    (options,) = re.findall(r"^ExecStart=\S+/gunicorn --bind \S+ (.*jobplatform.*)$", unit, re.M)
    image = (ROOT / "Containerfile").read_text("utf-8").replace("\\\n", " ")
    (command,) = re.findall(r"^CMD (\[.*\])$", image, re.M)
    assert json.loads(command)[3:] == options.split()


def test_every_documented_start_of_the_server_reads_its_configuration() -> None:
    documents = ["README.md", "docs/operations.md", "docs/deployment.md", "Containerfile"]
    text = "\n".join((ROOT / name).read_text("utf-8") for name in documents)
    configured = re.findall(r"([\w:.]+)\W+jobplatform\.wsgi:application", text)
    bare = "gunicorn"  # shown once, where it is said what it lacks
    assert sorted(set(configured)) == sorted({bare, "python:jobplatform.gunicorn"}), configured
    assert configured.count(bare) == 1


def test_nginx_takes_the_documented_configuration() -> None:
    text = section("docs/deployment.md", "nginx")
    (configuration,) = re.findall(r"```nginx\n(.*?)```", text, re.S)
    blocks: list[list[str]] = [[]]
    for line in (line.partition("#")[0].strip() for line in configuration.splitlines()):
        if line.endswith("{"):
            blocks.append([])
        elif line == "}":
            blocks.pop()
        elif re.match(r"[a-z_]+ ", line):
            name = line.split()[0]
            assert name in REPEATED or name not in blocks[-1], line
            blocks[-1].append(name)
    assert len(blocks) == 1


REPEATED = {"limit_conn_zone", "limit_req_zone", "proxy_set_header", "listen", "limit_conn"}
"""Directives of nginx that a block may hold several times; another one twice stops its start."""


def test_the_image_sets_variables_that_there_are() -> None:
    image = (ROOT / "Containerfile").read_text("utf-8")
    # An argument of the build is none of the image's variables.
    image = re.sub(r"^(?:#|ARG ).*$", "", image, flags=re.MULTILINE)
    named = set(re.findall(r"\b([A-Z][A-Z0-9_]+)=", image))
    assert named - variables_read() == {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
