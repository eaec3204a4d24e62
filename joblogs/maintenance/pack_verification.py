"""Verification of the packs of a step: every byte has to belong to exactly one log."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable

from joblogs.logtext import codec
from joblogs.logtext.store import packs, span_of
from joblogs.logtext.store.spans import PackKey
from joblogs.models import HostResult, StepInstance

from .damage import Damage


def find_damage(day: datetime.date, step: int) -> list[Damage]:
    """Return the damage of a step's packs that is found twice: they may change meanwhile."""
    found = _damage(day, step)
    return sorted(found & _damage(day, step)) if found else []


def _damage(day: datetime.date, step: int) -> set[Damage]:
    damage: set[Damage] = set()
    expired = StepInstance.objects.filter(pk=step).exclude(job__expired_at=None).exists()
    claims = _claims(day, step)
    for pack in packs.rows_of_step(day, step):
        own = claims.get(PackKey(step, pack.number), [])
        if expired:
            damage.add(Damage.EXPIRED)
        elif not own:
            damage.add(Damage.PACK_ORPHAN)
        elif not _tile(own, pack.size):
            damage.add(Damage.PACK_BYTES)
        if not expired and pack.object_id is None:
            damage |= _damage_of_text(pack)
    return damage


def _claims(day: datetime.date, step: int) -> dict[PackKey, list[tuple[int, int]]]:
    """Return by pack the ranges in which the logs of a step are, according to their rows."""
    claims: dict[PackKey, list[tuple[int, int]]] = defaultdict(list)
    rows = HostResult.objects.filter(step=step, day=day).exclude(pack=None)
    for row in rows.only("pk", "step_id", "held_size", "pack", "pack_start").iterator():
        span = span_of(row)
        for key, start, stop in packs.places_of(span):
            claims[key].append((start, stop))
    return claims


def _tile(claims: Iterable[tuple[int, int]], size: int) -> bool:
    end = 0
    for start, stop in sorted(claims):
        if start != end:
            return False
        end = stop
    return end == size


def _damage_of_text(pack: packs.PackRow) -> set[Damage]:
    try:
        text = codec.decode(pack.codec, bytes(pack.data))
    except codec.Unreadable:
        return {Damage.UNREADABLE}
    if (len(text), text.count(b"\n")) != (pack.size, pack.newlines):
        return {Damage.PACK_SIZE}
    return set()
