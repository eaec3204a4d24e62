"""Base of the endpoints v4_get_…_task_context: why a task failed on a host.

The response is a list of texts for language models. Facts that no record has are empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Annotated, Any, TypeVar

from django.http.response import HttpResponseBase
from msgspec import Meta, Struct
from rest_framework.request import Request

from joblogs import query
from joblogs.api.base import StepParams, StepView
from joblogs.api.exchange import exchange_of, success
from joblogs.api.fields import (
    COUNT,
    ID,
    NUMBER,
    Parameter,
    Params,
    job_id_param,
    number_param,
    step_id_param,
)
from joblogs.api.parameters import at_least
from joblogs.api.v3.plugin_objects import CONTAINER_OBJECT, HOST_OBJECT
from joblogs.choices import StepType
from joblogs.errors import (
    BadRequest,
    ExecuteObjectNotFound,
    ParameterInvalid,
    StepTypeUnsupported,
    Text,
)
from joblogs.models import StepInstance
from joblogs.query import StepHost


def required_number(params: Params, field: str, *, least: int, text: Text) -> int:
    """Return an integer from `least`. Raise BadRequest with `text`."""
    return at_least(params.get(field), least, text)


_count_param = Parameter(
    partial(required_number, least=0, text=BadRequest.EXECUTE_COUNT),
    COUNT,
    "This run of the step, and no earlier one.",
    required=True,
)
_batch_param = number_param("This rolling batch of it; none or below 1: any.")
_type_param = Parameter(
    partial(required_number, least=-(2**63), text=BadRequest.OBJECT_TYPE),
    NUMBER,
    "1 a host, 2 a container, of which there are none here.",
    required=True,
)
_object_param = Parameter(
    partial(required_number, least=1, text=BadRequest.OBJECT_ID),
    ID,
    "The host's id.",
    required=True,
)


class TaskContextParams(StepParams, frozen=True, kw_only=True):
    """Parameters: one run of a step on one execute object."""

    job_instance_id: Annotated[int, job_id_param]
    step_instance_id: Annotated[int, step_id_param]
    execute_count: Annotated[int, _count_param]
    batch: Annotated[int | None, _batch_param]
    execute_object_type: Annotated[int, _type_param]
    execute_object_resource_id: Annotated[int, _object_param]

    @property
    def run(self) -> dict[str, Any]:
        """Arguments of queries for the attempt and rolling batch; a batch below 1 is None."""
        batch = self.batch if self.batch is not None and self.batch > 0 else None
        return {"execute_count": self.execute_count, "batch": batch}


class ContextField(Struct):
    """One fact of a task."""

    name: str
    value: str
    description: Annotated[str, Meta(description="What it is, in the language of the request.")]


class TaskContext(Struct):
    """Facts of a task, in a fixed order."""

    field_list: list[ContextField]


C = TypeVar("C", bound=TaskContextParams)


class TaskContextView(StepView[C]):
    """Base view of a task's context: it finds the host in the run; a subclass adds the facts."""

    http_method_names = ["post"]
    errors = (*StepView.errors, StepTypeUnsupported, ExecuteObjectNotFound)

    def answer_step(self, request: Request, step: StepInstance, params: C) -> HttpResponseBase:
        if step.step_type == StepType.APPROVAL:
            raise StepTypeUnsupported
        if params.execute_object_type not in (HOST_OBJECT, CONTAINER_OBJECT):
            raise ParameterInvalid(None, "execute_object_type")
        host = None
        if params.execute_object_type == HOST_OBJECT:
            host = query.host_in_run(step, params.execute_object_resource_id, **params.run)
        if host is None:
            raise ExecuteObjectNotFound
        language = exchange_of(request._request).language
        facts = [
            ContextField(name, value, text.en if language == "en" else text.zh)
            for name, value, text in self.facts(request, step, host, params)
        ]
        return success(request._request, TaskContext(facts))

    def facts(
        self, request: Request, step: StepInstance, host: StepHost, params: C
    ) -> Iterable[tuple[str, str, Text]]:
        """Yield name, value and description of each fact; reads of logs are recorded."""
        raise NotImplementedError
