"""Fields that several answers of version 3 have in common."""

from __future__ import annotations

import re
from typing import Any

from joblogs.api.parameters import BIZ_SETS
from joblogs.choices import ScopeType
from joblogs.models import JobInstance, Scope, StepInstance

_PLAIN_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


def scope_fields(scope: Scope) -> dict[str, Any]:
    """A scope in both notations; the old one only where it leads back to the same scope."""
    number = int(scope.scope_id) if _PLAIN_NUMBER.fullmatch(scope.scope_id) else None
    has_biz_id = scope.scope_type == ScopeType.BIZ or (
        scope.scope_type == ScopeType.BIZ_SET and number in BIZ_SETS
    )
    return {
        "bk_biz_id": number if has_biz_id else None,
        "bk_scope_type": scope.scope_type,
        "bk_scope_id": scope.scope_id,
    }


def times(run: JobInstance | StepInstance) -> dict[str, int | None]:
    """When a job or step was created, started and ended, in milliseconds."""
    return {
        "create_time": run.create_time,
        "start_time": run.start_time,
        "end_time": run.end_time,
        "total_time": run.total_time,
    }
