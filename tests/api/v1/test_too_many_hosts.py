"""A step of more hosts than one answer may hold: what the refusal says."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.builders import BATCH, asking, credentials, job, load, result, step

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "the step has 501 hosts, more than 500;"),
        ("zh", "该步骤共有 501 台主机，超过 500 台，"),
    ],
)
def test_it_says_how_many_hosts_there_are_and_how_many_may_be(language: str, said: str) -> None:
    load(job(), step(), *(result(host) for host in range(1, 502)))
    answer = Client().post(
        BATCH,
        json.dumps(asking()),
        content_type="application/json",
        headers={**credentials(), "Blueking-Language": language},
    )
    assert said in answer.json()["message"]
