"""What `mcp` says before it serves."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from joblogs.management.commands import mcp
from tests.serving import ROOT


def test_without_the_sdk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp, "HAS_SDK", False)
    with pytest.raises(CommandError, match=r"pip install 'joblogs\[mcp\]'"):
        call_command("mcp", url="http://127.0.0.1:1")


def test_without_a_store_or_a_token_it_names_the_variable() -> None:
    with pytest.raises(CommandError, match="JOBLOGS_URL"):
        call_command("mcp")
    with pytest.raises(CommandError, match="JOBLOGS_TOKEN"):
        call_command("mcp", url="http://127.0.0.1:1")


@pytest.mark.parametrize("url", ["logs.example.com", "https://me:hunter2@h", "https://h/jobs"])
def test_an_address_of_another_form_is_refused_and_not_shown(url: str) -> None:
    """Another command is none the worse for it: the variable is the shippers' too."""
    with (
        override_settings(MCP_URL=url),
        pytest.raises(CommandError, match="it is not http://HOST:PORT") as refused,
    ):
        call_command("mcp")
    assert "hunter2" not in str(refused.value)


def test_it_needs_no_secret_key_and_no_database() -> None:
    """With no input there is no client, and it ends."""
    environment = {
        "PATH": os.environ["PATH"],
        "JOBLOGS_URL": "http://127.0.0.1:1",
        "JOBLOGS_TOKEN": "jlt_x",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "mcp"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
