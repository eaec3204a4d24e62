"""Which logs of a step can be read now: logs in objects may be unreachable for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from joblogs.logtext import store
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.store import objects, packs
from joblogs.logtext.store.spans import PackKey
from joblogs.models import StepInstance
from joblogs.object_store import Fault, ObjectUnreachable

from .hosts import StepHost

T = TypeVar("T")


class Lost:
    """Collection of the ids of hosts whose logs cannot be read now, with the errors."""

    def __init__(self) -> None:
        self.hosts: set[int] = set()
        self._errors: list[ObjectUnreachable] = []

    def add(self, hosts: Iterable[StepHost], error: Unreadable) -> None:
        """Add hosts whose logs raised this error."""
        self.hosts.update(host.bk_host_id for host in hosts)
        if isinstance(error, ObjectUnreachable):
            self._errors.append(error)

    def among(self, step: StepInstance, hosts: Sequence[StepHost]) -> set[int]:
        """Return the ids of the given hosts whose logs cannot be read now for the same reasons,
        including hosts that were not tried. Reads no log; without errors it runs no query."""
        ids = {host.bk_host_id for host in hosts} & self.hosts
        for error in self._errors:
            ids |= {host.bk_host_id for host in out_of_reach(step, hosts, error)}
        return ids


def read_what_is_there(
    step: StepInstance,
    hosts: Sequence[StepHost],
    read: Callable[[Sequence[StepHost]], T],
    lost: Lost,
) -> T:
    """Return what `read` returns for the hosts whose logs can be read; add the others to `lost`.

    For pages, which say which logs they cannot show. `read` is called again for each object that is
    missing or torn, and once more if the object store does not answer. If a log is damaged or was
    deleted meanwhile, it is called for each host separately to find out which. Raises Unreadable
    if no host turns out to be the cause.
    """
    left = list(hosts)
    while True:
        try:
            return read(left)
        except Unreadable as error:
            if isinstance(error, ObjectUnreachable):
                gone = out_of_reach(step, left, error)
            else:
                gone = [host for host in left if _is_damaged(host, read)]
            if not gone:
                raise
            keys = {host.bk_host_id for host in gone}
            left = [host for host in left if host.bk_host_id not in keys]
            lost.add(gone, error)


def _is_damaged(host: StepHost, read: Callable[[Sequence[StepHost]], object]) -> bool:
    try:
        read([host])
    except ObjectUnreachable:
        return False  # `out_of_reach` distinguishes them
    except Unreadable:
        return True
    return False


def out_of_reach(
    step: StepInstance, hosts: Sequence[StepHost], error: ObjectUnreachable
) -> list[StepHost]:
    """Return the hosts whose logs cannot be read because of this error, without reading any log.

    If an object is missing or torn, these are the hosts with logs in it; if the object store does
    not answer, all hosts with logs in objects.
    """
    packs_of: dict[int, list[PackKey]] = {}
    for host in hosts:
        spans = [store.span_of(row) for row in host.results if row.held_size]
        packs_of[host.bk_host_id] = [
            key for span in spans if span.place for key in packs.keys_of(span)
        ]
    every = {key for own in packs_of.values() for key in own}
    object_of = objects.keys_of_packs(step.day, every)
    if error.fault is not Fault.UNREACHABLE:
        object_of = {pack: key for pack, key in object_of.items() if key in ("", error.key)}
    return [host for host in hosts if not object_of.keys().isdisjoint(packs_of[host.bk_host_id])]
