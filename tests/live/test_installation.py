"""A wheel of the project, installed where nothing else of it is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from joblogs import __version__
from tests.test_docs import variables_read

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that the wheel was installed into; nobody may write to it."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        + ["--no-deps", "--no-build-isolation", "--target", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    yield folder
    for path in paths:
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


def run(site: Path, home: Path, *arguments: str) -> str:
    """What the installed command prints, run in `home` with an empty configuration."""
    clean = {name: value for name, value in os.environ.items() if name not in variables_read()}
    clean.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        [sys.executable, str(site / "bin" / "joblogs"), *arguments],
        cwd=home,
        env=clean | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", "DEBUG": "on"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_loads_the_demo_and_keeps_its_files_in_the_working_directory(
    site: Path, tmp_path: Path
) -> None:
    installed = {path: path.stat().st_size for path in site.rglob("*")}
    assert "records loaded" in run(site, tmp_path, "demo", "--no-serve")
    assert {"db.sqlite3", ".secret_key"} <= {path.name for path in tmp_path.iterdir()}
    assert {path: path.stat().st_size for path in site.rglob("*")} == installed


def test_the_wheel_holds_pages_styles_and_translations(site: Path, tmp_path: Path) -> None:
    script = (
        "from django.template.loader import get_template;"
        "from django.contrib.staticfiles.finders import find;"
        "from django.utils.translation import gettext, override;"
        "print(get_template('joblogs/step.html').origin.name);"
        "print(find('joblogs/joblogs.css'));"
        "print(override('zh-hans').__enter__() or gettext('Jobs'))"
    )
    printed = run(site, tmp_path, "shell", "--verbosity=0", "--command", script)
    template, style, jobs = printed.split()
    assert Path(template).is_relative_to(site)
    assert Path(style).is_relative_to(site)
    assert jobs == "作业"


def test_the_command_names_the_version_of_the_package(site: Path) -> None:
    (metadata,) = site.glob("joblogs-*.dist-info")
    assert metadata.name == f"joblogs-{__version__}.dist-info"
