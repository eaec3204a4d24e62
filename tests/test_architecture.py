"""The packages import only downwards, and the rules that check it find what they should."""

from __future__ import annotations

import sys
from pathlib import PurePosixPath

import pytest

from tests import architecture
from tests.architecture import RULES, Module, Rule

MODULES = architecture.modules()
KNOWN = MODULES[0].known | {"shippers.ship_log", "pages.views", "search"}


def test_the_project_s_own_files_are_short_too() -> None:
    files = sorted((architecture.ROOT / "jobplatform").glob("*.py"))
    lengths = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert not {name for name, length in lengths.items() if length > architecture.LONGEST}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_module_breaks_a_rule(rule: Rule) -> None:
    faults = [f"{module.path}: {fault}" for module in MODULES for fault in rule(module)]
    assert not faults, "\n".join([rule.__name__.replace("_", " ") + ", but:", *faults])


def test_the_shipper_needs_nothing_but_the_standard_library() -> None:
    foreign = {
        name
        for module in MODULES
        if module.name == "shippers.ship_log"
        for _, name in module.imports()
        if name.split(".")[0] not in sys.stdlib_module_names
    }
    assert not foreign


# Below: the rules themselves. (file, source): what each must find, and what none may.

BROKEN: dict[Rule, list[tuple[str, str]]] = {
    architecture.every_module_is_in_a_known_package: [
        ("tools.py", ""),
        ("api/utils.py", ""),
        ("common/__init__.py", ""),
    ],
    architecture.packages_import_only_what_lies_below_them: [
        ("access.py", "from joblogs import query"),
        ("access.py", "from . import ingest"),
        ("access.py", "import joblogs.ingest.precedence"),
        ("access.py", "from .logtext.store import a"),
        ("choices.py", "from joblogs import errors"),
        ("logtext/lines.py", "from . import store"),
        ("logtext/lines.py", "from .. import errors"),
        ("models/jobs.py", "from ..access import a"),
        ("ingest/a.py", "from joblogs.query import a"),
        ("query/a.py", "from ..api import envelope"),
        ("query/a.py", "from ..pages.views import a"),
        ("audit.py", "def late():\n    from joblogs.api.envelope import answer"),
        ("database.py", "from . import models"),
        ("demo/a.py", "from joblogs import ingest"),
        ("shippers/a.py", "from . import ship_log"),
        ("pages/views.py", "from ..api import forms"),
    ],
    architecture.records_and_log_text_know_no_database_and_no_http: [
        ("logtext/codec.py", "import django"),
        ("records.py", "from django.db import models"),
        ("choices.py", "from django.db import connection"),
    ],
    architecture.only_presentation_packages_speak_http: [
        ("ingest/a.py", "from django.http import HttpRequest"),
        ("query/a.py", "from rest_framework.request import Request"),
        ("query/a.py", "import rest_framework"),
    ],
    architecture.nothing_listens_to_signals: [
        ("apps.py", "from django.db.models.signals import post_save"),
        ("apps.py", "from django.db.models import signals"),
        ("apps.py", "from django.dispatch import receiver"),
    ],
    architecture.models_have_no_save_or_delete_of_their_own: [
        ("models/jobs.py", "class A:\n    def save(self): ..."),
        ("models/a.py", "class A:\n    async def adelete(self): ..."),
    ],
    architecture.imports_name_what_they_take_at_the_top: [
        ("access.py", "def f():\n    import os"),
        ("access.py", "from os import *"),
        ("access.py", "importlib.import_module('os')"),
    ],
    architecture.chunks_are_never_chosen_by_pk_in: [
        ("logtext/store.py", "rows(pk__in=keys)"),
        ("maintenance/a.py", "rows(**{'pk__in': keys})"),
    ],
    architecture.only_the_store_touches_chunks_and_packs: [
        ("ingest/a.py", "from joblogs.models import LogChunk"),
        ("query/a.py", "models.LogChunk.objects"),
        ("query/a.py", "models.LogPack.objects"),
        ("admin.py", "apps.get_model('joblogs', 'LogChunk')"),
        ("database.py", "run('DELETE FROM joblogs_logchunk')"),
    ],
    architecture.a_chunk_that_is_there_already_is_an_error: [
        ("logtext/store.py", "a(ignore_conflicts=True)"),
        ("database.py", "f'INSERT {a} on conflict do nothing'"),
    ],
    architecture.rows_are_looked_up_only_in_the_packages_for_it: [
        ("api/views.py", "Scope.objects.first()"),
        ("pages/views.py", "jobs.filter(pk=1)"),
        ("sources/a.py", "jobs.exclude(pk=1)"),
    ],
    architecture.only_the_database_package_asks_which_database_it_is: [
        ("query/a.py", "connection.vendor == 'sqlite'"),
    ],
    architecture.nothing_is_caught_blindly: [
        ("audit.py", "try: ...\nexcept Exception: ..."),
        ("audit.py", "try: ...\nexcept (OSError, BaseException): ..."),
        ("audit.py", "try: ...\nexcept: ..."),
        ("audit.py", "with suppress(Exception): ..."),
    ],
    architecture.files_stay_short: [
        ("audit.py", "\n" * 401),
    ],
}
SOUND = [
    ("ingest/hierarchy.py", "from joblogs import access, database, records\nfrom . import merge"),
    ("query/logs.py", "from joblogs.logtext import store\nfrom joblogs.logtext.pieces import a"),
    ("logtext/store.py", "from joblogs.models import LogChunk\nfrom .chunks import chunks"),
    ("logtext/fingerprint.py", "'''What LogChunk holds.'''\nfrom .lines import LineCutter"),
    ("choices.py", "from django.db.models import IntegerChoices, TextChoices"),
    ("models/logs.py", "from .jobs import StepInstance\nfrom joblogs.choices import Role"),
    ("management/commands/demo.py", "from joblogs.ingest import ingest\nApp.objects.first()"),
    ("api/authentication.py", "from joblogs.models import App\nApp.objects.filter(pk=1)"),
    ("migrations/0001_initial.py", "from joblogs.database import set_fillfactor" + "\n" * 900),
    ("shippers/ship_log.py", "import json\nfrom urllib import request"),
    ("audit.py", "try: ...\nexcept (OSError, ValueError): ...\nwith suppress(KeyError): ..."),
]


def _found(rule: Rule, file: str, source: str) -> list[str]:
    return list(rule(Module(PurePosixPath("joblogs", file), source, KNOWN)))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_finds_what_breaks_it(rule: Rule) -> None:
    missed = [case for case in BROKEN[rule] if not _found(rule, *case)]
    assert BROKEN[rule]
    assert not missed


@pytest.mark.parametrize(("file", "source"), SOUND)
def test_no_rule_minds_what_is_as_designed(file: str, source: str) -> None:
    assert [fault for rule in RULES for fault in _found(rule, file, source)] == []
