"""Late pieces of packed logs, which grow although their step had finished."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from django.db.models import Q

from joblogs.errors import Unavailable
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.store import packing
from joblogs.models import HostResult, StepInstance

from .log_update import LogUpdate

logger = logging.getLogger(__name__)


class PackedLogs:
    """Logs of a step that share packs with the logs of some hosts, within one transaction."""

    def __init__(self, step: StepInstance) -> None:
        self._step = step
        self._rows: list[HostResult] = []
        self._damaged: dict[int, bool] = {}

    def lock(self, hosts: Collection[int]) -> list[HostResult]:
        """Lock the step, then the host results of these hosts and all that share packs with them.

        They are locked by ascending id. Return the results of the hosts.
        """
        # Code that writes packs of a step locks its row.
        locked = StepInstance.objects.select_for_update(no_key=True)
        self._step = locked.get(pk=self._step.pk)
        rows = HostResult.objects.for_step(self._step)
        packed = rows.filter(host_id__in=hosts).exclude(pack=None)
        numbers = set(packed.values_list("pack", flat=True))
        every = rows.filter(Q(host_id__in=hosts) | Q(pack__in=numbers))
        self._rows = list(every.select_for_update().order_by("pk"))
        return [row for row in self._rows if row.host_id in hosts]

    def is_damaged(self, row: HostResult) -> bool:
        """Return whether a log cannot be moved out of its pack, checked before any log grows."""
        if row.pack is None:
            return False
        if row.pack not in self._damaged:
            others = [other for other in self._rows if other.pack == row.pack]
            try:
                packing.check_packs(self._step.day, others)
                self._damaged[row.pack] = False
            except Unreadable as error:
                if isinstance(error, Unavailable):
                    # Not damaged: its object is out of reach, and the producer sends the pieces
                    # again.
                    raise
                self._damaged[row.pack] = True
                message = (
                    "host result %s: %s in its pack, pieces are refused; verify_logs tells more"
                )
                logger.error(message, row.pk, type(error).__name__)
        return self._damaged[row.pack]

    def unpack(self, leaving: Sequence[LogUpdate]) -> None:
        """Move these logs back into chunks, with their sizes before they grew."""
        sizes = {update.row.pk: update.log.held_before for update in leaving}
        numbers = {update.row.pack for update in leaving}
        others = [row for row in self._rows if row.pack in numbers and row.pk not in sizes]
        rows = [update.row for update in leaving]
        packing.unpack(self._step.day, self._step, rows, others, sizes=sizes)
