"""Pages of jobs, newest first, of all scopes and of some."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from joblogs import access
from joblogs.models import JobInstance, Scope
from joblogs.query import job_list
from joblogs.query.job_list import JobKey, jobs_after
from tests.builders import job, load

pytestmark = pytest.mark.django_db
SCOPES = 6
TIME = 1_764_000_000_000


@pytest.fixture(autouse=True)
def store() -> None:
    """Jobs of several scopes: one has most of them, one has old ones only, one has none."""
    records = []
    for number in range(1, 61):
        scope = (1, 1, 1, 2, 3, 4)[number * 7 % 6]
        age = number * 13 % 20 + (1000 if scope == 4 else 0)
        records.append(job(number, bk_scope_id=str(scope), create_time=TIME - age))
    load(*records)
    Scope.objects.create(scope_type="biz", scope_id="5")


def pages(jobs: QuerySet[JobInstance], scopes: list[Scope], length: int) -> list[list[int]]:
    """Keys of the jobs of every page."""
    result, after = [], None
    while True:
        page, after = jobs_after(jobs, after, length=length, scopes=scopes)
        result.append([job.pk for job in page])
        if after is None:
            return result


@pytest.mark.parametrize("length", [1, 4, 100])
@pytest.mark.parametrize("names", [["1"], ["4"], ["2", "4"], ["5"], ["1", "2", "3", "4", "5"]])
def test_pages_of_some_scopes_hold_each_job_once_in_order(names: list[str], length: int) -> None:
    scopes = list(Scope.objects.filter(scope_id__in=names))
    jobs = JobInstance.objects.filter(scope__in=scopes)
    expected = sorted(jobs, key=lambda job: (-job.create_time, -job.pk))
    by_page = pages(jobs, scopes, length)
    assert [key for page in by_page for key in page] == [job.pk for job in expected]
    assert {len(page) for page in by_page[:-1]} <= {length}


def test_a_page_asks_as_much_for_one_scope_as_for_all() -> None:
    counts = []
    for names in (["4"], ["1", "2", "3", "4", "5"]):
        scopes = list(Scope.objects.filter(scope_id__in=names))
        jobs = JobInstance.objects.filter(scope__in=scopes)
        with CaptureQueriesContext(connection) as made:
            jobs_after(jobs, JobKey(TIME, 10**9), length=3, scopes=scopes)
        counts.append(len(made))
    assert counts == [2, 2]


def test_the_scopes_of_a_user_are_asked_for_once_a_request() -> None:
    user = User.objects.create_user("zoe", is_staff=True)
    group = Group.objects.create(name="ours")
    user.groups.add(group)
    Scope.objects.get(scope_id="4").groups.add(group)
    with CaptureQueriesContext(connection) as made:
        for _ in range(2):
            assert {job.scope.scope_id for job in access.visible_jobs(user)} == {"4"}
            assert [scope.scope_id for scope in access.visible_scopes(user)] == ["4"]
    assert sum("auth_user_groups" in query["sql"] for query in made) == 1


def test_rights_that_are_taken_away_count_from_the_next_request_on() -> None:
    user = User.objects.create_user("zoe", is_staff=True)
    group = Group.objects.create(name="ours")
    user.groups.add(group)
    Scope.objects.get(scope_id="4").groups.add(group)
    assert access.visible_jobs(user).exists()
    user.groups.clear()
    assert not access.visible_jobs(User.objects.get(pk=user.pk)).exists()


def test_a_search_looks_through_so_many_jobs_a_page_and_misses_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_list, "LOOKED_THROUGH", 7)
    every = JobInstance.objects.all()
    rare = every.filter(job_instance_id__in=[9, 18, 40])
    expected = list(rare.order_by("-create_time", "-pk").values_list("pk", flat=True))
    found, after, looks = [], None, 0
    while True:
        until = job_list.look_back(every, after)
        page, after = jobs_after(rare, after, length=2, until=until)
        found += [job.pk for job in page]
        looks += 1
        if after is None:
            break
    assert found == expected
    assert looks >= 60 // 7


def test_a_reader_of_few_jobs_has_all_of_them_looked_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_list, "LOOKED_THROUGH", 20)
    few = JobInstance.objects.filter(scope__scope_id="4")
    assert 0 < few.count() <= 20
    assert job_list.look_back(few, None) is None
    assert job_list.look_back(JobInstance.objects.all(), None) is not None
