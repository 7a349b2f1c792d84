"""`/costs`: what was used of models and what it cost, by day, agent, model and run."""

from collections.abc import Collection, Mapping
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from farandole.projections.runs.query import UsageRow
from farandole.projections.runs.query.spending import By, usage

from .site import now, page, position_of

router = APIRouter()
RANGES: Final = {"1d": "last day", "7d": "last week", "30d": "last month", "90d": "last quarter", "all": "all"}
_DAY: Final = 86_400_000
_RUNS: Final = 25
_DAYS: Final = 92
_TABLES: Final[Mapping[str, tuple[Collection[By], int]]] = {
    "total": ([], 1), "days": (["day"], _DAYS), "agents": (["agent"], 100), "models": (["model"], 100),
    "runs": (["run"], _RUNS),
}  # fmt: skip


@router.get("/costs")
async def costs(request: Request) -> HTMLResponse:
    desk, get = request.app.state.desk, request.query_params.get
    within = get("range", "30d")
    within = within if within in RANGES else "30d"
    agent, model = get("agent") or None, get("model") or None
    since = None if within == "all" else now() - int(within[:-1]) * _DAY

    def ask(connection: Connection) -> dict[str, tuple[UsageRow, ...]]:
        return {
            name: usage(
                connection, desk.choreography, by=by, since=since, upto=None, agent=agent, model=model, run_id=None,
                children=False, limit=most,
            )
            for name, (by, most) in _TABLES.items()
        }  # fmt: skip

    found = await desk.runs.ask(ask, position_of(request))
    return await page(
        request, "costs.html", fresh=found.fresh, **found.found, within=within, ranges=RANGES, since=since, agent=agent,
        model=model,
    )  # fmt: skip
