"""Rows of MySQL tables from CSV, tab-separated or JSON files."""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from joblogs.records import MAX_ID

from .files import DumpFault, DumpFile, json_values
from .findings import Finding, Findings

# Enough for step_instance.target_servers with fifty thousand hosts.
_CELL_MAX = 512 * 1024 * 1024
_ESCAPES = {"n": "\n", "t": "\t", "0": "\0", "b": "\b", "r": "\r", "Z": "\x1a"}
_COLUMN = re.compile(r"^\s*`(\w+)`\s", re.MULTILINE)
_CELL = re.compile(r"((?:[^\t\\]|\\.)*)(\t|$)", re.DOTALL)
_NONE = {"", "NULL", "\\N"}


def clean(text: str) -> str:
    """Return a text that can be encoded as UTF-8: lone surrogates become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row. An invalid value of a cell is noted as a finding and treated as empty."""

    place: str
    cells: Mapping[str, Any]
    findings: Findings

    def text(self, column: str) -> str | None:
        """Return a text, or None if it is empty: CSV does not distinguish empty from NULL."""
        value = self.cells.get(column)
        return None if value is None else clean(str(value)) or None

    def number(self, column: str) -> int | None:
        value = self.cells.get(column)
        if value is None or isinstance(value, int):
            return value
        try:
            return int(str(value))
        except ValueError:
            self.findings.note(Finding.VALUE, f"{column} {str(value)[:40]!r} in {self.place}")
            return None

    def int32(self, column: str) -> int | None:
        return self._within(column, -(2**31), 2**31 - 1)

    def count(self, column: str) -> int:
        """Return a number from 0 on; 0 if there is none."""
        return self._within(column, 0, 2**31 - 1) or 0

    def amount(self, column: str) -> int | None:
        """Return a number of milliseconds, or None."""
        return self._within(column, 0, MAX_ID)

    def id(self, column: str) -> int:
        """Return a required id. Raise DumpFault without it."""
        value = self.number(column)
        if value is None or not 1 <= value <= MAX_ID:
            raise DumpFault(f"{self.place} has no usable `{column}`")
        return value

    def moment(self, column: str, zone: datetime.tzinfo) -> int | None:
        """Return a DATETIME as milliseconds since the epoch, or None."""
        value = self.text(column)
        if value is None:
            return None
        try:
            moment = datetime.datetime.fromisoformat(value)
        except ValueError:
            self.findings.note(Finding.VALUE, f"{column} {value[:40]!r} in {self.place}")
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return max(0, int(aware.timestamp() * 1000))

    def _within(self, column: str, least: int, most: int) -> int | None:
        value = self.number(column)
        if value is not None and not least <= value <= most:
            self.findings.note(Finding.VALUE, f"{column} {value} in {self.place}")
            return None
        return value


def rows(dump_file: DumpFile, file: BinaryIO, findings: Findings) -> Iterator[TableRow]:
    """Yield the rows of a table's file. Raise DumpFault."""
    name = dump_file.path.name
    for number, cells in enumerate(_cells(dump_file, file), 1):
        if not isinstance(cells, dict):
            raise DumpFault(f"{dump_file.path}: row {number} is no object")
        yield TableRow(f"row {number} of {name}", cells, findings)


def _cells(dump_file: DumpFile, file: BinaryIO) -> Iterator[Any]:
    if dump_file.form == "json":
        yield from json_values(file, dump_file.path)
        return
    # A carriage return in a tab-separated cell does not end the line.
    newline = "" if dump_file.form == "csv" else "\n"
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline=newline)
    try:
        yield from _named_cells(dump_file, text)
    finally:
        # The caller closes the file, maybe before this generator is collected.
        with contextlib.suppress(ValueError):
            text.detach()


def _named_cells(dump_file: DumpFile, text: io.TextIOWrapper) -> Iterator[Any]:
    columns: list[str] | None = None
    lines: Iterator[list[str | None]]
    if dump_file.form == "csv":
        csv.field_size_limit(_CELL_MAX)
        lines = ([_plain(cell) for cell in line] for line in csv.reader(text) if line)
    else:
        lines = _tab_separated(dump_file, text)
        if sql := dump_file.columns_file:
            columns = _COLUMN.findall(sql.read_text(encoding="utf-8"))
    for number, line in enumerate(lines, 1):
        if columns is None:
            columns = [(cell or "").strip().lower() for cell in line]
            if not {"id", "step_instance_id", "task_instance_id", "app_id"} & set(columns):
                raise DumpFault(f"{dump_file.path}: the first line does not name the columns")
            continue
        if len(line) != len(columns):
            found = f"{len(line)} cells for {len(columns)} columns"
            raise DumpFault(f"{dump_file.path}: line {number} has {found}")
        yield dict(zip(columns, line, strict=True))


def _tab_separated(dump_file: DumpFile, text: io.TextIOWrapper) -> Iterator[list[str | None]]:
    """Yield lines as written by `mysql -B` and `mysqldump --tab`, with backslash escapes."""
    record = ""
    for line in text:
        record += line
        ended = record.rstrip("\n")
        # An odd number of backslashes at the end escapes the line break itself.
        if (len(ended) - len(ended.rstrip("\\"))) % 2 and record.endswith("\n"):
            continue
        record = ""
        if not ended:
            continue
        if "\\" not in ended:
            yield [_plain(cell) for cell in ended.split("\t")]
        else:
            yield [_unescaped(cell) for cell in _split(ended)]
    if record:
        raise DumpFault(f"{dump_file.path}: cut within a row")


def _split(line: str) -> Iterator[str]:
    for cell in _CELL.finditer(line):
        yield cell[1]
        if not cell[2]:
            return


def _plain(cell: str) -> str | None:
    return None if cell in _NONE else cell


def _unescaped(cell: str) -> str | None:
    if cell in _NONE:
        return None
    return re.sub(r"\\(.)", lambda e: _ESCAPES.get(e[1], e[1]), cell, flags=re.DOTALL)
