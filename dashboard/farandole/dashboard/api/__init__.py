"""The HTTP API, version 1."""

from fastapi import APIRouter

from farandole.dashboard.web.problems import documented

from . import acts, runs

router = APIRouter(prefix="/api/v1", responses=dict(documented()))
for part in (acts, runs):
    router.include_router(part.router)
