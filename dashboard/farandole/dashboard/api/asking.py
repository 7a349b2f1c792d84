"""What questions have in common: how fresh an answer must be and is, and how it is cut into pages."""

from collections.abc import Mapping
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from farandole.dashboard.desk import Desk
from farandole.dashboard.errors import Problem
from farandole.dashboard.lagging import lag_of
from farandole.projections.runs.query import Answer, Freshness

T = TypeVar("T")
MOST: Final = 500
"""Items of a page."""
POSITION: Final = "Farandole-Position"
BEHIND: Final = "Farandole-Behind"
_MOMENT: Final = 0.25


class Page(BaseModel, Generic[T]):
    """Some of what was found, and how to ask for more."""

    items: list[T]
    next: str | None = None
    """Ask again with ``cursor=`` this; null: that was all."""


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(_desk)]


def read_position(said: str | None) -> Mapping[int, int] | None:
    """Positions by partition, as ``3=4712,4=1``.

    Raises:
        Problem: they are not written so.
    """
    if not said:
        return None
    try:
        pairs = [each.split("=") for each in said.split(",")]
        return {int(partition): int(position) for partition, position in pairs}
    except ValueError:
        raise Problem(
            400, "Not understood", "A position is written partition=offset, with commas between them.", "As in 3=4712."
        ) from None


def said_position(positions: Mapping[int, int]) -> str:
    """The same in text."""
    return ",".join(f"{partition}={position}" for partition, position in sorted(positions.items()))


async def _min_position(
    min_position: Annotated[
        str | None,
        Query(
            description="Wait until the tables are there: the position that an act was answered with, as 3=4712.",
            max_length=20_000,
        ),
    ] = None,
) -> Mapping[int, int] | None:
    return read_position(min_position)


MinPosition = Annotated[Mapping[int, int] | None, Depends(_min_position)]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Items of the page.")]
Instant = Annotated[int, Query(ge=0, le=2**63 - 1, description="Log time, milliseconds since 1970 UTC.")]
Offset = Annotated[int, Query(ge=0, le=2**63 - 1, description="In the partition of the run.")]
Cursor = Annotated[str | None, Query(description="What the page before said is next.", max_length=1_000)]


async def told(desk: Desk, response: Response, fresh: Freshness) -> None:
    """Say in the headers of an answer of which state of the tables it is."""
    response.headers[POSITION] = said_position(fresh.positions)
    lag = await lag_of(desk, within=_MOMENT)
    if lag is not None and lag.records is not None:
        response.headers[BEHIND] = str(lag.records)
        response.headers[f"{BEHIND}-Seconds"] = f"{lag.seconds:g}"


async def page(desk: Desk, response: Response, answer: "Answer[tuple[T, ...]]") -> Page[T]:
    """A page of an answer."""
    await told(desk, response, answer.fresh)
    return Page(items=list(answer.found), next=answer.next)


async def one(desk: Desk, response: Response, answer: "Answer[T | None]", what: str) -> T:
    """What was found.

    Raises:
        Problem: nothing was.
    """
    await told(desk, response, answer.fresh)
    if answer.found is None:
        raise Problem(
            404, "Not found", f"There is no {what} in the tables.", "If it was only just made, ask with min_position=."
        )
    return answer.found
