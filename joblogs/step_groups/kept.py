"""Groups of a step and their lines: those stored at an earlier view of the step, otherwise computed
and stored (docs/grouping.md, Kept groups)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from django.conf import settings

from joblogs import __version__, kept_groups
from joblogs.grouping.features import VERSION
from joblogs.grouping.line_groups import Why
from joblogs.grouping.value_groups import Place
from joblogs.query import Attempts, StepHost
from joblogs.query.overview import Overview

from .excerpts import Excerpts, computed_excerpts, has_text
from .groups import Printed, StepGroup, StepGroups, computed_groups
from .groups import identical_groups as computed_identical_groups

RULES = 5
"""Version of the rules: increase it if the same host results get other groups or lines, or if the
stored form changes. Stored groups of another version of the program are not used either."""
OPEN_MAX, BRIEF_MAX = 64, 400
"""Maximum groups whose lines are stored, and maximum groups with one stored line."""

_FACTS = (
    *("pk", "host_id", "execute_count", "actual_execute_count", "batch", "status", "held_size"),
    *("host_name", "ip", "ipv6", "tag", "exit_code", "masked"),
)
"""Fields of a host result on which groups, their lines and the names of hosts depend."""
_facts_of = attrgetter(*_FACTS)


class _Group(msgspec.Struct, array_like=True):
    """Struct for a StepGroup: hosts as indexes in the overview, `like` as index in the list."""

    key: str
    status: int
    exit_code: int | None
    tag: str
    hosts: bytes
    printed: Printed
    why: Why
    places: tuple[Place, ...]
    like: int | None
    is_crowd: bool
    other_output: bool


class _Kept(msgspec.Struct, array_like=True):
    groups: list[_Group]
    compared: int
    to_compare: int
    failure_keys: dict[str, bytes]
    read_hosts: set[int]
    read_bytes: int
    excerpts: Excerpts
    open: set[str]
    """Keys of the groups whose lines, if any, are in `excerpts`."""
    brief: set[str]


@dataclass(eq=False)
class KeptGroups(StepGroups):
    """Stored groups, without the features of which they were made."""

    excerpts: Excerpts = field(default_factory=Excerpts)
    open: set[str] = field(default_factory=set)
    brief: set[str] = field(default_factory=set)


def step_groups(overview: Overview, *, seconds: float = 0) -> StepGroups:
    """Return groups of hosts with similar output, stored or computed.

    Missing features are computed for at most `seconds`; hosts that still have none are grouped by
    outcome.
    """
    kept = _find(overview) if _may_be_kept(overview) else None
    return kept or computed_groups(overview, seconds=seconds)


def identical_groups(overview: Overview, similar: StepGroups) -> StepGroups:
    """Return groups of hosts with identical output."""
    return computed_identical_groups(overview, _with_features(similar))


def excerpts(
    step_groups: StepGroups,
    groups: Iterable[StepGroup],
    brief: Iterable[StepGroup] = (),
    *,
    what_is_there: bool = False,
    keep: bool = True,
) -> Excerpts:
    """Return excerpts of `groups`, and one line for each group of `brief`, stored or computed.

    With `what_is_there`, groups whose logs cannot be read now have none; otherwise raises
    Unreadable. `keep`: computed excerpts may be stored.
    """
    open_keys, brief_keys = _keys(groups), _keys(brief)
    known = step_groups if isinstance(step_groups, KeptGroups) else None
    if known and open_keys <= known.open and brief_keys <= known.brief:
        return known.excerpts.of(open_keys, brief_keys)
    step_groups = _with_features(step_groups)
    shown, listed = _of(step_groups, open_keys), _of(step_groups, brief_keys - open_keys)
    found = kept = computed_excerpts(step_groups, shown, listed, what_is_there=what_is_there)
    if known:
        # Keep excerpts that others requested, so that two alternating readers share them.
        kept = found.with_those_of(known.excerpts)
        open_keys, brief_keys = open_keys | known.open, brief_keys | known.brief
    is_little = len(open_keys) <= OPEN_MAX and len(brief_keys) <= BRIEF_MAX
    if keep and is_little and _is_to_be_kept(step_groups, found):
        if known:
            kept_groups.forget(step_groups.step)
        _keep(step_groups, kept, open_keys, brief_keys)
    return found


def _keys(groups: Iterable[StepGroup]) -> set[str]:
    return {group.key for group in groups if has_text(group)}


def _of(step_groups: StepGroups, keys: Collection[str]) -> list[StepGroup]:
    return [group for group in step_groups.groups if group.key in keys]


def _with_features(step_groups: StepGroups) -> StepGroups:
    return (
        computed_groups(step_groups.overview)
        if isinstance(step_groups, KeptGroups)
        else step_groups
    )


def _may_be_kept(overview: Overview) -> bool:
    """Return whether all hosts have finished, their last attempt is requested, and no log may be in
    an object."""
    step = overview.step
    return (
        step.prints_output
        and step.job.expired_at is None
        and overview.attempts == Attempts()
        and overview.all_finished
        and not (settings.OBJECT_STORE_URL and _is_packed(overview))
    )


def _is_packed(overview: Overview) -> bool:
    """Return whether a log may be in an object: a page that reads none could not report its
    loss."""
    return any(result.pack is not None for result in overview.results)


def _is_to_be_kept(step_groups: StepGroups, found: Excerpts) -> bool:
    """Return whether groups of similar hosts and their lines are complete and may be stored."""
    is_whole = step_groups.is_similar and step_groups.compared == step_groups.to_compare
    is_whole = is_whole and not (found.lost and found.lost.hosts)
    return is_whole and bool(found.hosts) and _may_be_kept(step_groups.overview)


def _facts(overview: Overview) -> bytes:
    what = (RULES, VERSION, __version__, list(map(_facts_of, overview.results)))
    return hashlib.sha256(msgspec.msgpack.encode(what)).digest()[:16]


def _keep(
    step_groups: StepGroups, found: Excerpts, open_keys: set[str], brief_keys: set[str]
) -> None:
    hosts = step_groups.overview.hosts
    place_of = {host.bk_host_id: place for place, host in enumerate(hosts)}
    number_of = {group: number for number, group in enumerate(step_groups.groups)}
    groups = [
        _Group(
            *(group.key, group.status, group.exit_code, group.tag),
            np.array([place_of[host.bk_host_id] for host in group.hosts], "<u4").tobytes(),
            *(group.printed, group.why, group.places),
            number_of[group.like] if group.like else None,
            *(group.is_crowd, group.other_output),
        )
        for group in step_groups.groups
    ]
    kept = _Kept(
        groups,
        *(
            step_groups.compared,
            step_groups.to_compare,
            step_groups.failure_keys,
            step_groups.read_hosts,
            step_groups.read_bytes,
        ),
        *(replace(found, lost=None), open_keys, brief_keys),
    )
    read = found.hosts | step_groups.read_hosts
    results = [result for host in hosts if host.bk_host_id in read for result in host.results]
    kept_groups.keep(
        step_groups.step,
        _facts(step_groups.overview),
        msgspec.msgpack.encode(kept, enc_hook=_encoded),
        [kept_groups.LogSize(result.pk, result.held_size, result.masked) for result in results],
    )


def _encoded(value: object) -> object:
    """Encode hosts as their ids, and numpy's integers, for `msgspec`."""
    if isinstance(value, StepHost):
        return value.bk_host_id
    if isinstance(value, np.integer):
        return int(value)
    raise NotImplementedError(type(value))


def _find(overview: Overview) -> KeptGroups | None:
    data = kept_groups.find(overview.step, _facts(overview))
    if data is None:
        return None
    host_of = {host.bk_host_id: host for host in overview.hosts}

    def decoded(kind: type[Any], value: Any) -> Any:
        return host_of[value]

    kept = msgspec.msgpack.decode(data, type=_Kept, dec_hook=decoded)
    groups = [_group(one, overview.hosts) for one in kept.groups]
    for group, one in zip(groups, kept.groups, strict=True):
        group.like = None if one.like is None else groups[one.like]
    made = KeptGroups(
        overview,
        groups,
        kept.compared,
        kept.to_compare,
        read_hosts=kept.read_hosts,
        read_bytes=kept.read_bytes,
        excerpts=kept.excerpts,
        open=kept.open,
        brief=kept.brief,
    )
    made.failure_keys = kept.failure_keys
    return made


def _group(one: _Group, hosts: Sequence[StepHost]) -> StepGroup:
    own = [hosts[place] for place in np.frombuffer(one.hosts, "<u4").tolist()]
    group = StepGroup(
        *(one.status, one.exit_code, one.tag, own, one.printed),
        why=one.why,
        places=one.places,
        is_crowd=one.is_crowd,
        other_output=one.other_output,
    )
    group.key = one.key
    return group
