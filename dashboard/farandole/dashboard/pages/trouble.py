"""`/failures`: what failed, by cause. `/waiting`: runs that do not go on by themselves, by what they wait for."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, get_args

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from farandole.projections.runs.query import RunRow, WaitsFor, Where

from .asking.failing import newest_failures
from .asking.owing import open_steps
from .site import now, page, page_of, position_of, with_query
from .words import waits_for

router = APIRouter()
_EACH: Final = 50
_CAUSES: Final = 50
_GROUPS: Final[Mapping[WaitsFor, tuple[str, str]]] = {
    "people": ("people", "Somebody is asked; their inbox has the question."),
    "retry": ("a retry", "A step failed for good. Nobody but a person can move it on."),
    "resume": ("being resumed", "Somebody paused it."),
    "reactor": ("a reactor", "An event came that nobody takes."),
    "again": ("the next attempt", "What failed is tried again by itself."),
    "events": ("events that are missing", "From outside, or the other half of a join."),
    "children": ("child runs", "They are other runs; look at those."),
    "timers": ("timers", "They come by themselves."),
    "work": ("workers", "A step is owed to somebody who serves it."),
    "nothing": ("nothing", "Open, but nothing is owed or waited for."),
}


@dataclass(frozen=True, slots=True)
class Group:
    """A group as it is shown."""

    name: WaitsFor
    title: str
    says: str
    count: int
    runs: tuple[RunRow, ...]
    more: str
    """Address of those that stand less long; empty: these are all."""


@router.get("/waiting")
async def waiting(request: Request) -> HTMLResponse:
    desk, at = request.app.state.desk, now()
    chosen: WaitsFor | None = next(
        (name for name in get_args(WaitsFor) if name == request.query_params.get("for")), None
    )
    found = await desk.runs.waiting(each=_EACH, min_position=position_of(request))
    cursor = request.query_params.get("cursor")
    groups = []
    for each in found.found:
        rows, more = each.longest, with_query("/waiting", {"for": each.waits_for}) if each.runs > _EACH else ""
        if each.waits_for == chosen:
            ask = partial(desk.runs.list, Where(waits_for=chosen), oldest_first=True, limit=_EACH)
            of_group, cursor = await page_of(ask, cursor)
            rows = of_group.found
            more = with_query("/waiting", {"for": chosen, "cursor": of_group.next}) if of_group.next else ""
        groups.append(Group(each.waits_for, *_GROUPS[each.waits_for], each.runs, rows, more))
    shown = [each for each in groups if chosen in (None, each.name)]
    steps = (await desk.runs.ask(lambda c: open_steps(c, [run for each in shown for run in each.runs]))).found
    waits = {
        (run.partition, run.run): waits_for(run, steps.get((run.partition, run.run), ()), at)
        for each in shown
        for run in each.runs
    }
    return await page(
        request, "waiting.html", fresh=found.fresh, groups=groups, shown=shown, chosen=chosen, waits=waits, cursor=cursor,
    )  # fmt: skip


@router.get("/failures")
async def failures(request: Request) -> HTMLResponse:
    desk = request.app.state.desk
    ask = partial(desk.runs.causes, limit=_CAUSES, min_position=position_of(request))
    found, cursor = await page_of(ask, request.query_params.get("cursor"))
    keys = [(cause.fingerprint, cause.reactor) for cause in found.found]
    samples = (await desk.runs.ask(lambda c: newest_failures(c, keys))).found
    causes = [(cause, samples.get((cause.fingerprint, cause.reactor))) for cause in found.found]
    everything = request.query_params.get("show") == "all"
    parked = sum(cause.parked for cause in found.found)
    shown = causes if everything else [each for each in causes if each[0].parked]
    return await page(
        request, "failures.html", fresh=found.fresh, causes=shown, everything=everything, parked=parked,
        over=len(causes) - len([each for each in causes if each[0].parked]), cursor=cursor,
        # Those that park nothing come last: where the page ends with one, there is nothing more to retry.
        next_=found.next if everything or len(shown) == len(causes) else None,
    )  # fmt: skip
