"""What migrations after release 1 may do: nothing that stops the program before them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from joblogs.database import AddCheckOnline, AddIndexOnline, RemoveIndexOnline

FIRST = "0001_release_1"
LARGE = {
    *("jobinstance", "stepinstance", "host", "hostresult", "filelog", "logread"),
    *("logchunk", "logfeatures", "logpack", "signedpart", "signaturerow"),
}
"""Models whose tables are too large to be locked while an index of them is built."""
DELETED = {"jobinstance", "stepinstance", "host", "hostresult", "filelog"}
"""Models whose rows programs delete: retention, removals."""
REMOVALS = (
    *(migrations.RemoveField, migrations.DeleteModel, migrations.RenameField),
    *(migrations.RenameModel, migrations.AlterModelTable),
)


def later_migrations() -> list[migrations.Migration]:
    nodes = MigrationLoader(None).disk_migrations
    return [each for (app, name), each in nodes.items() if app == "joblogs" and name != FIRST]


def faults(migration: migrations.Migration) -> Iterator[str]:
    made = {
        operation.name_lower
        for operation in migration.operations
        if isinstance(operation, migrations.CreateModel)
    }
    for operation in migration.operations:
        large = getattr(operation, "model_name_lower", "") in LARGE - made
        yield from (f"{migration.name}: {fault}" for fault in _faults(operation, large))
    online = any(isinstance(each, AddIndexOnline) for each in migration.operations)
    if online and (migration.atomic or len(migration.operations) > 1):
        yield f"{migration.name}: an online index is alone in its migration, with atomic = False"
    removed = [isinstance(each, RemoveIndexOnline) for each in migration.operations]
    if any(removed) and (migration.atomic or not all(removed)):
        yield f"{migration.name}: indexes go online with nothing else, with atomic = False"


def _faults(operation: Operation, large: bool) -> Iterator[str]:
    if isinstance(operation, migrations.AddField):
        field = operation.field
        if not (field.null or field.many_to_many or field.has_db_default()):
            yield f"{operation.name} is NOT NULL without db_default: older programs cannot insert"
        if large and (getattr(field, "db_index", False) or field.unique):
            yield f"{operation.name} builds an index while its table is locked"
    online = isinstance(operation, AddIndexOnline)
    if isinstance(operation, migrations.AddIndex) and large and not online:
        yield f"{operation.index.name} is built while its table is locked: AddIndexOnline"
    removed_online = isinstance(operation, RemoveIndexOnline)
    if isinstance(operation, migrations.RemoveIndex) and large and not removed_online:
        yield f"{operation.name} is built on the way back while its table is locked"
    if isinstance(operation, migrations.AddConstraint) and large:
        if isinstance(operation, AddCheckOnline):
            return
        yield f"{operation.constraint.name} is checked while its table is locked"
    if isinstance(operation, migrations.CreateModel):
        for name, field in operation.fields:
            target = getattr(field.remote_field, "model", "")
            held = getattr(field, "db_constraint", False)
            if held and str(target).lower().removeprefix("joblogs.") in DELETED:
                yield f"{operation.name}.{name}: older programs cannot delete what it points to"
    if isinstance(operation, REMOVALS):
        yield f"{operation.describe()}: older programs read and write it"


def test_they_leave_the_program_before_them_running() -> None:
    assert [fault for each in later_migrations() for fault in faults(each)] == []


def example(*operations: Operation) -> migrations.Migration:
    made = type("Migration", (migrations.Migration,), {"operations": operations})
    return made("0002_example", "joblogs")


INDEX = models.Index(fields=["status"], name="example")


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("hostresult", "pages", models.IntegerField(default=0)),
        migrations.AddField("app", "pages", models.IntegerField(default=0)),
        migrations.AddField("logread", "pages", models.IntegerField(null=True, db_index=True)),
        migrations.AddIndex("logread", INDEX),
        AddIndexOnline("logread", INDEX),
        migrations.RemoveIndex("logread", "example"),
        RemoveIndexOnline("logread", "example"),
        migrations.AddConstraint(
            "filelog", models.UniqueConstraint(fields=["src_path"], name="example")
        ),
        migrations.CreateModel(
            "Page",
            [("step", models.ForeignKey("joblogs.StepInstance", models.DO_NOTHING))],
        ),
        migrations.RemoveField("jobinstance", "operator"),
        migrations.RenameField("app", "name", "title"),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_what_stops_an_older_program_is_found(operation: Operation) -> None:
    assert len(list(faults(example(operation)))) == 1


def test_what_an_older_program_does_not_notice_is_allowed() -> None:
    operations = (
        migrations.AddField("hostresult", "pages", models.IntegerField(db_default=0)),
        migrations.AddField("hostresult", "more", models.IntegerField(null=True)),
        migrations.CreateModel("Page", [("id", models.BigAutoField(primary_key=True))]),
        migrations.CreateModel(
            "Line",
            [
                ("scope", models.ForeignKey("joblogs.Scope", models.DO_NOTHING)),
                (
                    "step",
                    models.ForeignKey(
                        "joblogs.StepInstance", models.DO_NOTHING, db_constraint=False
                    ),
                ),
            ],
        ),
        AddCheckOnline(
            "hostresult", models.CheckConstraint(condition=models.Q(batch__gte=0), name="example")
        ),
        migrations.AddIndex("page", INDEX),
        migrations.AddIndex("app", INDEX),
    )
    assert list(faults(example(*operations))) == []
