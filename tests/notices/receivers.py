"""Receivers of webhooks that answer as a test wants, and saved searches that tell them."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, User

from joblogs import notices
from joblogs.models import SavedSearch, Scope

Answer = Callable[[int], int]
"""Of the number of a request, from 1, the status that it is answered with."""


@dataclass
class Receiver:
    """What came, in its order."""

    address: str = ""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: Answer = lambda number: 200

    @property
    def taken(self) -> list[dict[str, Any]]:
        """The messages that were answered with 2xx."""
        numbered = enumerate(self.requests, 1)
        return [json.loads(body) for n, (_, body) in numbered if self.answer(n) < 300]


@contextlib.contextmanager
def receiving(
    answer: Answer = lambda number: 200, tls: tuple[Path, Path] | None = None
) -> Iterator[Receiver]:
    """A receiver on a port of its own; with the files of a certificate and its key by TLS."""
    receiver = Receiver(answer=answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.requests.append((dict(self.headers), body))
            self.send_response(answer(len(receiver.requests)))
            self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        receiver.address = (
            f"http{'s' * (tls is not None)}://127.0.0.1:{server.server_port}/hook?a=1"
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def owner(name: str = "zoe", scope: tuple[str, str] = ("biz", "2")) -> User:
    """A member of staff whose group may browse a scope."""
    user, made = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    if made:
        group = Group.objects.create(name=f"group of {name}")
        user.groups.add(group)
        Scope.objects.get_or_create(scope_type=scope[0], scope_id=scope[1])[0].groups.add(group)
    return user


def saved_search(target: str, **fields: Any) -> SavedSearch:
    """A saved search of zoe's in biz:2 that tells a receiver."""
    user = fields.pop("owner", None) or owner()
    scope, _ = Scope.objects.get_or_create(scope_type="biz", scope_id="2")
    values = {"name": "errors", "owner": user, "scope": scope, "target": target} | fields
    search = SavedSearch.objects.create(**values)
    search.secret = notices.new_secret(search)  # type: ignore[attr-defined]
    return search
