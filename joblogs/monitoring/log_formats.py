"""Formatters of the program's own log: LOG_FORMAT (docs/operations.md, "What is logged")."""

from __future__ import annotations

import datetime
import json
import logging
import re
import traceback
from types import TracebackType

_QUERY = re.compile(r"\?[^\s'\"]+")
_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LineFormatter(logging.Formatter):
    """Formatter of lines for people.

    An exception is formatted as its class and traceback without its message: a database's message
    may quote a log, and that of a request may quote a credential.
    """

    def formatException(self, ei: _Raised) -> str:
        return "".join(traceback.format_tb(ei[2])) + (ei[0].__name__ if ei[0] else "")


class Json(LineFormatter):
    """Formatter of one JSON object per line. Fields that do not apply are left out."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        fields: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
        }
        # A message is for people; it repeats the fields, if there are any.
        fields |= getattr(record, "fields", None) or {"message": record.getMessage()}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


class WithoutQueries(logging.Filter):
    """Filter that removes query strings from messages, since they may hold credentials."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _QUERY.sub("?…", record.getMessage()), ()
        return True
