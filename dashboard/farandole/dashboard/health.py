"""Whether it is alive, whether it is of use yet, and its numbers."""

from typing import Any

from fastapi import APIRouter, Request, Response

from .api.asking import TheDesk
from .auth.guards import Seeing
from .errors import Problem
from .lagging import Lag, lag_of

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process answers")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz", summary="Whether the tables are near the end of the log")
async def readyz(request: Request, desk: TheDesk, response: Response) -> dict[str, Any]:
    """503 while the tables are far behind, a partition is projected no further, the log or the database is away, or a
    projection that is kept in the same process goes no further.

    Why is told to those only who are known.
    """
    lag = await lag_of(desk) or Lag(None, None, "it is not known yet")
    why = lag.why or desk.beside()
    response.status_code = 200 if why is None else 503
    said = {"status": "ready" if why is None else "not ready"}
    known = request.state.caller is not None
    return said | ({"behind": lag.records, "seconds": lag.seconds, "why": why} if known else {})


@router.get("/metrics", summary="For Prometheus", response_class=Response)
async def metrics(_: Seeing, desk: TheDesk) -> Response:
    if desk.metrics is None:
        raise Problem(404, "Not found", "This server counts nothing.", "farandole serve does.")
    body, kind = await desk.metrics.scrape()
    return Response(body, media_type=kind)
