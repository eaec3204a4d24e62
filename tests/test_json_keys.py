"""The keys of a line are counted without reading it as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs import record_json
from tests.builders import Fields, file_log, job, result, script_log, step

MOST = record_json.KEYS_MAX
EVERY = [job(), step(), result(), script_log(), file_log()]


def _count(value: Any) -> int:
    """The keys of a value that JSON was made of."""
    if isinstance(value, dict):
        return len(value) + sum(map(_count, value.values()))
    return sum(map(_count, value)) if isinstance(value, list) else 0


def _filled(said: Fields, keys: int) -> Fields:
    """A record with so many keys, all but its own ones dropped."""
    return said | {f"x_{n}": n for n in range(keys - _count(said))}


def _refusal(line: bytes) -> str:
    with pytest.raises(record_json.InvalidRecord) as error:
        record_json.decode(line)
    assert record_json.decode_all([line]) is None
    return str(error.value)


@pytest.mark.parametrize("said", EVERY, ids=lambda said: said["type"])
def test_a_record_has_at_most_256_keys(said: Fields) -> None:
    assert record_json.decode(json.dumps(_filled(said, MOST)).encode())
    assert "256 keys" in _refusal(json.dumps(_filled(said, MOST + 1)).encode())


@pytest.mark.parametrize("nested", [{"x_a": {"b": {}}}, {"x_a": [{"b": 1}, {"b": 2}]}])
def test_keys_of_nested_objects_count(nested: Fields) -> None:
    rest = _filled(job(), MOST - _count(nested))
    assert record_json.decode(json.dumps(rest | nested).encode())
    assert "256 keys" in _refusal(json.dumps(rest | nested | {"x_more": 1}).encode())


@pytest.mark.parametrize("key", ['"status"', '"statu\\u0073"', '"status" \t\r', '"x_\\\\"', '""'])
def test_a_doubled_key_counts_each_time_however_it_is_written(key: str) -> None:
    line = json.dumps(job()).replace("}", f",{key}:3" * 300 + "}")
    assert "256 keys" in _refusal(line.encode())


@pytest.mark.parametrize(
    "content", ['"a":1,' * 400, '\\"a\\":1,' * 400, '"' * 1000, "\\" * 1000, '{"a": "b"}\n' * 400]
)
def test_what_a_text_holds_is_no_key(content: str) -> None:
    line = json.dumps(script_log(content)).encode()
    assert record_json.decode_all([line]) == [record_json.decode(line)]
    recorded = json.dumps(job(x_note=content, x_list=[content])).encode()
    assert record_json.decode(recorded)


_values = st.recursive(
    st.none() | st.text(alphabet='a"\\:{}, \n', max_size=20) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=40)
        | st.dictionaries(st.text(alphabet='ab"\\:{}', max_size=6), inner, max_size=40)
    ),
    max_leaves=300,
)


@given(_values, st.booleans(), st.integers(0, 300))
def test_any_json_is_counted_as_what_it_was_made_of(value: Any, spaced: bool, more: int) -> None:
    whole = [value, {f"key {n}": "" for n in range(more)}]
    line = json.dumps(whole, separators=(" ,\n", "\t : ") if spaced else (",", ":")).encode()
    assert record_json.has_too_many(line) == (_count(whole) > MOST)


@pytest.mark.parametrize(
    "line", [b'{"a":1,"' + b"x" * 10**6, b'"\\' * 10**6, b'"":' * 400, b'"' * 10**6]
)
def test_what_is_no_json_is_looked_through_once(line: bytes) -> None:
    assert _refusal(line)
