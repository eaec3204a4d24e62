"""Stores of all kinds of rows, drawn at random: what an export must not lose anything of."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from random import Random
from typing import Any

from tests.builders import CREATED, Fields, file_log, job, result, script_log, step

TEXTS = (b"", "é".encode() * 3, b"\xff\x00", b"x" * 20, "中".encode()[:2])


def world(random: Random) -> Iterator[Fields]:
    """Records of some jobs, each key of them said or not."""
    for scope in random.sample(("2", "10", "B", "b", "ü"), random.randint(1, 2)):
        for number in random.sample(range(1, 4), random.randint(1, 2)):
            said = _some(
                random, operator="zoe", source="x", launch_mode=7, task_type=-3, status=99,
                update_time=5, execute_count=2, total_time=3, start_time=1, end_time=2,
                scope_name=random.choice(("", "n", "m")),
            )  # fmt: skip
            if random.random() < 0.2:
                said["expired"] = {"at": 5, "policy": "p"}
            created = CREATED + random.randint(-(10**9), 10**9)
            name = random.choice(("", "a", "é\n"))
            yield job(number, bk_scope_id=scope, create_time=created, name=name, **said)
            for other in random.sample(range(1, 9), random.randint(0, 2)):
                yield from _step(random, number, other)


def _some(random: Random, **fields: Any) -> Fields:
    return {key: value for key, value in fields.items() if random.random() < 0.5}


def _step(random: Random, job: int, number: int) -> Iterator[Fields]:
    position = random.choice((0, 1, -5))
    more = _some(random, position=position, execute_count=2, create_time=9, status=1)
    yield step(number, job=job, step_type=random.choice((1, 2, 4)), **more)
    for host in random.sample(range(1, 9), random.randint(0, 3)):
        for count in sorted(random.sample(range(4), random.randint(1, 3))):
            for role in random.sample(("target", "source"), random.randint(1, 2)):
                place = {"job": job, "step": number, "execute_count": count}
                place["batch"] = random.randint(0, 2)
                yield from _result(random, host, role, place)


def _result(random: Random, host: int, role: str, place: Fields) -> Iterator[Fields]:
    names: tuple[Fields, ...] = (
        {},
        {"ip": None, "host_name": random.choice(("", "中"))},
        {"ip": None, "ipv6": "fd::1"},
    )
    said = random.choice(names) | _some(
        random, status=random.choice((3, 5, 7, 9, -2)), tag="", exit_code=-1, error_code=0,
        log_size=3, log_sha256="AB" * 32, actual_execute_count=0, update_time=7, bk_cloud_id=3,
    )  # fmt: skip
    yield result(host, role=role, **place, **said, **_marks(random))
    if role == "target":
        offset = 0
        for data in random.choices(TEXTS, k=random.randint(0, 3)):
            yield script_log(None, host=host, offset=offset, content_base64=_packed(data), **place)
            offset += len(data)
    for key in random.sample(("a", "B", "é", "\n"), random.randint(0, 2)):
        said = _some(random, status=random.randint(0, 5), size="", speed="1", update_time=3)
        if random.random() < 0.5:
            said |= {"offset": 0, "content_base64": _packed(random.choice(TEXTS))}
        if role == "target" and random.random() < 0.3:
            said["src"] = None
        said["task_key"] = f"{key}{role}{host}"
        mode = int(role == "target")
        yield file_log(host, mode=mode, **place, **said, **_marks(random))


def _marks(random: Random) -> Fields:
    found: Fields = {}
    if random.random() < 0.2:
        found |= {"truncated": True, "received_size": random.randint(0, 60)}
    if random.random() < 0.2:
        found["redacted"] = [[0, 2], [3, 5]]
    return found


def _packed(data: bytes) -> str:
    return base64.b64encode(data).decode()
