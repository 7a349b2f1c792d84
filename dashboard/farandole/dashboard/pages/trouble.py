"""`/failures`: what failed, by cause. `/waiting`: runs that do not go on by themselves, by what they wait for."""

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from farandole.projections.runs.query import RunRow, Where

from .asking.failing import newest_failures
from .asking.owing import open_steps
from .site import now, page, position_of
from .words import waits_for

router = APIRouter()
_MOST: Final = 500
_GROUPS: Final[dict[str, tuple[str, str, Callable[[RunRow], bool]]]] = {
    "people": ("people", "Somebody is asked; their inbox has the question.", lambda run: run.decisions > 0),
    "retry": ("a retry", "A step failed for good. Nobody but a person can move it on.", lambda run: run.parked > 0),
    "resume": ("being resumed", "Somebody paused it.", lambda run: run.paused),
    "reactor": ("a reactor", "An event came that nobody takes.", lambda run: run.unserved > 0 and not run.owed),
    "again": ("the next attempt", "What failed is tried again by itself.", lambda run: run.status == "retrying"),
    "events": ("events that are missing", "From outside, or the other half of a join.", lambda run: bool(run.waits)),
    "children": ("child runs", "They are other runs; look at those.", lambda run: run.children > 0),
    "timers": ("timers", "They come by themselves.", lambda run: run.timers > 0),
    "work": ("workers", "A step is owed to somebody who serves it.", lambda run: run.owed > 0),
    "nothing": ("nothing", "Open, but nothing is owed or waited for.", lambda run: True),
}


def group_of(run: RunRow) -> str:
    """What a run waits for in the first place."""
    return next(name for name, (_, _, fits) in _GROUPS.items() if fits(run))


@router.get("/waiting")
async def waiting(request: Request) -> HTMLResponse:
    desk, at = request.app.state.desk, now()
    found = await desk.runs.list(Where(open=True), limit=_MOST, min_position=position_of(request))
    steps = (await desk.runs.ask(lambda c: open_steps(c, found.found))).found
    groups: dict[str, list[tuple[RunRow, list[str]]]] = {name: [] for name in _GROUPS}
    for run in found.found:
        groups[group_of(run)].append((run, waits_for(run, steps.get((run.partition, run.run), ()), at)))
    for members in groups.values():
        members.sort(key=lambda each: each[0].touched)
    shown = [(name, *_GROUPS[name][:2], members) for name, members in groups.items() if members]
    return await page(request, "waiting.html", fresh=found.fresh, groups=shown, more=found.next is not None, most=_MOST)


@router.get("/failures")
async def failures(request: Request) -> HTMLResponse:
    desk = request.app.state.desk
    found = await desk.runs.causes(limit=100, min_position=position_of(request))
    keys = [(cause.fingerprint, cause.reactor) for cause in found.found]
    samples = (await desk.runs.ask(lambda c: newest_failures(c, keys))).found
    causes = [(cause, samples.get((cause.fingerprint, cause.reactor))) for cause in found.found]
    everything = request.query_params.get("show") == "all"
    parked = sum(cause.parked for cause in found.found)
    shown = causes if everything else [each for each in causes if each[0].parked]
    return await page(
        request, "failures.html", fresh=found.fresh, causes=shown, everything=everything, parked=parked,
        over=len(causes) - len([each for each in causes if each[0].parked]),
    )  # fmt: skip
