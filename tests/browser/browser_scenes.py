"""What is shown besides the demo: a step with an odd checksum, one that runs, hostile output."""

from __future__ import annotations

from tests.builders import Fields, job, result, script_log, step

DEPLOY, RUNNING, HOSTILE = 2000, 2001, 2002
ODD_HOST, FAILED_HOST, RUNNING_HOST = 9, 7, 3
EVIL = "<img src=x onerror=alert(1)>\u202egpj.exe"


def place(number: int) -> str:
    """The address of a job's one step."""
    return f"/logs/biz/2/jobs/{number}/steps/{number}1/"


def _job(number: int, **fields: object) -> list[Fields]:
    times: Fields = {"create_time": 1_795_676_400_000, "start_time": 1_795_676_400_000}
    steps = {name: fields[name] for name in ("name", "status")}
    return [job(number, **times, **fields), step(int(f"{number}1"), job=number, **steps)]


def _host(number: int, host: int, text: str, **fields: object) -> list[Fields]:
    where: Fields = {"job": number, "step": int(f"{number}1")}
    told: Fields = {"host_name": f"web-{host:02}", "status": 9} | fields
    return [result(host, **where, **told), script_log(text, host=host, **where)]


def _deployed(host: int) -> list[Fields]:
    text = f"2026-11-26 08:00:{host:02} start pid={host}\n"
    if host == FAILED_HOST:
        failed = "tar: Cannot write: No space left on device\n"
        return _host(DEPLOY, host, text + failed, status=104, exit_code=2, total_time=9_000)
    text += f"checksum: {'9f2c11d0' if host == ODD_HOST else '4be07a55'}\n"
    text += "".join(f"line {line}\n" for line in range(3, 900)) + "done\n"
    return _host(DEPLOY, host, text, exit_code=0, total_time=1000 + host)


SCENES: list[Fields] = [
    *_job(DEPLOY, name="deploy 4.18", operator="li.wei", status=4),
    *[record for host in range(1, 31) for record in _deployed(host)],
    *_job(RUNNING, name="rolling restart", status=2),
    *_host(RUNNING, RUNNING_HOST, "restarting\n", status=7),
    *_job(HOSTILE, name=EVIL, status=4),
    *_host(HOSTILE, 1, f"{EVIL}\n\x1b]0;owned\x07\n", host_name=EVIL, tag=EVIL, status=104),
]
