"""`/inbox`: what waits for people. `/audit`: what people did."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from farandole.dashboard.seen import seen_by

from .asking.acts import KINDS, acts
from .asking.types import Types
from .site import number, page, position_of

router = APIRouter()
_STATES: Final = ("open", "answered", "expired", "lapsed")


@router.get("/inbox")
async def inbox(request: Request) -> HTMLResponse:
    desk, caller = request.app.state.desk, request.state.caller
    mine = request.query_params.get("mine") == "1"
    state = request.query_params.get("state", "open")
    state = state if state in _STATES else "open"
    to = sorted(caller.names) if mine else ()
    found = await desk.runs.decisions(state=(state,), to=to, limit=100, min_position=position_of(request))
    types = await Types.of(desk)
    decisions = [(seen_by(caller, each), types.answer_forms(each) if state == "open" else []) for each in found.found]
    return await page(
        request, "inbox.html", fresh=found.fresh, decisions=decisions, mine=mine, state=state, states=_STATES
    )


@router.get("/audit")
async def audit(request: Request) -> HTMLResponse:
    desk, get = request.app.state.desk, request.query_params.get
    by, kind = get("by", ""), get("kind", "")
    before, programs = number(get("before")), get("programs") == "1"
    found = await desk.runs.ask(
        lambda c: acts(c, by=by, kind=kind, before=before, programs=programs), position_of(request)
    )
    return await page(
        request,
        "audit.html",
        fresh=found.fresh,
        acts=found.found,
        by=by,
        kind=kind,
        kinds=KINDS,
        before=before,
        programs=programs,
    )
