"""What every page is made with: templates that escape all they are given, and what the frame around a page shows."""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Connection, func, select

from farandole.projections.runs import tables as t
from farandole.projections.runs.query import Answer, Freshness, UnknownCursor

from . import times, words
from .assets import address
from .commands import commands

_T = TypeVar("_T")
TEMPLATES: Final = Path(__file__).parent.parent / "templates"


def now() -> int:
    """By the server's clock."""
    return time.time_ns() // 1_000_000


def path_of(run_id: str) -> str:
    """Where a run is shown."""
    return f"/runs/{quote(run_id, safe='')}"


def with_query(path: str, query: Mapping[str, Any], **changes: Any) -> str:
    """An address with a query of which some parts are changed; what is empty is left out."""
    parts: list[tuple[str, str]] = []
    for name, value in {**query, **changes}.items():
        parts += [
            (name, str(each))
            for each in (value if isinstance(value, list | tuple) else [value])
            if each not in (None, "")
        ]
    return f"{path}?{urlencode(parts)}" if parts else path


def pretty(value: Any) -> str:
    """A plain value as JSON on several lines."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def from_json(said: str) -> Any:
    """What a text says as JSON; the text, if it is none."""
    try:
        return json.loads(said)
    except ValueError:
        return said


def from_json_text(said: Any) -> Any:
    """What a text says as JSON, or the text; anything else as it is."""
    return from_json(said) if isinstance(said, str) else said


@cache
def environment() -> Environment:
    """The templates. Everything put into one is escaped; no filter of ours says otherwise."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=address, path_of=path_of, with_query=with_query, words=words)
    made.filters.update(
        iso=times.iso, exactly=times.exactly, span=times.span, short=words.short, plural=words.plural, pretty=pretty,
        as_text=words.as_text, dollars=words.dollars, from_json=from_json, from_json_text=from_json_text,
        quoted=lambda said: quote(str(said), safe=""),
    )  # fmt: skip
    made.tests["mapping"] = lambda value: isinstance(value, Mapping)
    return made


async def page(
    request: Request, template: str, /, *, fresh: Freshness | None = None, status: int = 200, **context: Any
) -> HTMLResponse:
    """A page, from the template of that name."""
    desk, at = request.app.state.desk, now()
    counted = await desk.runs.ask(_badges)
    more = {
        "request": request,
        "desk": desk,
        "cli": commands(desk),
        "user": request.state.caller,
        "csrf": request.state.csrf,
        "logout": _logout(request),
        "nonce": request.state.nonce,
        "now": at,
        "relative": lambda ms: times.relative(ms, at),
        "here": request.url.path,
        "badges": counted.found,
        "fresh": fresh or counted.fresh,
    }
    return HTMLResponse(environment().get_template(template).render({**more, **context}), status)


def _logout(request: Request) -> str:
    """What a form that ends the session must bring; empty: there is none, for nobody has logged in here."""
    session: Mapping[str, Any] = request.scope.get("session") or {}
    return str(session.get("csrf", "")) if session.get("by") else ""


def _badges(connection: Connection) -> dict[str, int]:
    """What stands beside the names of pages."""
    failed = select(func.count()).select_from(t.runs).where(t.runs.c.status == "failed")
    asked = select(func.count()).select_from(t.decisions).where(t.decisions.c.state == "open")
    return {
        "/failures": connection.execute(failed).scalar_one(),
        "/inbox": connection.execute(asked).scalar_one(),
    }


async def page_of(ask: Callable[..., Awaitable[Answer[_T]]], cursor: str | None) -> tuple[Answer[_T], str | None]:
    """A page of a list, and the cursor that it is of; the first one, if the cursor is of something else."""
    try:
        return await ask(cursor=cursor), cursor
    except UnknownCursor:
        return await ask(), None


def position_of(request: Request) -> dict[int, int] | None:
    """Where in the log the tables must be, from ``min_position=3=4712``, as whoever has just acted asks."""
    found = {}
    for each in request.query_params.getlist("min_position"):
        for pair in each.split(","):
            partition, _, position = pair.partition("=")
            if partition.isdecimal() and position.isdecimal():
                found[int(partition)] = int(position)
    return found or None


def number(said: str | None) -> int | None:
    """A whole number from an address; None if it is none."""
    return int(said) if said and said.isdecimal() and len(said) < 19 else None


def error_page(request: Request, status: int, title: str, detail: str = "", cure: str = "") -> HTMLResponse:
    """What a browser is shown that asked for what is not there, or may not be seen."""
    context = {
        "status_": status,
        "title_": title,
        "detail": detail,
        "cure": cure,
        "nonce": getattr(request.state, "nonce", ""),
        "logout": _logout(request),
    }
    return HTMLResponse(environment().get_template("error.html").render(context), status)


def login_page(request: Request, ways: list[str], next: str, *, wrong: bool = False) -> HTMLResponse:
    """Where people say who they are."""
    context = {"ways": ways, "next_": next, "wrong": wrong, "csrf": request.state.csrf, "nonce": request.state.nonce}
    return HTMLResponse(environment().get_template("login.html").render(context), 401 if wrong else 200)
