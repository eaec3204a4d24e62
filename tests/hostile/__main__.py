"""`python -m tests.hostile`: many inputs for each door, and a table of what came back.

What must not happen ends it with the input; `--seed` and `--only` show it again.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.builders import job, lines, result, script_log, step  # noqa: E402 - models can only be imported now
from tests.hostile.targets import IN_PROCESS, answers, most_memory, over_http  # noqa: E402 - as above
from tests.serving import serving  # noqa: E402 - as above

SLOWER = {"bk-job dump": 20, "output as HTML": 2}
"""These get as many times fewer inputs."""


def main(arguments: list[str]) -> int:
    """See the top of this file."""
    options = _options(arguments)
    print(f"seed {options.seed}", flush=True)
    print(f"{'door':<20}{'inputs':>9}{'seconds':>9}  what came back", flush=True)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), workers=1) as server:
        assert server.post(lines(job(), step(), result(), script_log("a\n")))["result"]
        before = most_memory(server)
        for name, door in [*over_http(server).items(), *IN_PROCESS]:
            if options.only in name:
                tries = max(1, options.inputs // SLOWER.get(name, 1))
                started = time.monotonic()
                came = answers(door, Random(f"{options.seed} {name}"), tries=tries)  # noqa: S311 - so that a seed shows the same again
                words = ", ".join(f"{word}: {count:,}" for word, count in came.items())
                print(
                    f"{name:<20}{tries:>9,}{time.monotonic() - started:>9.0f}  {words}", flush=True
                )
        print(
            f"the server grew from {before:.0f} to {most_memory(server):.0f} MB at most", flush=True
        )
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--inputs", type=int, default=2000, help="of each door (default: 2,000)")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--only", default="", help="only doors with this in their name")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
