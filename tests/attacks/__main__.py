"""`python -m tests.attacks`: each attack against a server that is started for it, and a table."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.attacks.attacks import ATTACKS, prepare  # noqa: E402 - models can only be imported now
from tests.serving import serving  # noqa: E402 - as above

ROW = "{:<38}{:>7}{:>9}"


def main() -> int:
    """Print a row for each attack; the exit code is 1 if any got through."""
    print(ROW.format("attack", "tried", "through"), flush=True)
    through = 0
    with (
        tempfile.TemporaryDirectory(prefix="joblogs-attacks-") as folder,
        serving(Path(folder), workers=1, threads=8, TRUSTED_PROXIES="1") as server,
    ):
        prepare(server)
        for name, attack in ATTACKS:
            outcome = attack(server)
            print(ROW.format(name, outcome.tried, outcome.through), flush=True)
            through += outcome.through
    return int(through > 0)


if __name__ == "__main__":
    sys.exit(main())
