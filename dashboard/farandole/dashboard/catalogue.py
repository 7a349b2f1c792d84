"""What the log itself says of the whole: its schemas, its schedules, and who takes what and gives it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from farandole.projections.runs.query import ReactorRow
from farandole.reactors import scheduling
from farandole.reactors.scheduling import ScheduleView
from farandole.schemas import UndecodableValue, event_info
from farandole.schemas.catalogue import PREFIX, read_entry

from .desk import Desk

_FAILED: Final = ("failed:", "child_done:", "child_failed:")


@dataclass(frozen=True, slots=True)
class SchemaRow:
    """A schema of an event.

    Attributes:
        order: counts up with each new schema of one name.
        kind: of the event, where this server knows its class.
    """

    name: str
    version: int
    order: int
    fingerprint: str
    kind: str | None
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MapNode:
    """A reactor or an event of the map.

    Attributes:
        kind: reactor, or that of the event as far as it is known.
        row: of a reactor, what it owes and did of late.
    """

    id: str
    name: str
    kind: str
    row: ReactorRow | None = None


@dataclass(frozen=True, slots=True)
class MapEdge:
    """An event is taken by a reactor, or given by it, in a form."""

    source: str
    target: str
    form: str


@dataclass(frozen=True, slots=True)
class Map:
    """Who takes what and gives it, by the contracts in force."""

    nodes: tuple[MapNode, ...]
    edges: tuple[MapEdge, ...]


async def schemas(desk: Desk) -> list[SchemaRow]:
    """The schemas that events are written with, by name, the newest first.

    Raises:
        StoreError: the log cannot be read.
    """
    found = []
    for key, value in (await desk.store.catalogue.load()).items():
        if not key.startswith(PREFIX):
            continue
        try:
            entry = read_entry(key, value)
        except UndecodableValue:
            continue
        if entry.reads:
            continue
        cls = desk.events.get(entry.name.removeprefix(f"{desk.choreography}."))
        kind = None if cls is None else event_info(cls).kind
        found.append(SchemaRow(entry.name, entry.version, entry.order, entry.fingerprint.hex(), kind, entry.schema))
    return sorted(found, key=lambda row: (row.name, -row.order))


async def schedules(desk: Desk) -> list[ScheduleView]:
    """The schedules, with their next ticks.

    Raises:
        StoreError: the log cannot be read.
    """
    return list(await scheduling.schedules(desk.client))


async def map_of(desk: Desk, rows: Iterable[ReactorRow]) -> Map:
    """The map, from the contracts that reactors have in the tables.

    Args:
        rows: the reactors.
    """
    nodes: dict[str, MapNode] = {}
    edges: dict[MapEdge, None] = {}

    def event(name: str, kind: str = "event") -> str:
        full = name if "." in name else f"{desk.choreography}.{name}"
        cls = desk.events.get(full.removeprefix(f"{desk.choreography}."))
        kind = kind if cls is None else str(event_info(cls).kind)
        id_ = f"event:{full}"
        if id_ not in nodes or nodes[id_].kind == "event":
            nodes[id_] = MapNode(id_, full, kind)
        return id_

    for row in rows:
        contract = row.contract if isinstance(row.contract, Mapping) else json.loads(row.contract or "{}")
        if row.state != "active" or not contract:
            continue
        id_ = f"reactor:{row.reactor}"
        nodes[id_] = MapNode(id_, row.reactor, "reactor", row)
        for form, names in zip(contract.get("forms", ()), contract.get("takes", ()), strict=False):
            for name in names:
                prefix = next((each for each in _FAILED if name.startswith(each)), "")
                taken = name.removeprefix(prefix)
                if taken:
                    edges[
                        MapEdge(
                            event(taken, "signal" if taken in contract.get("signals", ()) else "event"),
                            id_,
                            prefix.rstrip(":") or form,
                        )
                    ] = None
        for given in contract.get("gives", ()):
            kind = {"child": "start", "ask": "answer"}.get(given["form"], "event")
            for name in given["types"]:
                edges[MapEdge(id_, event(name, kind), given["form"])] = None
    return Map(tuple(nodes.values()), tuple(edges))
