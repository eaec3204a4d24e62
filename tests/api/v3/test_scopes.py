"""Which scope a request names, and that a job is a number within it (docs/api.md, Requests)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.builders import Fields, asking, credentials, job, load, result, script_log, step

Ask = Callable[..., Any]
Texts = Callable[..., dict[int, str]]
CodeAndMessage = Callable[..., tuple[int, str]]
NO_PAIR: Fields = {"bk_scope_type": None, "bk_scope_id": None}


def load_in(scope_type: str, scope_id: str, text: str) -> None:
    """The same job, step and host as in any other scope, with a log of its own."""
    credentials(scopes=((scope_type, scope_id),))
    scope: Fields = {"bk_scope_type": scope_type, "bk_scope_id": scope_id}
    load(job(**scope), step(**scope), result(**scope), script_log(text, **scope))


@pytest.fixture
def answer(ask: Ask) -> Callable[..., str | int]:
    """The log that a request is answered with, else the code of its error."""

    def answer(**fields: Any) -> str | int:
        envelope = ask(asking(**fields), caller=credentials()).json()
        if envelope["code"]:
            return int(envelope["code"])
        return str(envelope["data"]["script_task_logs"][0]["log_content"])

    return answer


@pytest.mark.parametrize("scope_type", ["biz", "biz_set", "tenant_set"])
def test_a_scope_is_named_by_type_and_id(answer: Callable[..., str | int], scope_type: str) -> None:
    for kind in ("biz", "biz_set", "tenant_set"):
        load_in(kind, "5", f"of {kind}")
    assert answer(bk_scope_type=scope_type, bk_scope_id="5") == f"of {scope_type}"
    assert answer(bk_scope_type=scope_type, bk_scope_id=5) == f"of {scope_type}"


def test_a_number_is_another_job_in_another_scope(answer: Callable[..., str | int]) -> None:
    for number in ("2", "3"):
        load_in("biz", number, f"of {number}")
    assert answer(bk_scope_id="2") == "of 2"
    assert answer(bk_scope_id="3") == "of 3"


@pytest.mark.parametrize(
    "scope_id", ["02", " 2", "2 ", "2.0", "+2", "２", "2\0", "\ud800", "x" * 99]
)
def test_a_scope_id_is_compared_exactly(answer: Callable[..., str | int], scope_id: str) -> None:
    load_in("biz", "2", "of 2")
    assert answer(bk_scope_id=scope_id) == 1243049


@pytest.mark.parametrize("scope_id", ["业务", "a b", "a\u00a0b", "a\tb", "\u200b", "é", "e\u0301"])
def test_any_id_that_a_record_may_give_a_scope_can_be_asked_for(
    answer: Callable[..., str | int], scope_id: str
) -> None:
    load_in("biz", scope_id, "of it")
    assert answer(bk_scope_id=scope_id) == "of it"


@pytest.mark.parametrize("scope_id", [True, False, 2.0, 2.5, ["2"], {"id": "2"}, {}])
def test_a_scope_id_is_a_string_or_an_integer(
    code_and_message: CodeAndMessage, scope_id: Any
) -> None:
    body = asking(bk_scope_id=scope_id)
    assert code_and_message(body) == (1240003, "非法的资源范围 ID")


@pytest.mark.parametrize("absent", [None, "", "  "])
def test_half_a_pair_is_no_scope(code_and_message: CodeAndMessage, absent: str | None) -> None:
    for biz in ({}, {"bk_biz_id": 2}):
        no_id = asking(bk_scope_id=absent, **biz)
        assert code_and_message(no_id) == (1240003, "非法的资源范围 ID")
        no_type = asking(bk_scope_type=absent, **biz)
        assert code_and_message(no_type) == (1240003, "非法的资源范围类型")


@pytest.mark.parametrize(
    "kind", ["BIZ", " biz", "business_set", "0", 1, True, ["biz"], {}, "\ud800"]
)
def test_an_unknown_type_of_scope_is_told_so(code_and_message: CodeAndMessage, kind: Any) -> None:
    body = asking(bk_scope_type=kind)
    assert code_and_message(body) == (1241005, "请求参数[bk_scope_type]不合法")


@pytest.mark.parametrize(
    ("number", "scope_type"),
    [
        (2, "biz"),
        (7_999_999, "biz"),
        (8_000_000, "biz_set"),
        (9_999_999, "biz_set"),
        (10_000_000, "biz"),
        ("9999999", "biz_set"),
    ],
)
def test_the_deprecated_business_id_still_names_a_scope(
    answer: Callable[..., str | int], number: Any, scope_type: str
) -> None:
    for kind in ("biz", "biz_set"):
        load_in(kind, str(number), f"of {kind}")
    assert answer(**NO_PAIR, bk_biz_id=number) == f"of {scope_type}"


@pytest.mark.parametrize("number", [3, "3", "x", True, [], -1])
def test_beside_the_pair_the_business_id_is_not_read(
    answer: Callable[..., str | int], number: Any
) -> None:
    load_in("biz", "2", "of 2")
    assert answer(bk_biz_id=number) == "of 2"


@pytest.mark.parametrize("number", [0, -2, 404, 2**63 - 1, -(2**63)])
def test_a_business_that_does_not_exist_is_told_so(
    answer: Callable[..., str | int], number: int
) -> None:
    load_in("biz", "2", "of 2")
    assert answer(**NO_PAIR, bk_biz_id=number) == 1243049


def test_no_scope_at_all_is_a_bad_request(code_and_message: CodeAndMessage) -> None:
    for fields in ({}, {"bk_biz_id": None}, {"bk_biz_id": " "}):
        code, message = code_and_message(asking(**NO_PAIR, **fields))
        assert code == 1240003
        assert message in ("非法的资源范围类型", "非法的资源范围 ID", "非法的业务 ID")
