"""`/runs/{id}`: one run, as timeline, as events, as graph of causes, as conversation, and with those it belongs to."""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from farandole.dashboard.seen import seen_by
from farandole.projections.runs.query import RecordRow, RunRow, Runs
from farandole.projections.runs.query.kin import children_of

from .asking.failing import parked_in
from .asking.kin import descendants
from .asking.owing import open_steps
from .asking.places import offsets_of, record_at
from .asking.talking import MOST, has_talk, talk_in
from .asking.types import Types
from .causes import causes
from .conversation import Conversation, spent
from .forms import Form, form_of
from .site import error_page, now, number, page, position_of
from .timeline import MEANS, timeline
from .travel import changes
from .words import CLOSED, refusal, title, tone, waits_for

router = APIRouter()
TABS: Final = {"timeline": "Timeline", "events": "Events", "graph": "Graph", "relations": "Relations"}
_TALK: Final = {"conversation": "Conversation"}
"""Of a run in which an agent has been at work."""


@router.get("/runs/{run_id:path}")
async def run(request: Request, run_id: str) -> HTMLResponse:
    desk, at = request.app.state.desk, now()
    runs: Runs = desk.runs
    found = await runs.get(run_id, min_position=position_of(request))
    if found.found is None:
        cure = "Runs that were closed long ago may have left the tables; the log has them: farandole show."
        return error_page(request, 404, f"There is no run {run_id}", "", cure)
    row = found.found
    tab = request.query_params.get("tab", "timeline")
    tabs = TABS | _TALK if (await runs.ask(lambda c: has_talk(c, row))).found else TABS
    tab = tab if tab in tabs else "timeline"
    steps = (await runs.ask(lambda c: open_steps(c, [row]))).found.get((row.partition, row.run), [])
    failures = (await runs.failures(run_id)).found
    parked = [step for step in steps if step.state == "parked"]
    types = await Types.of(desk)
    context: dict[str, Any] = {
        "run": row,
        "tab": tab,
        "tabs": tabs,
        "steps": steps,
        "parked": parked,
        "one_by_one": (await runs.ask(lambda c: parked_in(c, row.partition, row.run))).found if parked else [],
        "newest": failures[-1] if failures else None,
        "waits": waits_for(row, steps, at),
        "open": row.status not in CLOSED,
        "signals": _signals(row, types),
        "edits": await _edits(runs, row, parked, types, request) if parked else [],
        "decisions": [
            (seen_by(request.state.caller, decision), types.answer_forms(decision))
            for decision in (await runs.decisions(run_id=run_id)).found
        ],
        "has_children": bool((await runs.ask(lambda c: children_of(c, [(row.partition, row.run)], 1))).found),
        "spent": (await runs.usage(by=(), run_id=run_id)).found,
        "fresh": found.fresh,
    }
    context["in_place"] = {}
    context |= await _TABS[tab](request, runs, row, at)
    if tab == "conversation":
        context |= _in_place(context["talk"], context["decisions"])
    return await page(request, "run.html", **context)


def _signals(row: RunRow, types: Types) -> list[Form]:
    """Forms of what can be sent into the run: what it waits for first."""
    if row.closed is not None:
        return []
    awaited = {name for each in row.waits or () for name in each["types"]}
    names = sorted(types.signals, key=lambda name: (name not in awaited, name))
    return [form_of(name, types.schema(name), prefix=f"signal-{n}") for n, name in enumerate(names)]


async def _edits(
    runs: Runs, row: RunRow, parked: list[Any], types: Types, request: Request
) -> list[tuple[Any, str, Form]]:
    """For each event that a parked step took: a form with what it held."""
    history = (await runs.history(row.run_id, everything=True, personal=request.state.caller.personal)).found
    by_offset = {record.log_offset: record for record in history}
    found = []
    for number_, step in enumerate(parked[:5]):
        for offset in step.inputs or ():
            record = by_offset.get(offset)
            if record is None or record.payload is None or types.schema(record.type) is None:
                continue
            form = form_of(
                record.type, types.schema(record.type), prefix=f"edit-{number_}-{offset}", held=record.payload
            )
            found.append((step, record.type, form))
    return found


async def _timeline(request: Request, runs: Runs, row: RunRow, at: int) -> dict[str, Any]:
    id = row.run_id
    steps, failures = (await runs.steps(id)).found, (await runs.failures(id)).found
    records = (await runs.history(id, everything=True)).found
    timers, children = (await runs.timers(id)).found, (await runs.children(id)).found
    decisions = (await runs.decisions(run_id=id, state=())).found
    most = 5_000 if request.query_params.get("all") else 200
    found = timeline(row, steps, records, failures, timers, decisions, children, at, most)
    return {"timeline": found, "means": MEANS, "failures": failures}


async def _events(request: Request, runs: Runs, row: RunRow, at: int) -> dict[str, Any]:
    personal = request.state.caller.personal
    every = request.query_params.get("show") != "history"
    cursor = request.query_params.get("cursor")
    found = await runs.history(row.run_id, everything=every, personal=personal, limit=200, cursor=cursor)
    offsets = (await runs.ask(lambda c: offsets_of(c, row))).found
    chosen = number(request.query_params.get("offset"))
    then = None
    if chosen is not None and offsets:
        place = max((n for n, offset in enumerate(offsets) if offset <= chosen), default=0)
        after = (await runs.state_at(row.run_id, offset=offsets[place], personal=personal)).found
        record = (await runs.ask(lambda c: record_at(c, row, offsets[place]))).found
        before = (await runs.state_at(row.run_id, offset=offsets[place - 1])).found if place else None
        then = {"state": after, "place": place, "record": record, "changes": changes(before, after)}
    return {
        "records": [_shown(record) for record in found.found],
        "next_": found.next,
        "cursor": cursor,
        "every": every,
        "offsets": offsets,
        "then": then,
    }


def _shown(record: RecordRow) -> dict[str, Any]:
    return {"record": record, "title": title(record), "tone": tone(record), "refused": refusal(record)}


async def _graph(request: Request, runs: Runs, row: RunRow, at: int) -> dict[str, Any]:
    id = row.run_id
    records = (await runs.history(id, everything=True)).found
    found = causes(
        records, (await runs.steps(id)).found, (await runs.failures(id)).found,
        (await runs.decisions(run_id=id, state=())).found, (await runs.timers(id)).found, (await runs.children(id)).found,
    )  # fmt: skip
    return {"causes": found, "elements": found.elements()}


async def _conversation(request: Request, runs: Runs, row: RunRow, at: int) -> dict[str, Any]:
    talk = await talk_in(runs, row, request.state.caller.personal)
    return {
        "talk": talk.found, "talk_spent": spent(talk.found), "also": talk.below, "shortened": talk.shortened, "most": MOST,
    }  # fmt: skip


def _in_place(talk: list[Conversation], decisions: list[Any]) -> dict[str, Any]:
    """The questions about calls, by their offset, and those that are about something else."""
    asked = {call.decision for each in talk for call in each.calls() if call.decision is not None}
    return {
        "in_place": {each[0].log_offset: each for each in decisions if each[0].log_offset in asked},
        "decisions": [each for each in decisions if each[0].log_offset not in asked],
    }


async def _relations(request: Request, runs: Runs, row: RunRow, at: int) -> dict[str, Any]:
    below = (await runs.ask(lambda c: descendants(c, runs.choreography, row))).found
    parent = (await runs.get(row.parent)).found if row.parent and not row.of_schedule else None
    # Here alone: a family may have thousands of runs, and the other views are fetched anew with each of their events.
    family = (await runs.usage(by=(), run_id=row.run_id, children=True)).found if below.children else ()
    return {"below": below, "parent": parent, "family_spent": family}


_TABS: Final = {
    "timeline": _timeline,
    "events": _events,
    "graph": _graph,
    "relations": _relations,
    "conversation": _conversation,
}
