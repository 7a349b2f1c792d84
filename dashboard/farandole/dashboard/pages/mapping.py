"""`/map`: the choreography as its contracts in the log say it is, and what goes on in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from farandole.projections.runs.query import ReactorRow

from .asking.seen import Seen, seen
from .asking.types import Types
from .site import now, page, position_of
from .times import span
from .words import event_of, short

router = APIRouter()
MINUTES = 5
_BEHIND = 1_000
"""Milliseconds of lag from which on it is told in the graph: less is the time that a step takes."""
_CARRIERS = {"after": "farandole.After", "ask": "farandole.Decision"}
"""Records in which an event is on its way, and of which type it is not."""


@dataclass(frozen=True, slots=True)
class Way:
    """A reactor with what it takes and gives."""

    row: ReactorRow
    takes: Sequence[tuple[str, bool]]
    """Names, each with whether it was seen to be taken."""
    gives: Sequence[tuple[str, str, bool]]
    """Names, each with its form and whether it was seen to be given."""
    undeclared: Sequence[str]
    """Names that it was seen to give, and does not say so."""

    def says(self, at: int) -> str:
        """What goes on, on a line."""
        parts = [f"{self.row.done / MINUTES:.3g}/min"] if self.row.done else []
        if self.row.owed:
            oldest = "" if self.row.oldest is None else f", {span(at - self.row.oldest)}"
            parts.append(f"owes {self.row.owed}{oldest}")
        parts += [f"lag {span(self.row.lag)}"] if self.row.lag >= _BEHIND else []
        parts += [f"{self.row.parked} parked"] if self.row.parked else []
        parts += ["stopped"] if self.row.stopped else []
        return " · ".join(parts) or "quiet"

    @property
    def tone(self) -> str:
        if self.row.stopped:
            return "warn"
        if self.row.parked:
            return "bad"
        return "work" if self.row.owed or self.row.done else "mute"


def ways(rows: Iterable[ReactorRow], found: Seen) -> list[Way]:
    """Reactors as they are declared, and as they were seen."""
    made = []
    for row in rows:
        contract: Mapping[str, Any] = row.contract
        takes = [(name, (name, row.reactor) in found.taken) for group in contract["takes"] for name in group]
        gave = {name for reactor, name in found.given if reactor == row.reactor}
        gives = [
            (name, each["form"], bool(gave & {name, _CARRIERS.get(each["form"], ""), "farandole.Child"}))
            for each in contract["gives"]
            for name in each["types"]
        ]
        declared = {name for name, _, _ in gives}
        undeclared = sorted(name for name in gave if name not in declared and not name.startswith("farandole."))
        made.append(Way(row, list(dict.fromkeys(takes)), list(dict.fromkeys(gives)), undeclared))
    return made


def via(name: str) -> str:
    """What kind of news it is; empty: it is the event itself."""
    return {"child_done": "of a child", "child_failed": "child failed", "failed": "failed"}.get(
        name.rpartition(":")[0], ""
    )


def elements(found: Sequence[Way], types: Types, at: int, choreography: str) -> list[dict[str, Any]]:
    """As a canvas draws it."""
    nodes: dict[str, dict[str, Any]] = {}
    edges: list[dict[str, Any]] = []

    def event(name: str) -> str:
        name = event_of(name, choreography) or "failed:"
        id = f"e:{name}"
        kind = types.kinds.get(name, "event")
        tone = {"start": "work", "signal": "wait", "answer": "wait"}.get(kind, "mute")
        nodes.setdefault(id, {"data": {"id": id, "label": short(name), "schema": name}, "classes": f"type {tone}"})
        return id

    def edge(source: str, target: str, label: str, classes: str) -> None:
        edges.append({"data": {"id": f"{source}>{target}", "source": source, "target": target, "label": label}, "classes": classes})  # fmt: skip

    for way in found:
        name, forms = way.row.reactor, way.row.contract["forms"]
        id = f"r:{name}"
        stopped = " stopped" if way.row.stopped else ""
        nodes[id] = {
            "data": {"id": id, "label": f"{name}\n{way.says(at)}", "reactor": name},
            "classes": f"reactor {way.tone}{stopped}",
        }
        join = len(way.row.contract["takes"]) > 1
        for taken, was_seen in way.takes:
            label = via(taken) or (
                "all" if "list" in forms else "join" if join else "failed" if "failed" in forms else ""
            )
            edge(event(taken), id, label, "" if was_seen else "never")
        for given, form, was_seen in way.gives:
            edge(id, event(given), "" if form == "one" else form, "" if was_seen else "never")
        for given in way.undeclared:
            edge(id, event(given), "undeclared", "undeclared")
    return [*nodes.values(), *edges]


@router.get("/map")
async def map_(request: Request) -> HTMLResponse:
    desk, at = request.app.state.desk, now()
    rows = await desk.runs.reactors(minutes=MINUTES, min_position=position_of(request))
    found = ways(rows.found, (await desk.runs.ask(seen)).found)
    types = await Types.of(desk)
    stopped = {policy.reactor for policy in (await desk.runs.policies()).found if policy.stopped}
    return await page(
        request, "map.html", fresh=rows.fresh, ways=found, at=at, elements=elements(found, types, at, desk.choreography),
        all_stopped="" in stopped, minutes=MINUTES,
    )  # fmt: skip
