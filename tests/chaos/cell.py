"""Cells: one fault each, with its amounts for the tests and for the campaign."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .trial import Trial

Play = Callable[..., Awaitable[None]]


@dataclass(frozen=True)
class Cell:
    """A fault.

    Attributes:
        name: one word or two, with hyphens.
        about: what is done, for the report.
        play: does it. Takes the trial and the amounts.
        tested: amounts in the tests; None if it is for the campaign alone.
        whole: amounts in the campaign.
        on_kafka: whether it needs a broker.
    """

    name: str
    about: str
    play: Callable[..., Awaitable[None]]
    tested: Mapping[str, Any] | None
    whole: Mapping[str, Any]
    on_kafka: bool


CELLS: Final[dict[str, Cell]] = {}


def cell(
    name: str,
    about: str,
    *,
    whole: Mapping[str, Any],
    tested: Mapping[str, Any] | None = None,
    on_kafka: bool = True,
) -> Callable[[Play], Play]:
    """Declare a function as a cell."""

    def declare(play: Play) -> Play:
        CELLS[name] = Cell(name, about, play, tested, whole, on_kafka)
        return play

    return declare


async def play(cell: Cell, trial: Trial, amounts: Mapping[str, Any]) -> Trial:
    """Play a cell; whatever ends it early is an anomaly too."""
    trial.amounts = dict(amounts)
    try:
        await cell.play(trial, **amounts)
    except Exception as e:
        trial.wrong(f"the cell ended early: {type(e).__name__}: {e}")
    return trial
