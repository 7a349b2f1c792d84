"""The HTTP API, version 1."""

from fastapi import APIRouter

from farandole.dashboard.web.problems import documented

from . import across, acts, catalogue, one_run, runs, stream, talk

router = APIRouter(prefix="/api/v1", responses=dict(documented()))
for part in (acts, talk, one_run, runs, across, catalogue, stream):
    router.include_router(part.router)
