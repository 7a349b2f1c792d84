"""`/schemas`: what events hold, in each version. `/start`: a run begins with a form made from such a schema."""

import json
from collections.abc import Mapping, Sequence
from difflib import ndiff
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from farandole.projections.runs.query import ReactorRow

from .asking.types import Types
from .forms import form_of
from .site import error_page, page
from .words import event_of, short

router = APIRouter()


def said(kind: Any) -> str:
    """A type of Avro's in short."""
    if isinstance(kind, list):
        return " | ".join(said(each) for each in kind)
    if isinstance(kind, Mapping):
        if kind.get("logicalType"):
            return str(kind["logicalType"])
        if kind["type"] == "array":
            return f"list of {said(kind['items'])}"
        if kind["type"] == "map":
            return f"map of {said(kind['values'])}"
        if choices := kind.get("symbols") or kind.get("farandole.values"):
            return " | ".join(json.dumps(each) for each in choices)
        return short(str(kind.get("name", ""))) or said(kind["type"])
    return short(kind) if "." in kind else str(kind)


def marks(field: Mapping[str, Any]) -> list[str]:
    """What a field is marked with."""
    return [name for name in ("secret", "personal", "search") if field.get(f"farandole.{name}") is True]


def lines(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A schema line by line, against the one before: ``+``, ``-`` or a space, and the line."""
    old = [] if before is None else json.dumps(before, indent=2, ensure_ascii=False).splitlines()
    new = json.dumps(after, indent=2, ensure_ascii=False).splitlines()
    if before is None:
        return [(" ", line) for line in new]
    return [(line[0], line[2:]) for line in ndiff(old, new) if line[0] != "?"]


def _users(name: str, reactors: Sequence[ReactorRow]) -> tuple[list[str], list[str]]:
    """Who takes an event, and who gives it."""
    takes = [
        row.reactor
        for row in reactors
        if any(name == event_of(each, name.rpartition(".")[0]) for group in row.contract["takes"] for each in group)
    ]
    gives = [row.reactor for row in reactors if any(name in each["types"] for each in row.contract["gives"])]
    return takes, gives


@router.get("/schemas")
async def schemas(request: Request) -> HTMLResponse:
    desk = request.app.state.desk
    types = await Types.of(desk)
    reactors = await desk.runs.reactors()
    rows = [
        (name, kind, [entry for entry in types.entries if entry.name == name], *_users(name, reactors.found))
        for name, kind in sorted(types.kinds.items())
    ]
    return await page(request, "schemas.html", fresh=reactors.fresh, rows=rows)


@router.get("/schemas/{name:path}")
async def schema(request: Request, name: str) -> HTMLResponse:
    desk = request.app.state.desk
    types = await Types.of(desk)
    versions = [entry for entry in types.entries if entry.name == name]
    if not versions:
        return error_page(request, 404, f"No event is called {name}", "", "/schemas has those there are.")
    reactors = await desk.runs.reactors()
    shown = [(entry, lines(versions[n - 1].schema if n else None, entry.schema)) for n, entry in enumerate(versions)]
    fields = [(each["name"], said(each["type"]), each.get("default", ...), each.get("doc", ""), marks(each)) for each in versions[-1].schema["fields"]]  # fmt: skip
    takes, gives = _users(name, reactors.found)
    return await page(
        request, "schema.html", fresh=reactors.fresh, name=name, kind=types.kinds.get(name, "event"), versions=shown[::-1],
        fields=fields, doc=versions[-1].schema.get("doc", ""), takes=takes, gives=gives, unset=...,
    )  # fmt: skip


@router.get("/start")
async def start(request: Request) -> HTMLResponse:
    desk = request.app.state.desk
    types = await Types.of(desk)
    names = types.of_kind("start")
    wanted = request.query_params.get("type", "")
    chosen = next((name for name in names if wanted in (name, short(name))), names[0] if names else "")
    forms = [form_of(name, types.schema(name), prefix=f"start-{n}") for n, name in enumerate(names)]
    return await page(request, "start.html", forms_=forms, chosen=chosen, code=bool(desk.events))
