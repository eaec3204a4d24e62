"""Options with which commands select logs."""

from __future__ import annotations

import getpass
import ipaddress
import os
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.management.base import CommandError
from django.db.models import QuerySet

from joblogs import access
from joblogs.export import Outcome, Selection, Walk
from joblogs.export.choosing import Criteria, NotThere, choose
from joblogs.maintenance.walk import LogSelection
from joblogs.models import JobInstance, Scope
from joblogs.query import Address, canonical_order
from joblogs.records import MAX_ID
from joblogs.search import InvalidPattern, Pattern

from . import arguments

_NAMED = ("scope", "job", "step", "host", "ip", "status", "contains", "since", "until")
EVERYTHING = "everything"
"""Description of a selection without criteria."""

LEFT_IN_OBJECTS = "The object store did not let it be deleted there: the next maintain_logs does."
"""Note about text that was masked or removed and is still in an object."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options --scope, --job, --step, --host, --since and --until."""
    one = arguments.identifier
    parser.add_argument("--scope", type=arguments.scope, metavar="TYPE:ID", help="as biz:2")
    parser.add_argument("--job", type=one, metavar="ID")
    parser.add_argument("--step", type=one, metavar="ID")
    parser.add_argument(
        "--host", action="append", default=[], type=one, metavar="ID", help="may be repeated"
    )
    parser.add_argument("--since", type=arguments.day, metavar="DATE", help="by UTC days")
    parser.add_argument("--until", type=arguments.day, metavar="DATE", help="including this day")


def add_export_arguments(parser: ArgumentParser) -> None:
    """Add the options of `add_arguments` and --ip, --status and --contains."""
    add_arguments(parser)
    parser.add_argument(
        "--ip",
        action="append",
        default=[],
        type=_cloud_address,
        metavar="CLOUD:IP",
        help="a host by its address at the time of the run; may be repeated",
    )
    parser.add_argument(
        "--status",
        choices=[str(outcome) for outcome in Outcome],
        help="only hosts with this outcome; running: not ended yet",
    )
    parser.add_argument(
        "--contains", type=_pattern, metavar="TEXT", help="only hosts that printed this"
    )


def selection(options: Mapping[str, Any], *, attempt: int | str) -> Selection:
    """Return the selection of an export. Raise CommandError."""
    return _chosen(
        options,
        addresses=options["ip"],
        outcome=Outcome(options["status"]) if options["status"] else None,
        contains=options["contains"],
        attempt=attempt if isinstance(attempt, int) else None,
        every_attempt=attempt == "all",
    )


def _chosen(options: Mapping[str, Any], **more: Any) -> Selection:
    criteria = Criteria(
        job=options["job"],
        step=options["step"],
        hosts=options["host"],
        since=options["since"],
        until=options["until"],
        **more,
    )
    try:
        return choose(jobs(options["scope"]), criteria)
    except NotThere as missing:
        raise CommandError(
            f"--{missing.kind} {missing.value}: there is none in what is selected."
        ) from None


def selected_jobs(selection: Selection) -> Iterator[JobInstance]:
    """Yield the jobs of a selection, each after its hosts were read, so that it can be removed."""
    if not selection.narrows_hosts:
        for page in canonical_order.jobs_in_order(selection.narrowed_jobs()):
            yield from page
        return
    last = None
    for item in Walk(selection).items():
        if isinstance(item, JobInstance):
            if last is not None:
                yield last
            last = item
    if last is not None:
        yield last


def logs(options: Mapping[str, Any]) -> tuple[LogSelection, str]:
    """Return the selected logs, and a description of the selection. Raise CommandError."""
    chosen = _chosen(options)
    return LogSelection(jobs=chosen.jobs, steps=chosen.steps, hosts=chosen.hosts), words(options)


def jobs(scope: tuple[str, str] | None) -> QuerySet[JobInstance]:
    """Return all jobs, or those of a scope. Raise CommandError if there is no such scope."""
    if scope is None:
        return access.OPERATOR.jobs()
    kind, number = scope
    if not Scope.objects.filter(scope_type=kind, scope_id=number).exists():
        raise CommandError(f"--scope {kind}:{number}: there is no such scope.")
    return access.writable_jobs(access.OPERATOR, scope_type=kind, scope_id=number)


def operator() -> str:
    """Return the login name of the user who runs the command, else the user's id."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def words(options: Mapping[str, Any]) -> str:
    """Return a description of a selection, such as `scope=biz:2 host=101,102` or `everything`.

    A text to search for is left out, because it may be a secret.
    """
    parts = {name: options[name] for name in _NAMED if options.get(name)}
    if "scope" in parts:
        parts["scope"] = ":".join(parts["scope"])
    if "host" in parts:
        parts["host"] = ",".join(map(str, parts["host"]))
    if "ip" in parts:
        parts["ip"] = ",".join(f"{one.bk_cloud_id}:{one.address}" for one in parts["ip"])
    if "contains" in parts:
        parts["contains"] = "…"
    return " ".join(f"{name}={value}" for name, value in parts.items()) or EVERYTHING


def _cloud_address(value: str) -> Address:
    """Return a cloud area and an address in it, such as `0:10.0.0.1` or `0:fd00::7`."""
    cloud, colon, address = value.partition(":")
    try:
        if not colon or not cloud.isascii() or not cloud.isdigit() or int(cloud) > MAX_ID:
            raise ValueError
        return Address(int(cloud), str(ipaddress.ip_address(address)))
    except ValueError:
        raise ArgumentTypeError(f"{value!r} is not CLOUD:IP, such as 0:10.0.0.1") from None


def _pattern(value: str) -> Pattern:
    """Return the pattern of a literal text to search for."""
    try:
        return Pattern.of(value)
    except InvalidPattern as error:
        raise ArgumentTypeError(str(error)) from None
