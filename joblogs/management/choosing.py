"""Which logs a command is about: the same options for all that look through them."""

from __future__ import annotations

import getpass
import os
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError
from django.db.models import QuerySet

from joblogs import access
from joblogs.export.choosing import NotThere, Wanted, choose
from joblogs.models import HostResult, JobInstance, Scope

from . import arguments

_NAMED = ("scope", "job", "step", "host", "since", "until")


def add_arguments(parser: ArgumentParser) -> None:
    """--scope, --job, --step, --host, --since, --until."""
    one = arguments.identifier
    parser.add_argument("--scope", type=arguments.scope, metavar="TYPE:ID", help="as biz:2")
    parser.add_argument("--job", type=one, metavar="ID")
    parser.add_argument("--step", type=one, metavar="ID")
    parser.add_argument(
        "--host", action="append", default=[], type=one, metavar="ID", help="again for more"
    )
    parser.add_argument("--since", type=arguments.day, metavar="DATE", help="by UTC days")
    parser.add_argument("--until", type=arguments.day, metavar="DATE", help="this day included")


def results(options: Mapping[str, Any]) -> tuple[QuerySet[HostResult], str]:
    """The host results that are meant, and the selection in words. Raises CommandError."""
    wanted = Wanted(
        job=options["job"],
        step=options["step"],
        hosts=options["host"],
        since=options["since"],
        until=options["until"],
    )
    try:
        chosen = choose(jobs(options["scope"]), wanted)
    except NotThere as missing:
        raise CommandError(
            f"--{missing.kind} {missing.value}: nothing of this number is in what is selected."
        ) from None
    found = HostResult.objects.filter(step__job__in=chosen.jobs.order_by())
    if chosen.steps is not None:
        found = found.filter(step__in=chosen.steps.order_by())
    if chosen.hosts is not None:
        found = found.filter(host_id__in=chosen.hosts)
    return found, _words(options)


def jobs(scope: tuple[str, str] | None) -> QuerySet[JobInstance]:
    """All jobs, or those of a scope. Raises CommandError if there is no such scope."""
    if scope is None:
        return access.OPERATOR.jobs()
    kind, number = scope
    if not Scope.objects.filter(scope_type=kind, scope_id=number).exists():
        raise CommandError(f"--scope {kind}:{number}: there is no such scope.")
    return access.writable_jobs(access.OPERATOR, scope_type=kind, scope_id=number)


def operator() -> str:
    """The login of whoever runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _words(options: Mapping[str, Any]) -> str:
    said = {name: options[name] for name in _NAMED if options[name]}
    if "scope" in said:
        said["scope"] = ":".join(said["scope"])
    if "host" in said:
        said["host"] = ",".join(map(str, said["host"]))
    return " ".join(f"{name}={value}" for name, value in said.items()) or "everything"
