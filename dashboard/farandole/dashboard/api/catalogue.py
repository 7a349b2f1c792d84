"""What the log says of the whole."""

from typing import Any

from fastapi import APIRouter, Response

from farandole.dashboard import catalogue
from farandole.dashboard.auth.guards import Seeing
from farandole.dashboard.forms import form_of
from farandole.dashboard.web.paths import Name
from farandole.reactors.scheduling import ScheduleView

from .asking import MinPosition, Page, TheDesk, told

router = APIRouter(tags=["the whole"])


@router.get("/map", summary="Who takes what and gives it, with what is owed")
async def choreography_map(_: Seeing, desk: TheDesk, response: Response, min_position: MinPosition) -> catalogue.Map:
    answer = await desk.runs.reactors(min_position=min_position)
    await told(desk, response, answer.fresh)
    return await catalogue.map_of(desk, answer.found)


@router.get("/schemas", summary="The schemas of events")
async def schemas(_: Seeing, desk: TheDesk) -> Page[catalogue.SchemaRow]:
    return Page(items=await catalogue.schemas(desk))


@router.get("/schedules", summary="Schedules, with their next ticks")
async def schedules(_: Seeing, desk: TheDesk) -> Page[ScheduleView]:
    return Page(items=await catalogue.schedules(desk))


@router.get("/forms/{name:path}", summary="The JSON schema of an event's fields")
async def form(_: Seeing, desk: TheDesk, name: Name) -> dict[str, Any]:
    return form_of(desk, name)
