"""Somebody reads a log all the time while secrets in it are masked."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from joblogs.logtext.secret_scanner import RULES, secrets_of
from joblogs.maintenance import compaction, redaction
from joblogs.maintenance.walk import LogSelection
from tests.builders import job, load, result, script_log, step
from tests.queries import log, text, the_result

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
CONTENT = "".join(f"{n} postgresql://u:secret{n}@db {TOKEN}\n" for n in range(12))


class Reader(threading.Thread):
    """Reads the log over and over; what it saw that it should not have."""

    def __init__(self) -> None:
        super().__init__()
        self.reads, self.faults = 0, list[str]()
        self.enough = threading.Event()
        self.has_read = threading.Event()

    def run(self) -> None:
        whole = bytearray(CONTENT.encode())
        secrets_of(RULES).mask(whole)
        try:
            while not self.enough.is_set():
                row = the_result()
                seen = text(row)
                self.reads += 1
                self.has_read.set()
                said = zip(seen, CONTENT.encode(), whole, strict=False)
                if len(seen) != row.held_size or any(a not in (b, c) for a, b, c in said):
                    self.faults.append(f"{len(seen)} of {row.held_size}")
        finally:
            self.has_read.set()  # or it has failed: nobody need wait for it
            connection.close()


def read_during(work: Callable[[], object]) -> Reader:
    reader = Reader()
    reader.start()
    reader.has_read.wait()
    try:
        work()
    finally:
        reader.enough.set()
        reader.join()
    return reader


def test_readers_meet_a_log_as_it_was_or_as_it_is_while_its_end_is_masked() -> None:
    load(job(), step(), result(status=7))

    def send() -> None:
        for at in range(0, len(CONTENT), 11):
            load(job(), script_log(CONTENT[at : at + 11], offset=at))
            if at % 5 == 0:
                compaction.merge(the_result().day, the_result().pk)

    reader = read_during(send)
    assert (reader.faults, reader.reads > 0) == ([], True)
    assert TOKEN.encode() not in log()


def test_readers_meet_a_log_as_it_was_or_as_it_is_while_it_is_redacted() -> None:
    load(job(), step(), result(status=9))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.MASK_SECRETS", False)
        for at in range(0, len(CONTENT), 50):
            load(job(), script_log(CONTENT[at : at + 50], offset=at))

    def redact() -> None:
        for rule in ("github-token", "url-password"):
            rules = tuple(one for one in RULES if one.name == rule)
            redaction.redact(LogSelection.every(), secrets_of(rules), by="zoe", selection=rule)

    reader = read_during(redact)
    assert (reader.faults, reader.reads > 0) == ([], True)
    assert the_result().masked == 24
