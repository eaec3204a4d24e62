"""export_logs --output s3://…: an object that is there whole or not at all."""

from __future__ import annotations

import io
import os
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from joblogs.models import LogChunk
from joblogs.object_store import ObjectUnreachable
from joblogs.object_store.client import Client
from tests.builders import job, load, result, script_log, step

from .faulty_server import FaultyServer, Mode

pytestmark = pytest.mark.django_db


@pytest.fixture
def real(real_client: Client, settings: Any) -> Client:
    settings.AWS_ALLOW_HTTP = True
    return Client("s3://logs/exports", seconds=20, allow_http=True)


def _export(*arguments: str) -> str:
    err = io.StringIO()
    call_command("export_logs", "--format", "txt", "--no-prefix", *arguments, stderr=err)
    return err.getvalue()


@pytest.mark.live
def test_an_export_becomes_an_object(real: Client) -> None:
    text = "".join(f"line {number}\n" for number in range(100_000))
    load(job(), step(), result(host_name="web-1", status=9), script_log(text))
    key = os.urandom(8).hex()
    told = _export("--output", f"s3://logs/exports/{key}")
    assert f"to s3://logs/exports/{key}." in told
    assert real.get(key) == text.encode()
    with pytest.raises(CommandError, match="--force replaces it"):
        _export("--output", f"s3://logs/exports/{key}")
    _export("--output", f"s3://logs/exports/{key}", "--force")


@pytest.mark.live
def test_an_export_that_fails_leaves_no_object(real: Client) -> None:
    load(job(), step(), result(host_name="web-1", status=9), script_log("hello\n"))
    load(result(102, status=9), script_log("x" * 3_000_000, host=102))
    LogChunk.objects.all().delete()
    key = os.urandom(8).hex()
    with pytest.raises(CommandError, match="2 logs could not be read to the end, nothing was"):
        _export("--output", f"s3://logs/exports/{key}")
    with pytest.raises(ObjectUnreachable):
        real.get(key)


@pytest.mark.parametrize("mode", [Mode.BUSY, Mode.CLOSED])
def test_an_object_store_that_fails_ends_the_export(faulty: FaultyServer, mode: Mode) -> None:
    load(job(), step(), result(host_name="web-1", status=9), script_log("hello\n"))
    faulty.mode = mode
    with pytest.raises(CommandError, match="s3://logs/a: the object store refused it"):
        _export("--output", "s3://logs/a", "--force")
    assert faulty.objects == {}


@pytest.mark.parametrize(
    "url", ["s3://logs", "s3://logs/", "s3:///a", "s3://a:b@logs/c", "gs://x/"]
)
def test_what_names_no_object_is_refused(url: str) -> None:
    load(job(), step(), result(host_name="web-1", status=9), script_log("hello\n"))
    with pytest.raises(CommandError, match="an object is BUCKET and a name"):
        _export("--output", url)


def test_an_object_has_no_mode() -> None:
    with pytest.raises(CommandError, match="--mode is of files"):
        _export("--output", "s3://logs/a", "--mode", "640")
