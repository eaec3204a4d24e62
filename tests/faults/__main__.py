"""`python -m tests.faults`: many rounds of each fault, on both databases, and a table.

A round has a seed; `--seed` and `--rounds 1 --only NAME` show one again.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
from pathlib import Path
from random import Random

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.faults.faults import FAULTS, Round, Skipped, round_of  # noqa: E402 - models can only be imported now
from tests.faults.site import Site, site  # noqa: E402 - as above


def main(arguments: list[str]) -> int:
    """See the top of this file; the exit code is 1 if any round went wrong."""
    options = _options(arguments)
    print(f"seed {options.seed}", flush=True)
    print(
        ROW.format("fault", "database", "runs", "cut short", "bytes sent", "there once", "beside"),
        flush=True,
    )
    failed = 0
    for on_postgresql in {"both": (False, True), "sqlite": (False,), "postgresql": (True,)}[
        options.database
    ]:
        with (
            tempfile.TemporaryDirectory(prefix="joblogs-faults-") as folder,
            site(Path(folder), on_postgresql=on_postgresql) as place,
        ):
            for name, _ in FAULTS:
                if options.only in name:
                    failed += _rounds(place, name, options.rounds, options.seed)
    return int(failed > 0)


ROW = "{:<28}{:<12}{:>6}{:>11}{:>14}{:>14}{:>8}"


def _rounds(place: Site, name: str, rounds: int, seed: int) -> int:
    """Run the rounds of a fault and print its row: how many went wrong."""
    fault = dict(FAULTS)[name]
    seeds = Random(f"{seed} {name}")  # noqa: S311 - so that a seed shows the same again
    done: list[Round] = []
    failed = 0
    for _ in range(rounds):
        own = seed if rounds == 1 else seeds.getrandbits(32)
        try:
            done.append(round_of(fault, place, next(place.numbers), own))
        except Skipped as reason:
            print(f"{name:<28}{place.name:<12}SKIPPED: {reason}", flush=True)
            return 0
        except AssertionError as error:
            failed += 1
            print(f"{name} on {place.name}, seed {own}: {str(error)[:2000]}", flush=True)
    told, once, beside = (sum(r.held[part] for r in done) for part in range(3))
    cut = sum(r.interrupted for r in done)
    if any(place.polled):
        print("{:,} statuses asked, {:,} told a finish".format(*place.polled), flush=True)
        place.polled[:] = 0, 0
    row = ROW.format(name, place.name, len(done), cut, f"{told:,}", f"{once:,}", beside)
    print(row + (f"  {failed} WENT WRONG" if failed else ""), flush=True)
    return failed + (told != once) + (beside != 0)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="of each fault (default: 20)")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--only", default="", help="only faults with this in their name")
    parser.add_argument("--database", choices=["both", "sqlite", "postgresql"], default="both")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
