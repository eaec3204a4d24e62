"""Rows that are taken as they were read are models in every other way."""

from __future__ import annotations

import pytest

from joblogs import access
from joblogs.models import App, AppGrant, HostResult, JobInstance, Scope, StepInstance
from tests.builders import job, load, result, step

pytestmark = pytest.mark.django_db

NAMED = [(App, "app_code"), (Scope, "name"), (JobInstance, "name"), (StepInstance, "name")]


@pytest.mark.parametrize(("model", "column"), [*NAMED, (HostResult, "host_name")])
def test_what_was_not_read_is_fetched_and_what_was_is_saved(
    model, column, django_assert_num_queries
) -> None:
    load(job(name="restart"), step(name="restart"), result(host_name="restart"))
    access.create_app(code="restart", scopes=[("biz", "2")], read=True, write=False)
    Scope.objects.update(name="restart")
    with django_assert_num_queries(1):
        row = model.objects.defer(column).get()
        assert row.get_deferred_fields() == {column}
    with django_assert_num_queries(1):
        assert getattr(row, column) == "restart"
    assert row == model.objects.get()
    setattr(row, column, "renamed")
    with django_assert_num_queries(1):
        row.save(update_fields=[column])
    assert getattr(model.objects.get(), column) == "renamed"


def test_what_is_joined_comes_along_or_is_none(django_assert_num_queries) -> None:
    access.create_app(code="restart", all_scopes=True, read=True, write=False)
    with django_assert_num_queries(1):
        grant = AppGrant.objects.select_related("app", "scope").get()
        assert (grant.app.app_code, grant.scope) == ("restart", None)
