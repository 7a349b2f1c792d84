"""`/inbox`: what waits for people. `/audit`: what people did."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from farandole.dashboard.seen import seen_by
from farandole.projections.runs.query import KINDS_OF_ACTS, Answer

from .asking.types import Types
from .site import page, page_of, position_of

router = APIRouter()
_INBOX: Final = 50
"""Questions of a page."""
_STATES: Final = ("open", "answered", "expired", "lapsed")


@router.get("/inbox")
async def inbox(request: Request) -> HTMLResponse:
    desk, caller = request.app.state.desk, request.state.caller
    mine = request.query_params.get("mine") == "1"
    state = request.query_params.get("state", "open")
    state = state if state in _STATES else "open"
    to = sorted(caller.names) if mine and not caller.trusted else ()
    ask = partial(desk.runs.decisions, state=(state,), to=to, limit=_INBOX, min_position=position_of(request))
    found, cursor = await page_of(ask, request.query_params.get("cursor"))
    query = {"state": state if state != "open" else "", "mine": "1" if mine else ""}
    types = await Types.of(desk)
    decisions = [(seen_by(caller, each), types.answer_forms(each) if state == "open" else []) for each in found.found]
    return await page(
        request, "inbox.html", fresh=found.fresh, decisions=decisions, mine=mine, state=state, states=_STATES, query=query,
        next_=found.next, cursor=cursor,
    )  # fmt: skip


@router.get("/audit")
async def audit(request: Request) -> HTMLResponse:
    get = request.query_params.get
    query = {"by": get("by", ""), "kind": get("kind", ""), "programs": "1" if get("programs") == "1" else ""}
    query["kind"] = query["kind"] if query["kind"] in KINDS_OF_ACTS else ""
    found, cursor = await _acts(request, query, get("cursor"))
    return await page(
        request, "audit.html", fresh=found.fresh, acts=found.found, next_=found.next, cursor=cursor, query=query,
        kinds=KINDS_OF_ACTS,
    )  # fmt: skip


async def _acts(request: Request, query: Mapping[str, str], cursor: str | None) -> tuple[Answer[Any], str | None]:
    kind = (query["kind"],) if query["kind"] else ()
    ask = request.app.state.desk.runs.acts
    by, programs = query["by"] or None, bool(query["programs"])
    return await page_of(partial(ask, by=by, kind=kind, programs=programs, min_position=position_of(request)), cursor)
