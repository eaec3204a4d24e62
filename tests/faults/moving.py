"""Faults of object storage: it goes, or who moves packs there is killed between two steps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from random import Random

from tests.faults.expectations import Job
from tests.faults.site import Site
from tests.object_store.faulty_server import Mode
from tests.serving import ROOT

STEPS = 8
"""Requests of a run that moves one object: whose is it, say so anew, look again, write, read back;
what was given up before costs further ones: look again, delete."""
_DUE = {"PACK_AFTER_DAYS": "1", "OBJECT_STORE_DAYS": "1", "OBJECT_TIMEOUT_SECONDS": "2"}


def mover_killed(site: Site, job: Job, random: Random) -> bool:
    """SIGKILL for a `maintain_logs` before or after one of its requests to the object store."""
    before = _moved(site)
    site.server.post(b"".join(job.stream()))
    was_killed = False

    def kill() -> None:
        nonlocal was_killed
        was_killed = True
        os.kill(moving.pid, signal.SIGKILL)

    site.objects.strike_at(random.randrange(STEPS), kill, answered=random.random() < 0.5)
    moving = _maintain(site)
    moving.wait()
    site.objects.strike_at(-1)
    held = job.check(site.server)
    assert (held.told, held.beside) == (held.once, 0), held
    _move_all(site, before)
    return was_killed


def object_store_gone(site: Site, job: Job, random: Random) -> bool:
    """The object store goes in the middle of a `maintain_logs`, and comes back."""
    before = _moved(site)
    site.server.post(b"".join(job.stream()))
    objects = site.objects

    def go() -> None:
        objects.mode = random.choice([Mode.BUSY, Mode.CLOSED, Mode.CUT])

    objects.strike_at(random.randrange(1, STEPS), go, answered=random.random() < 0.5)
    failed = _maintain(site).wait() != 0
    objects.strike_at(-1)
    objects.mode = Mode.WELL
    held = job.check(site.server)
    assert (held.told, held.beside) == (held.once, 0), held
    _move_all(site, before)
    return failed


def _maintain(site: Site) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        # What has long finished is looked for once a day, unless all days are asked for.
        [sys.executable, "manage.py", "maintain_logs", "--every-day"],
        cwd=ROOT,
        env=site.server.environment | _DUE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _move_all(site: Site, before: int) -> None:
    """A run that nothing stops: what was sent lies in objects afterwards."""
    assert _maintain(site).wait() == 0
    assert _moved(site) > before, "nothing was moved"


def _moved(site: Site) -> int:
    """Bytes that lie in the object store."""
    return sum(map(len, site.objects.objects.values()))
