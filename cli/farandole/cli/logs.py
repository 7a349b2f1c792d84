"""Log lines: readable at a terminal, JSON for whatever collects them. Both to stderr."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from .options import Format

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_COLOURS: Final = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[1;31m"}
_CHATTY: Final = ("alembic", "asyncio", "httpx2", "uvicorn")
"""They tell of each step that they take. The Kafka client is kept quiet by the store."""
_DIM: Final = "\x1b[2m"
_RESET: Final = "\x1b[0m"


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """What ``extra=`` added to a record: run, reactor, event, partition and attempt, as far as it is about them."""
    return {k: v for k, v in vars(record).items() if k not in _STANDARD and not k.startswith("_")}


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "pid": record.process,
            **extras(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """``12:00:01  take_payment  the bank does not answer  run=order-17 attempt=2``."""

    def __init__(self, colours: bool) -> None:
        super().__init__()
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        more = extras(record)
        who = str(more.get("reactor") or record.name.removeprefix("farandole."))
        facts = [f"run={more['run_id']}"] if more.get("run_id") else []
        facts += [f"attempt={more['attempt']}"] if more.get("attempt", 1) != 1 else []
        message = record.getMessage()
        if record.levelno >= logging.WARNING:
            message = self._colour(f"{record.levelname.lower()}: {message}", _COLOURS.get(record.levelname, ""))
        line = f"{self._colour(time, _DIM)}  {who}  {message}" + (
            f"  {self._colour(' '.join(facts), _DIM)}" if facts else ""
        )
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line

    def _colour(self, text: str, code: str) -> str:
        return f"{code}{text}{_RESET}" if self._colours and code else text


def set_up(level: str = "info", format: Format | None = None) -> None:
    """Send the log to stderr.

    Args:
        level: debug, info, warning or error; of clients of brokers and databases, only warnings are shown.
        format: by default text at a terminal, JSON elsewhere.
    """
    terminal = sys.stderr.isatty()
    format = format or ("text" if terminal else "json")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter() if format == "json" else TextFormatter(terminal and "NO_COLOR" not in os.environ)
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)


@contextmanager
def new_log_told() -> Iterator[None]:
    """Say on stderr if a log is made: whoever meant one that was there has mistyped its URL."""
    logger, told = logging.getLogger("farandole.worker"), logging.StreamHandler()
    told.addFilter(lambda record: str(record.msg).startswith("made a new log"))
    before = logger.level
    logger.addHandler(told)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(told)
