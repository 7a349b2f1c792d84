"""What goes wrong at the command line, and how it is told: one line that names cause and cure, and an exit code."""

import asyncio
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from .output import safe

FAILED: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
REFUSED: Final = 4


class CliError(Exception):
    """Wrong usage, or something in the environment that must be put right."""

    code = USAGE


class Failed(CliError):
    """What was asked for was done, and failed."""

    code = FAILED


class NotFound(CliError):
    """What was named is not there."""

    code = NOT_FOUND


class Refused(CliError):
    """The log did not take it."""

    code = REFUSED


def explain(error: BaseException) -> tuple[str, int]:
    """An error as one line, and the exit code that goes with it."""
    if isinstance(error, BaseExceptionGroup):
        return explain(error.exceptions[0])
    if isinstance(error, CliError):
        return one_line(error), error.code
    return _known(error) or (
        f"unexpected {type(error).__name__}: {one_line(error)} (a defect? --debug shows where it was raised)",
        FAILED,
    )


def _known(error: BaseException) -> tuple[str, int] | None:
    # Imported here, so that `farandole --help` need not wait for it.
    from farandole.reactors.errors import (
        ClientError,
        CommandRefused,
        PolicyRefused,
        RetirementRefused,
        ServedElsewhere,
        UnknownReactor,
        UnknownSchedule,
        UnknownStart,
    )
    from farandole.schemas import FarandoleError

    if isinstance(error, CommandRefused | ServedElsewhere | RetirementRefused | PolicyRefused):
        return one_line(error), REFUSED
    if isinstance(error, UnknownReactor | UnknownSchedule | UnknownStart):
        return one_line(error), NOT_FOUND
    if isinstance(error, ClientError | asyncio.TimeoutError):
        return one_line(error) or "it took too long", FAILED
    if isinstance(error, FarandoleError):
        return one_line(error), USAGE
    if isinstance(error, OSError):
        what = f"{error.filename}: " if error.filename else ""
        return f"{what}{error.strerror or type(error).__name__}", USAGE
    return None


def one_line(error: BaseException) -> str:
    """An error's message without line breaks and control characters."""
    return safe("; ".join(line.strip() for line in str(error).splitlines() if line.strip()))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint at the nearest of the names that there are, to be put at the end of a message."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5) or [n for n in names if n.lower() == name.lower()]
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there are {', '.join(names)}" if names else "; there are none"
