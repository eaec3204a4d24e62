"""Migration operations that Django lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import CreateModel
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

from . import readiness


class CreatePartitionedModel(CreateModel):
    """CreateModel that on PostgreSQL partitions the table by `day`, with a default partition.

    Its state is that of a plain model, so `makemigrations` sees no difference between the
    databases.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        plain = schema_editor.sql_create_table
        schema_editor.sql_create_table = plain + ' PARTITION BY RANGE ("day")'
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = plain
        quote = schema_editor.quote_name
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        schema_editor.execute(
            f"CREATE TABLE {quote(table + '_default')} PARTITION OF {quote(table)} DEFAULT"
        )
        if not any(name == "data" for name, _ in self.fields):
            return
        # The data is compressed already: store it out of line, uncompressed by PostgreSQL.
        for name in (table, table + "_default"):
            schema_editor.execute(
                f"ALTER TABLE {quote(name)} ALTER COLUMN data SET STORAGE EXTERNAL"
            )


def refuse_store_before_1(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """RunPython step that raises CommandError in a store created by a version before 1.0.

    Its tables have the same names but other columns.
    """
    applied = MigrationRecorder(schema_editor.connection).applied_migrations()
    if readiness.BEFORE_1_MIGRATION in applied:
        raise CommandError(readiness.ADVICE[readiness.Fault.BEFORE_1])


def refuse_while(statement: str, *, first: str) -> Callable[[Any, BaseDatabaseSchemaEditor], None]:
    """Return a reverse RunPython step that raises CommandError if a statement finds rows.

    Reversing would lose these rows; `first` is the command that moves them.
    """

    def backwards(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(statement)
            if cursor.fetchone():
                raise CommandError(f"Text lies there that would be lost; first: manage.py {first}")

    return backwards


def set_fillfactor(table: str, percent: int) -> Callable[[Any, BaseDatabaseSchemaEditor], None]:
    """Return a RunPython step that leaves room in a table's pages for updated rows (fillfactor)."""

    def forwards(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"ALTER TABLE {schema_editor.quote_name(table)} SET (fillfactor = {int(percent)})"
            )

    return forwards
