"""Object stores that tests may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from joblogs.object_store.client import Client
from tests import object_server

from .faulty_server import FaultyServer, faulty_server


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """A folder that the settings name as object store."""
    path = tmp_path / "objects"
    path.mkdir()
    settings.OBJECT_STORE_URL = f"file://{path}"
    return path


@pytest.fixture
def faulty(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    """A server that fails on demand, which the settings name as object store."""
    with faulty_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        # A path of its own: a client is kept by the address that it was made for.
        settings.OBJECT_STORE_URL = f"s3://logs/{server.server_port}"
        settings.OBJECT_TIMEOUT_SECONDS = 1
        settings.AWS_ALLOW_HTTP = True
        yield server


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which a real S3 server is found."""
    if object_server.find_binary() is None and not object_server.is_required():
        pytest.skip(object_server.MISSING)
    with object_server.running(tmp_path_factory.mktemp("seaweedfs")) as environment:
        yield environment


@pytest.fixture
def real_client(real_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Client:
    for name, value in real_server.items():
        monkeypatch.setenv(name, value)
    return Client("s3://logs/tests", seconds=20, allow_http=True)
