"""The application: from a desk and settings to what a server serves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response

from . import api, health
from .auth import logins
from .auth.attempts import Attempts
from .auth.door import Door
from .auth.sessions import cookie_of
from .desk import Desk
from .lagging import trouble_of
from .live import Hub
from .settings import Settings
from .web.counting import Counting
from .web.headers import SecurityHeaders
from .web.hooks import of_pages
from .web.limits import Limits
from .web.paths import RawPaths
from .web.problems import Faults, answer, of_http, of_validation
from .web.requests import RequestIds

_SESSION = 12 * 60 * 60


def create_app(desk: Desk, settings: Settings | None = None) -> FastAPI:
    """The API, the stream, the pages and the door before them.

    Args:
        desk: what is served. It is not closed with the application.
        settings: by default for this machine only.
    """
    settings = settings or Settings()
    if desk.hub is None:
        desk.hub = Hub(desk.runs, most=settings.streams, trouble=lambda: trouble_of(desk))
    if desk.projector is not None:
        desk.projector.written = desk.hub.wake
    hub = desk.hub

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with hub:
            yield

    app = FastAPI(
        title=f"Farandole: {desk.choreography}",
        description="Runs, what they wait for, and what people do to them.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    attempts, cookie = Attempts(), cookie_of(desk, settings)
    app.state.desk, app.state.settings = desk, settings
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.include_router(health.router)
    app.include_router(api.router)
    app.include_router(logins.router(settings, attempts))
    if (pages := of_pages("pages")) is not None:
        app.include_router(pages)
    # The first one here is the innermost.
    app.add_middleware(Faults)
    app.add_middleware(Door, settings=settings, attempts=attempts)
    app.add_middleware(
        SessionMiddleware,
        secret_key=cookie.key,
        session_cookie=cookie.name,
        max_age=_SESSION,
        same_site="lax",
        https_only=settings.https,
    )
    app.add_middleware(RawPaths)
    app.add_middleware(Limits, hosts=settings.allowed_hosts)
    app.add_middleware(SecurityHeaders, https=settings.https)
    app.add_middleware(RequestIds)
    if desk.metrics is not None:
        app.add_middleware(Counting, metrics=desk.metrics)
    return app


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer(request, of_http(error))


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(request, of_validation(error))
