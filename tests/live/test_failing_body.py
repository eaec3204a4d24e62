"""A body that fails under the server: what our own log says of it, and what it does not."""

from __future__ import annotations

from tests.builders import HOST, job, lines, result, script_log, step
from tests.serving import Server, manage

LOSING = (
    "from joblogs.models import *; row = HostResult.objects.get(step__job__job_instance_id={});"
    "LogChunk.objects.filter(day=row.day, host_result_id=row.pk).delete()"
)


def test_the_log_names_the_fault_and_neither_the_query_nor_the_words(
    running: Server, doomed: int
) -> None:
    sent = [job(doomed), step(job=doomed), result(job=doomed), script_log(job=doomed)]
    assert running.post(lines(*sent))["result"]
    manage(running.environment, "shell", "-v", "0", "-c", LOSING.format(doomed))
    before = running.log.stat().st_size
    path = f"/api/v1/biz/2/jobs/{doomed}/steps/200/hosts/{HOST}/log"
    with running.answer("GET", f"{path}?tail=3&bk_app_secret=hunter2") as response:
        assert response.status == 500
    said = running.log.read_bytes()[before:].decode()
    assert f"gunicorn.error: Error handling request GET {path}?…" in said
    assert "Hole" in said
    assert "hunter2" not in said
