"""The Chinese texts: nothing is left in English, nothing is out of date, and pages show them.

After a change of texts: `make messages` (needs gettext), translate what is new, `make messages`.
"""

from __future__ import annotations

import ast
import gettext
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from django.test import Client
from django.utils.translation import override
from jinja2 import FileSystemLoader, nodes

from joblogs.api.v3.status_names import name_of
from joblogs.choices import HostStatus, RunStatus
from joblogs.pages.rendering import partials
from tests.builders import job, load, result, script_log, step
from tests.pages.page_helpers import page, staff

ROOT = Path(__file__).resolve().parent.parent
PO = Path("joblogs/locale/zh_Hans/LC_MESSAGES/django.po")
PARTIALS = ROOT / "templates" / "partials"
PLACEHOLDER = re.compile(r"%\(\w+\)[-#0 +]*[\d.]*[a-zA-Z]|%[-#0 +]*[\d.]*[a-zA-Z%]|\{\w*\}")
VERDICTS = (
    "succeeded|failed|timed out|no output|running|waiting|skipped|terminated|abandoned|abnormal"
)


class Message(NamedTuple):
    """An entry of the file."""

    context: str | None
    msgid: str
    plural: str | None
    texts: tuple[str, ...]
    fuzzy: bool

    @property
    def key(self) -> tuple[str | None, str, str | None]:
        return self.context, self.msgid, self.plural


def parse(po: Path) -> list[Message]:
    """The entries of a .po file but for its header."""
    messages = []
    for block in po.read_text(encoding="utf-8").strip().split("\n\n"):
        said: dict[str, str] = {}
        keyword = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            start = line.index('"')
            keyword = line[:start].strip() or keyword
            said[keyword] = said.get(keyword, "") + ast.literal_eval(line[start:])
        if said.get("msgid"):
            texts = tuple(text for name, text in said.items() if name.startswith("msgstr"))
            fuzzy = re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE) is not None
            messages.append(
                Message(said.get("msgctxt"), said["msgid"], said.get("msgid_plural"), texts, fuzzy)
            )
    return messages


def _placeholders(text: str) -> list[str]:
    return sorted(set(PLACEHOLDER.findall(text)))


def test_every_text_is_translated_and_none_is_a_guess() -> None:
    messages = parse(ROOT / PO)
    assert len(messages) > 300
    assert [message.key for message in messages if not all(message.texts)] == []
    assert [message.key for message in messages if message.fuzzy] == []
    assert [message.key for message in messages if len(message.texts) != 1] == []  # nplurals=1


def test_placeholders_are_those_of_the_original() -> None:
    """Of the plural, where there is one: it is Chinese for one as well."""
    wrong = [
        (message.key, message.texts)
        for message in parse(ROOT / PO)
        if any(
            _placeholders(text) != _placeholders(message.plural or message.msgid)
            for text in message.texts
        )
    ]
    assert wrong == []


@pytest.mark.skipif(
    shutil.which("xgettext") is None,
    reason="NOT TESTED that the Chinese texts are all: xgettext is missing (Debian: gettext)",
)
def test_extraction_finds_the_texts_that_the_file_has(tmp_path: Path) -> None:
    for folder in ("joblogs", "jobplatform", "templates"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "manage.py", tmp_path)
    told = {"SECRET_KEY": "x", "DJANGO_SETTINGS_MODULE": "jobplatform.settings"}
    command = [sys.executable, "manage.py", "makemessages", "-l", "zh_Hans"]
    subprocess.run(
        [*command, "--no-obsolete", "--no-location"],
        cwd=tmp_path,
        env={**os.environ, **told},
        check=True,
        capture_output=True,
    )
    found = {message.key for message in parse(tmp_path / PO)}
    known = {message.key for message in parse(ROOT / PO)}
    assert found - known == set(), "run makemessages and translate these"
    assert known - found == set(), "run makemessages: these are no longer said"


def test_a_text_of_a_partial_is_in_the_file() -> None:
    """Extraction reads only `_("…")` with the text itself in it."""
    known = {message.msgid for message in parse(ROOT / PO)}
    environment = partials(loader=FileSystemLoader(PARTIALS))
    calls = [
        call
        for name in environment.list_templates()
        for call in environment.parse((PARTIALS / name).read_text()).find_all(nodes.Call)
        if call.node == nodes.Name("_", "load")
    ]
    assert len(calls) >= 3
    texts = [getattr(call.args[0], "value", None) for call in calls]
    assert [text for text in texts if text not in known] == []


def test_no_text_of_a_partial_is_left_unmarked() -> None:
    """Markup only: what stands between tags has no letters of its own."""
    wrong = [
        (path.name, text.strip())
        for path in sorted(PARTIALS.glob("*.html"))
        for text in re.findall(r">([^<>]*)<", re.sub(r"{[{%].*?[%}]}", "", path.read_text()))
        if re.search(r"[A-Za-z]", text)
    ]
    assert wrong == []


def test_texts_are_marked_by_names_that_extraction_knows() -> None:
    """It goes by the name of the function: a text in `_t("…")` would never be found."""
    named = [
        (str(path.relative_to(ROOT)), name.asname)
        for folder in ("joblogs", "jobplatform")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for name in node.names
    ]
    assert len(named) > 10
    assert [(path, name) for path, name in named if name not in (None, "_")] == []


def test_the_compiled_file_is_up_to_date() -> None:
    with (ROOT / PO).with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    expected: dict[str | tuple[str, int], str] = {}
    for message in parse(ROOT / PO):
        before = "" if message.context is None else f"{message.context}\x04"
        if message.plural is None:
            expected[before + message.msgid] = message.texts[0]
        else:
            expected[before + message.msgid, 0] = message.texts[0]
    assert {key: text for key, text in compiled.items() if key} == expected


def test_statuses_are_called_what_bk_job_calls_them() -> None:
    with override("zh-hans"):
        hosts = {status.value: str(status.label) for status in HostStatus}
        runs = {status.value: str(status.label) for status in RunStatus}
    # "failed" is one word of ours for jobs, steps, hosts and files, two of the reference's.
    assert hosts.pop(11) == runs[4] == "执行失败"
    assert hosts == {status: name_of(status, language="zh") for status in hosts}
    assert runs == {
        1: "等待执行",
        2: "正在执行",
        3: "执行成功",
        4: "执行失败",
        5: "跳过",
        6: "忽略错误",
        7: "等待确认",
        8: "手动结束",
        9: "状态异常",
        10: "强制终止中",
        11: "强制终止成功",
        13: "确认终止",
        14: "被丢弃",
        15: "滚动等待",
    }


def _shown(client: Client, address: str) -> str:
    """What a page says: its text, and what is read out or shown at the pointer."""
    response = client.get(address)
    assert response.status_code == 200
    assert response.headers["Content-Language"] == "zh-hans"
    html = response.content.decode()
    told = re.findall(r'\b(?:aria-label|title|placeholder)="([^"]*)"', html)
    body = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)
    return "\n".join([re.sub(r"<[^>]*>", " ", body), *told])


@pytest.mark.django_db
@pytest.mark.parametrize("which", ["jobs", "step"])
def test_pages_are_chinese_for_who_chose_it(which: str) -> None:
    load(job(status=4), step(status=4))
    for host, status in enumerate((9, 9, 9, 104, 13, 102, 7, 5), start=1):
        load(result(host, status=status))
        if status in (9, 104):
            load(script_log("all is well\n" if status == 9 else "no space left\n", host=host))
    client = staff()
    client.cookies["django_language"] = "zh-hans"
    said = _shown(client, "/logs/" if which == "jobs" else page("step", host=None))
    assert "作业" in said
    assert "执行成功" in said
    assert re.findall(rf"\b(?:{VERDICTS})\b", said) == []


@pytest.mark.django_db
def test_what_an_address_asks_for_wrongly_is_named_in_chinese() -> None:
    load(job(), step(), result(status=9), script_log())
    client = staff()
    client.cookies["django_language"] = "zh-hans"
    wrong = f"?to=nobody&attempt=-1&batch=x&other={'x' * 257}"
    said = re.findall(r"(\S+(?: \S+)?): ", _shown(client, page("compare") + wrong))
    assert said == ["对比对象", "另一台主机", "执行次数", "批次"]
    said = re.findall(r"(\S+): ", _shown(client, page("log") + wrong))
    assert said[:2] == ["执行次数", "批次"]
