"""What the documents promise to list, they list."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from joblogs.logtext.secret_rules import RULES

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
    allowed = {"jobplatform/env.py", "jobplatform/wsgi.py", "jobplatform/__main__.py"}
    files = [ROOT / "manage.py", *(ROOT / "jobplatform").rglob("*.py")]
    reading = {
        str(file.relative_to(ROOT))
        for file in files
        if re.search(r"\benviron\b|\bgetenv\b", file.read_text(encoding="utf-8"))
    }
    assert reading <= allowed


def test_the_front_pages_stay_short() -> None:
    limits = {"README.md": 150, "CONTRIBUTING.md": 80}
    lengths = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in limits}
    assert all(lengths[name] <= limit for name, limit in limits.items()), lengths


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
    (threads,) = re.findall(r"--threads (\d+)", section("docs/deployment.md", "systemd"))
    assert f'"max_size": {threads}' in (ROOT / "jobplatform" / "settings.py").read_text("utf-8")


def test_the_image_serves_as_the_unit_does() -> None:
    unit = section("docs/deployment.md", "systemd").replace("\\\n", " ")
    (options,) = re.findall(r"^ExecStart=\S+/gunicorn --bind \S+ (.*jobplatform.*)$", unit, re.M)
    image = (ROOT / "Containerfile").read_text("utf-8").replace("\\\n", " ")
    (command,) = re.findall(r"^CMD (\[.*\])$", image, re.M)
    assert json.loads(command)[3:] == options.split()


def test_the_image_sets_variables_that_there_are() -> None:
    image = (ROOT / "Containerfile").read_text("utf-8")
    # An argument of the build is none of the image's variables.
    image = re.sub(r"^(?:#|ARG ).*$", "", image, flags=re.MULTILINE)
    named = set(re.findall(r"\b([A-Z][A-Z0-9_]+)=", image))
    assert named - variables_read() == {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
