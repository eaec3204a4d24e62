"""The quick way to a step is the same door as the one that all other pages come by."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User

from joblogs import access, query
from joblogs.errors import JobNotFound
from joblogs.models import Scope, StepInstance
from tests.builders import JOB, STEP, job, load, step

pytestmark = pytest.mark.django_db
HERE = {"scope_type": "biz", "scope_id": "2"}
NUMBERS = {"job_instance_id": JOB, "step_instance_id": STEP}


@pytest.fixture(autouse=True)
def two_scopes() -> None:
    """The same numbers in both; a group may browse the first, another one the second."""
    for number in ("2", "3"):
        load(job(bk_scope_id=number), step(bk_scope_type="biz", bk_scope_id=number))
    for scope in Scope.objects.all():
        scope.groups.add(Group.objects.create(name=f"of {scope.scope_id}"))


def _user(*groups: str, **fields: bool) -> User:
    user = User.objects.create(username="someone", **{"is_staff": True} | fields)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def _found(user: User, place: dict[str, str], numbers: dict[str, int]) -> StepInstance | None:
    try:
        return access.visible_step(user, **place, **numbers)  # type: ignore[arg-type]
    except JobNotFound:
        return None


def _found_among_jobs(
    user: User, place: dict[str, str], numbers: dict[str, int]
) -> StepInstance | None:
    try:
        return query.find_step(access.visible_jobs_in(user, **place), **numbers)
    except JobNotFound:
        return None


@pytest.mark.parametrize("superuser", [False, True])
@pytest.mark.parametrize("staff", [False, True])
@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("groups", [(), ("of 2",), ("of 3",), ("of 2", "of 3")], ids=str)
def test_who_may_browse_a_step(
    groups: tuple[str, ...], active: bool, staff: bool, superuser: bool
) -> None:
    user = _user(*groups, is_active=active, is_staff=staff, is_superuser=superuser)
    may = active and staff and (superuser or "of 2" in groups)
    found = _found(user, HERE, NUMBERS)
    assert (found is not None) == may
    assert found == _found_among_jobs(user, HERE, NUMBERS)
    if found is not None:
        assert (found.job.scope.scope_id, found.step_instance_id) == ("2", STEP)


@pytest.mark.parametrize(
    ("place", "numbers"),
    [
        ({"scope_id": "3"}, {}),
        ({"scope_id": "4"}, {}),
        ({"scope_id": "2\0"}, {}),
        ({"scope_type": "set"}, {}),
        ({"scope_type": "\ud800"}, {}),
        ({}, {"job_instance_id": JOB + 1}),
        ({}, {"job_instance_id": 10**30}),
        ({}, {"step_instance_id": STEP + 1}),
        ({}, {"step_instance_id": 2**63}),
    ],
)
def test_another_place_is_another_step_or_none(
    place: dict[str, str], numbers: dict[str, int]
) -> None:
    for user in (_user("of 2"), User(username="root", is_staff=True, is_superuser=True)):
        found = _found(user, HERE | place, NUMBERS | numbers)
        assert found == _found_among_jobs(user, HERE | place, NUMBERS | numbers)
        assert found is None or (user.is_superuser and found.job.scope.scope_id == "3")
