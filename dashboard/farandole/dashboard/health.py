"""Whether it is alive, whether it is of use yet, and its numbers."""

from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from .api.asking import TheDesk, lag_of
from .auth.guards import Seeing

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process answers")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz", summary="Whether the tables are near the end of the log")
async def readyz(desk: TheDesk, response: Response) -> dict[str, Any]:
    """503 while the tables are far behind, a partition is projected no further, or the log or the database is away."""
    lag = await lag_of(desk)
    response.status_code = 200 if lag.ready else 503
    return {
        "status": "ready" if lag.ready else "not ready",
        "behind": lag.records,
        "seconds": lag.seconds,
        "why": lag.why,
    }


@router.get("/metrics", summary="For Prometheus", response_class=Response)
def metrics(request: Request, _: Seeing, desk: TheDesk) -> Response:
    return Response(generate_latest(desk.metrics), media_type=CONTENT_TYPE_LATEST)
