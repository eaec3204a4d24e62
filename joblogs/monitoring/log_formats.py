"""Formatters of our own log: LOG_FORMAT (docs/operations.md, "What is logged")."""

from __future__ import annotations

import datetime
import json
import logging
import re
import traceback
from types import TracebackType

_QUERY = re.compile(r"\?[^\s'\"]+")
_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Line(logging.Formatter):
    """Lines to be read by people.

    Of an exception it tells the kind and the lines of code, not what it says: a database's message
    may quote a log, and a request's may quote a credential.
    """

    def formatException(self, ei: _Raised) -> str:
        return "".join(traceback.format_tb(ei[2])) + (ei[0].__name__ if ei[0] else "")


class Json(Line):
    """One JSON object a line, for what collects logs. Fields that do not apply are left out."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        fields: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
        }
        # A message is for people; where there are fields it says the same a second time.
        fields |= getattr(record, "fields", None) or {"message": record.getMessage()}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


class WithoutQueries(logging.Filter):
    """Takes query strings out of what a server says of requests: they may hold credentials."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _QUERY.sub("?…", record.getMessage()), ()
        return True
