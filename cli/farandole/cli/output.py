"""What a command writes: tables for people, JSON for programs. Data goes to stdout, everything else to stderr."""

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH: Final = 120
"""Columns of a table that no terminal shows."""


def debug(value: bool) -> bool:
    """Remember that tracebacks are wanted, for the log as well."""
    if value:
        os.environ["FARANDOLE_DEBUG"] = "1"
    return value


def debugging() -> bool:
    return os.environ.get("FARANDOLE_DEBUG", "") not in ("", "0")


class Output:
    """Where one command writes to."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json

    @cached_property
    def console(self) -> "Console":
        """For people: colours where a terminal shows them, and never under NO_COLOR."""
        from rich.console import Console

        console = Console(highlight=False, markup=False, emoji=False)
        if not console.is_terminal and "COLUMNS" not in os.environ:
            console.width = PIPE_WIDTH
        return console

    def document(self, data: Any) -> None:
        """The one JSON document that a command answers with."""
        self._write(data, indent=2 if sys.stdout.isatty() else None)

    def line(self, data: Any) -> None:
        """One line of a stream of JSON documents."""
        self._write(data, indent=None)

    def print(self, *parts: Any, **options: Any) -> None:
        """Something for people; nothing if JSON was asked for."""
        if not self.as_json:
            self.console.print(*parts, **options)

    def _write(self, data: Any, indent: int | None) -> None:
        sys.stdout.write(to_json(data, indent=indent) + "\n")
        sys.stdout.flush()


def safe(text: str) -> str:
    """Text from the log without control characters, so that no event can drive the terminal that shows it."""
    return "".join(
        c if (c >= " " and c != "\x7f" and not "\x80" <= c <= "\x9f") or c in "\n\t" else "\ufffd" for c in text
    )


def to_json(data: Any, *, indent: int | None = None) -> str:
    """Anything that events hold, as JSON: instants in ISO 8601, decimals as strings, bytes in base64."""
    from pydantic_core import to_json as encode

    return encode(data, indent=indent, bytes_mode="base64", inf_nan_mode="strings", fallback=str).decode()
