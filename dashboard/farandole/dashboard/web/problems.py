"""What went wrong, as an answer: problem+json (RFC 9457) with its cure, or a page that says the same.

What was sent never comes back in a message, and what only the operator should know goes to the log.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farandole.dashboard.errors import Problem
from farandole.eventstore import AppendError, SchemaUnavailable, StoreError, StoreUnavailable, TooLarge
from farandole.projections.fold import Verdict
from farandole.projections.runs.query import Behind, TooWide, UnknownCursor
from farandole.projections.sql import DatabaseError, DatabaseUnavailable
from farandole.reactors.errors import (
    ClientError,
    CommandRefused,
    PolicyRefused,
    UnknownReactor,
    UnknownSchedule,
    UnknownStart,
)
from farandole.reactors.shown import shown
from farandole.schemas import FarandoleError, UndecodableValue

from .hooks import of_pages

log = logging.getLogger("farandole.dashboard")

TYPES: Final = "urn:farandole:problem:"
_WORDS: Final = {
    400: ("Not understood", "See /api/openapi.json for what can be asked."),
    401: ("Who are you?", "Send Authorization: Bearer <token>, or log in at /login."),
    403: ("Not allowed", "Ask somebody who has the role for it."),
    404: ("Not found", "Check the address; /api/openapi.json lists what there is."),
    405: ("Not done so", "See /api/openapi.json for the methods of an address."),
    415: ("Another kind of content", "Send JSON, with Content-Type: application/json."),
}
_GONE: Final = frozenset({Verdict.NO_RUN})


def answer(request: Request, problem: Problem) -> Response:
    """A problem as an answer."""
    if _wants_page(request):
        if problem.status == 401:
            here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/login?next={quote(here)}", status_code=303)
        if (page := _page(request, problem)) is not None:
            return page
    return as_json(problem)


def as_json(problem: Problem) -> Response:
    """A problem as JSON."""
    content = {
        "type": TYPES + problem.title.lower().replace(" ", "-").strip("?"),
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        **({"cure": problem.cure} if problem.cure else {}),
        **problem.more,
    }
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if (wait := problem.more.get("retry_after")) is not None:
        headers["Retry-After"] = str(wait)
    return JSONResponse(content, problem.status, headers, media_type="application/problem+json")


def problem_of(error: Exception) -> Problem | None:
    """What an error of ours is to whoever asked; None if it is nobody's business but the operator's."""
    match error:
        case Problem():
            return error
        case CommandRefused():
            status = 404 if error.verdict in _GONE else 409
            return Problem(status, "Refused", str(error), "Look at the run again.", verdict=error.verdict.name.lower())
        case UnknownReactor() | UnknownSchedule() | UnknownStart():
            return Problem(404, "Not found", str(error), "Choose one of those.", known=list(error.known))
        case PolicyRefused():
            return Problem(409, "Refused", str(error), "Look at the reactor again.")
        case ClientError():
            return Problem(409, "Refused", str(error), "Look at it again.")
        case TooWide():
            return Problem(422, "Too much at once", str(error), "Ask for parts of it.")
        case UnknownCursor():
            return Problem(400, "No such page", str(error), "Begin with the first page.")
        case Behind():
            return Problem(503, "Not there yet", str(error), "Ask again, or start a projector.", retry_after=1)
        case TooLarge():
            return Problem(413, "Too large", str(error), "Send less, or refer to it.")
        case StoreUnavailable() | AppendError() | SchemaUnavailable():
            return Problem(
                503, "The log is away", str(error), "Ask again later; doing it again is safe.", retry_after=5
            )
        case DatabaseUnavailable():
            return Problem(503, "The database is away", str(error), "Ask again later.", retry_after=5)
        case UndecodableValue():
            return Problem(422, "Cannot be read here", str(error), "Serve it with the app that has its code.")
        case DatabaseError() | StoreError() | FarandoleError():
            return Problem(500, "Out of order", str(error), "Tell whoever runs this server.")
    return None


def of_http(error: HTTPException) -> Problem:
    """What Starlette or FastAPI says."""
    title, cure = _WORDS.get(error.status_code, ("Not done", ""))
    return Problem(error.status_code, title, str(error.detail), cure)


def of_validation(error: RequestValidationError) -> Problem:
    """What does not fit, by its place, without what was given."""
    wrong = [{"where": ".".join(map(str, each["loc"])), "what": each["msg"]} for each in error.errors()]
    said = "; ".join(f"{each['where']}: {each['what']}" for each in wrong[:5])
    return Problem(422, "Does not fit", said, "See /api/openapi.json for what is taken.", problems=wrong)


class Faults:
    """The last one to see an error of a handler: it is told in the log, and not to whoever asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as e:
            if started:
                raise
            problem = problem_of(e)
            if problem is None:
                log.exception("%s %s failed", scope["method"], shown(scope["path"]))
                problem = Problem(500, "Out of order", "The server failed to answer.", "Its log says why.")
            elif problem.status >= 500:
                log.warning("%s %s: %s", scope["method"], shown(scope["path"]), problem.detail)
            await answer(Request(scope), problem)(scope, receive, sending)


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _page(request: Request, problem: Problem) -> Response | None:
    error_page = of_pages("error_page")
    if error_page is None:
        return None
    found = error_page(request, problem.status, problem.title, problem.detail, problem.cure)
    assert isinstance(found, Response)
    return found


def documented() -> Mapping[int | str, dict[str, Any]]:
    """How problems look, for OpenAPI."""
    schema = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("type", "title", "detail", "cure")}
        | {"status": {"type": "integer"}},
    }
    content = {"application/problem+json": {"schema": schema}}
    return {status: {"description": words[0], "content": content} for status, words in _WORDS.items() if status < 405}
