"""Migration operation that builds an index of a table in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddIndex, RemoveIndex
from django.db.migrations.state import ProjectState
from django.db.models import Index

PARTITIONED = "p"


class AddIndexOnline(AddIndex):
    """AddIndex that on PostgreSQL does not block reads and writes of the table.

    A plain table uses CREATE INDEX CONCURRENTLY. On a partitioned table the index is first created
    on the parent only; then each partition's index is built concurrently and attached. Partitions
    that `maintain_logs` creates meanwhile have it from the start. If a build was interrupted, the
    next run drops and rebuilds what is invalid and keeps what is complete.

    The migration needs `atomic = False`: CONCURRENTLY does not work in a transaction. The build
    waits for older transactions without a limit, since that wait blocks nobody.
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
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _OnlineBuild(schema_editor, model, self.index).run()

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
            return
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _OnlineBuild(schema_editor, model, self.index).undo()


class RemoveIndexOnline(RemoveIndex):
    """RemoveIndex that on PostgreSQL builds the index beside others when it is taken back."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        added = AddIndexOnline(self.model_name, self._index(app_label, from_state))
        added.database_backwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        added = AddIndexOnline(self.model_name, self._index(app_label, to_state))
        added.database_forwards(app_label, schema_editor, from_state, to_state)

    def _index(self, app_label: str, state: ProjectState) -> Index:
        model = state.models[app_label, self.model_name_lower]
        index: Index = model.get_index_by_name(self.name)
        return index


class _OnlineBuild:
    """Build or removal of one index through one connection to PostgreSQL."""

    def __init__(
        self, schema_editor: BaseDatabaseSchemaEditor, model: type[Any], index: Index
    ) -> None:
        connection = schema_editor.connection
        if connection.in_atomic_block:
            raise ImproperlyConfigured("a migration with AddIndexOnline needs atomic = False")
        self._connection = connection
        self._quote = connection.ops.quote_name
        self._table, self._index = model._meta.db_table, index.name
        statement = str(index.create_sql(model, schema_editor))
        # The part after the table's name: columns, condition, options.
        head = f"CREATE INDEX {self._quote(self._index)} ON {self._quote(self._table)} "
        if not statement.startswith(head):
            raise ImproperlyConfigured(f"cannot build this index beside others: {statement}")
        self._definition = statement.removeprefix(head)

    def run(self) -> None:
        if not self._is_partitioned():
            self._build(self._table, self._index)
            return
        if self._state(self._index) is None:
            self._execute(
                f"CREATE INDEX {self._quote(self._index)} ON ONLY {self._quote(self._table)} "
                f"{self._definition}"
            )
        for partition, index in self._partitions_without():
            self._build(partition, index)
            self._execute(
                f"ALTER INDEX {self._quote(self._index)} ATTACH PARTITION {self._quote(index)}"
            )

    def undo(self) -> None:
        # PostgreSQL cannot drop an index of a partitioned table concurrently.
        how = "" if self._is_partitioned() else "CONCURRENTLY "
        statement = f"DROP INDEX {how}IF EXISTS {self._quote(self._index)}"
        if how:
            with self._waiting_for_transactions():
                self._execute(statement)
        else:
            self._execute(statement)

    def _build(self, table: str, index: str) -> None:
        state = self._state(index)
        if state:
            return
        with self._waiting_for_transactions():
            if state is False:
                self._execute(f"DROP INDEX CONCURRENTLY {self._quote(index)}")
            self._execute(
                f"CREATE INDEX CONCURRENTLY {self._quote(index)} ON {self._quote(table)} "
                f"{self._definition}"
            )

    @contextmanager
    def _waiting_for_transactions(self) -> Iterator[None]:
        """Disable the lock timeout that `migrate` sets, for statements that wait for older
        transactions without blocking other writers.
        """
        ((limit,),) = self._rows("SHOW lock_timeout")
        self._execute("SET lock_timeout = 0")
        try:
            yield
        finally:
            self._execute("SELECT set_config('lock_timeout', %s, false)", [limit])

    def _partitions_without(self) -> list[tuple[str, str]]:
        """Return the partitions without the index, and the name of each one's index."""
        rows = self._rows(
            """
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = %s::regclass AND NOT EXISTS (
                SELECT 1 FROM pg_inherits a JOIN pg_index x ON x.indexrelid = a.inhrelid
                WHERE a.inhparent = %s::regclass AND x.indrelid = i.inhrelid
            )
            ORDER BY c.relname
            """,
            [self._quote(self._table), self._quote(self._index)],
        )
        return [(name, f"{self._index}{name.removeprefix(self._table)}") for (name,) in rows]

    def _is_partitioned(self) -> bool:
        rows = self._rows(
            "SELECT relkind FROM pg_class WHERE oid = %s::regclass", [self._quote(self._table)]
        )
        return bool(rows[0][0] == PARTITIONED)

    def _state(self, index: str) -> bool | None:
        """Return whether an index is valid; None if there is no index with this name."""
        rows = self._rows(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)",
            [self._quote(index)],
        )
        return bool(rows[0][0]) if rows else None

    def _rows(self, statement: str, parameters: list[Any] | None = None) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def _execute(self, statement: str, parameters: list[Any] | None = None) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
