"""A fold version of the future: processes that know it have a rule more, and the others must stop where it begins."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from farandole.eventstore import Stored
from farandole.projections.fold import Fold, Run, Verdict, admission
from farandole.projections.fold import fold as folding
from farandole.projections.fold.applied import Applied
from farandole.schemas.envelope import Envelope, Kind

from .process import NEXT_VERSION, PROCESS


def _knows() -> int:
    """The newest version that whoever folds now has rules for: a process, or the log's own observer, who knows all."""
    process = PROCESS.get()
    return NEXT_VERSION if process is None else process.knows


class _Known:
    """Stands for the constant of the product, and is another one in each process."""

    def __lt__(self, other: int) -> bool:
        return _knows() < other

    def __str__(self) -> str:
        return str(_knows())


def _pause(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """From the next version on, runs cannot be paused."""
    if fold.version >= NEXT_VERSION <= _knows():
        return Verdict.NO_CHANGE
    return admission.pause(fold, run, record, e, out)


def _released(fold: Fold, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """From the next version on, nobody says that it let go."""
    return Verdict.UNKNOWN_KIND if fold.version >= NEXT_VERSION <= _knows() else Verdict.ADMITTED


def pause_at_once(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Who knows the next version follows its rules, whether or not it is in force."""
    return Verdict.NO_CHANGE if _knows() >= NEXT_VERSION else admission.pause(fold, run, record, e, out)


@contextmanager
def versions() -> Iterator[None]:
    with (
        patch.object(folding, "KNOWN_VERSION", _Known()),
        patch.dict(admission.RUN_RULES, {Kind.PAUSE: _pause}),
        patch.dict(admission.RULES, {Kind.RELEASED: _released}),
    ):
        yield
