"""Code that differs between SQLite and PostgreSQL: bulk writes, partitions, locks, retries.

No code outside this package checks which database it is. SQL here is built from the models' names,
never from input.
"""

from .bulk import (
    add_to_row,
    create_rows,
    fetch,
    insert_numbers,
    insert_row_if_unchanged,
    insert_rows,
    insert_without_sync,
    save_columns,
    update_rows,
)
from .constraints import AddCheckOnline
from .disk_usage import size
from .driver import ArrayParam, CompiledQuery, InArray, Param, any_of, waiting_at_most
from .indexes import AddIndexOnline, RemoveIndexOnline
from .lock_timeout import retry_for_locks
from .locks import (
    answering,
    is_timeout,
    is_unanswered,
    only_one,
    retrying,
    share_lock,
    take_lock,
)
from .partitions import Partitions
from .place import place
from .replica import (
    from_replica,
    is_reading_replica,
    reads_from_replica,
    replica_usable,
    time_limited,
)
from .schema import CreatePartitionedModel, refuse_store_before_1, refuse_while, set_fillfactor

__all__ = [
    "AddCheckOnline",
    "AddIndexOnline",
    "InArray",
    "CreatePartitionedModel",
    "Param",
    "ArrayParam",
    "Partitions",
    "RemoveIndexOnline",
    "CompiledQuery",
    "add_to_row",
    "answering",
    "any_of",
    "create_rows",
    "fetch",
    "from_replica",
    "insert_numbers",
    "insert_row_if_unchanged",
    "insert_rows",
    "insert_without_sync",
    "is_reading_replica",
    "is_timeout",
    "is_unanswered",
    "only_one",
    "place",
    "reads_from_replica",
    "refuse_store_before_1",
    "refuse_while",
    "replica_usable",
    "retry_for_locks",
    "retrying",
    "save_columns",
    "set_fillfactor",
    "share_lock",
    "size",
    "take_lock",
    "time_limited",
    "update_rows",
    "waiting_at_most",
]
