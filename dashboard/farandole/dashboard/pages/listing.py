"""`/runs`: all runs, what each waits for, and the questions by which they are found. The address holds the question."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from farandole.projections.runs.query import Where

from .asking.kept import kept
from .asking.owing import messages, names, open_steps
from .site import now, number, page, page_of, position_of, with_query
from .words import CLOSED, MEANINGS, STATUSES, waits_for

router = APIRouter()
RANGES: Final = {"15m": ("15 min", 15), "1h": ("1 h", 60), "24h": ("24 h", 1_440), "7d": ("7 d", 10_080)}
_KEYS: Final = frozenset(("id", "type", "reactor", "fingerprint", "parent", "status"))
_MINUTE: Final = 60_000


def asked(said: str) -> tuple[dict[str, str], str]:
    """What a search box says: ``customer:ada reactor:ship refused card`` is two fields, and two words."""
    try:
        words = shlex.split(said)
    except ValueError:
        words = said.split()
    fields, text = {}, []
    for word in words:
        name, colon, value = word.partition(":")
        if colon and name and value and name.replace("_", "").isalnum() and not value.startswith("//"):
            fields[name] = value
        else:
            text.append(word)
    return fields, " ".join(text)


def where_of(query: Mapping[str, Any], at: int) -> Where:
    """The question that an address asks."""
    fields, text = asked(query["q"])
    known = {name: value for name, value in fields.items() if name in _KEYS}
    status = [each for each in [*query["status"], *known.pop("status", "").split(",")] if each in STATUSES]
    since = RANGES.get(query["range"])
    found = Where(
        status=status,
        type=query["type"] or known.pop("type", None),
        reactor=query["reactor"] or known.pop("reactor", None),
        fingerprint=query["fingerprint"] or known.pop("fingerprint", None),
        text=text or None,
        attributes={name: value for name, value in fields.items() if name not in _KEYS},
        touched_from=query["since"] if query["since"] is not None else at - since[1] * _MINUTE if since else None,
        touched_to=query["until"],
        open={"open": True, "closed": False}.get(query["open"]),
    )
    return replace(found, id=known.get("id", found.id), parent=known.get("parent", found.parent))


def query_of(request: Request) -> dict[str, Any]:
    """What an address says, under the names that it has there."""
    get = request.query_params.get
    return {
        "q": get("q", ""),
        "status": [each for each in request.query_params.getlist("status") if each in STATUSES],
        "type": get("type", ""),
        "reactor": get("reactor", ""),
        "fingerprint": get("fingerprint", ""),
        "open": get("open", ""),
        "range": get("range", ""),
        "since": number(get("since")),
        "until": number(get("until")),
        "order": "started" if get("order") == "started" else "touched",
    }


def as_words(query: Mapping[str, Any]) -> list[str]:
    """The same question at the command line, as near as that comes."""
    found = [word for status in query["status"] for word in ("--status", status)]
    return found + (["--type", query["type"]] if query["type"] else [])


def api_of(where: Where, order: str) -> str:
    """The same question to the API."""
    query = {
        "status": list(where.status), "open": None if where.open is None else str(where.open).lower(), "type": where.type,
        "reactor": where.reactor, "fingerprint": where.fingerprint, "parent": where.parent, "id": where.id,
        "text": where.text, "attribute": [f"{name}={value}" for name, value in where.attributes.items()],
        "touched_from": where.touched_from, "touched_to": where.touched_to, "order": order if order != "touched" else "",
    }  # fmt: skip
    return with_query("/api/v1/runs", query)


@router.get("/")
async def home() -> RedirectResponse:
    return RedirectResponse("/runs", 307)


@router.get("/runs")
async def runs(request: Request) -> HTMLResponse:
    desk, at = request.app.state.desk, now()
    query = query_of(request)
    where = where_of(query, at)
    between = query["range"] == "between" or query["since"] is not None or query["until"] is not None
    ask = partial(desk.runs.list, where, order=query["order"], limit=50, min_position=position_of(request))
    found, cursor = await page_of(ask, request.query_params.get("cursor"))
    counts = await desk.runs.counts(replace(where, status=()))
    steps = (await desk.runs.ask(lambda c: open_steps(c, found.found))).found
    said = (await desk.runs.ask(lambda c: messages(c, found.found))).found
    types, reactors, fields = (await kept(desk.runs, "names", 10.0, lambda: desk.runs.ask(names))).found
    rows = [(run, waits_for(run, steps.get((run.partition, run.run), ()), at)) for run in found.found]
    api = api_of(where, query["order"])
    return await page(
        request,
        "runs.html",
        fresh=found.fresh,
        rows=rows,
        messages=said,
        next_=found.next,
        cursor=cursor,
        counts=counts.found,
        total=sum(counts.found.values()),
        query=query,
        filtered=any(query[name] for name in ("q", "status", "type", "reactor", "fingerprint", "open", "range"))
        or between,
        between=between,
        types=types,
        reactors=reactors,
        fields=fields,
        ranges=RANGES,
        statuses=STATUSES,
        meanings=MEANINGS,
        closed=CLOSED,
        words_=as_words(query),
        api=api,
    )
