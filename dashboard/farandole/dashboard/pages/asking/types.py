"""Which event types a choreography has, of which kind each is, and what their newest schemas say.

The catalogue has the schemas, and the contracts in the log say what is taken and given: so nothing of the
choreography's code is needed to draw it, or to make a form. Where the server has the code, it says what is a start or a
signal that no contract names.
"""

from collections.abc import Mapping, Sequence
from itertools import filterfalse
from typing import Any

from sqlalchemy import Connection, select

from farandole.dashboard.pages.asking.kept import kept
from farandole.dashboard.pages.forms import Form, form_of
from farandole.projections.runs import tables as t
from farandole.projections.runs.query import DecisionRow
from farandole.schemas import UndecodableValue, event_info
from farandole.schemas.catalogue import PREFIX, Entry, read_entry


class Types:
    """Event types of one choreography.

    Args:
        entries: all schemas in its catalogue.
        contracts: what its reactors say of themselves.
        kinds: what runs and the code say, by wire name.
    """

    def __init__(
        self, entries: Sequence[Entry], contracts: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]
    ) -> None:
        self.entries = sorted(entries, key=lambda entry: (entry.name, entry.version, entry.order))
        # What a service only reads may lack fields, so it tells of an event only where nothing else does.
        self.newest = {e.name: e for e in (*filter(_is_read, self.entries), *filterfalse(_is_read, self.entries))}
        taken = {name for contract in contracts for group in contract["takes"] for name in group if ":" not in name}
        given = {(each["form"], name) for contract in contracts for each in contract["gives"] for name in each["types"]}
        self._signals = {name for contract in contracts for name in contract["signals"]}
        self.kinds: dict[str, str] = {}
        names = {form: {name for f, name in given if f == form} for form in {f for f, _ in given}}
        emitted = {name for form, name in given if form not in ("ask", "child")}
        for name in {*self.newest, *taken, *(name for _, name in given)}:
            if not self.is_event(name):
                continue
            self.kinds[name] = (
                kinds.get(name)
                or ("signal" if name in self._signals else "")
                or ("start" if name in names.get("child", ()) else "")
                or ("answer" if name in names.get("ask", ()) and name not in emitted else "")
                or ("start" if name in taken and name not in emitted else "event")
            )

    @classmethod
    async def of(cls, desk: Any) -> "Types":
        """Those of the choreography that is looked at, as they were some seconds ago at most."""
        return await kept(desk.runs, "types", 5.0, lambda: cls._read(desk))

    @classmethod
    async def _read(cls, desk: Any) -> "Types":
        entries = []
        for key, value in (await desk.store.catalogue.scan(PREFIX)).items():
            try:
                entries.append(read_entry(key, value))
            except UndecodableValue:
                continue
        kinds = {f"{desk.choreography}.{name}": event_info(event).kind for name, event in desk.events.items()}
        contracts, started, ended = (await desk.runs.ask(_declared)).found
        return cls(entries, contracts, dict.fromkeys(started, "start") | dict.fromkeys(ended, "end") | kinds)

    @staticmethod
    def is_event(name: str) -> bool:
        """Whether a name is that of an event of a choreography, and not of a record of the log's own."""
        return "." in name and not name.startswith("farandole.")

    def of_kind(self, kind: str) -> list[str]:
        """Names that have a schema, in order."""
        return sorted(name for name, of in self.kinds.items() if of == kind and name in self.newest)

    @property
    def signals(self) -> list[str]:
        return self.of_kind("signal")

    def schema(self, name: str) -> dict[str, Any] | None:
        """The newest schema of a type."""
        entry = self.newest.get(name)
        return None if entry is None else entry.schema

    def answer_forms(self, decision: DecisionRow) -> list[Form]:
        """A form for each answer that a decision offers."""
        return [
            form_of(name, self.schema(name), prefix=f"d{decision.partition}-{decision.log_offset}-{n}", without=("by",))
            for n, name in enumerate(decision.answers or ())
        ]


def _is_read(entry: Entry) -> bool:
    return bool(entry.reads)


def _declared(connection: Connection) -> tuple[list[Mapping[str, Any]], list[str], list[str]]:
    contracts = connection.execute(select(t.reactors.c.content).order_by(t.reactors.c.since)).scalars()
    started = connection.execute(select(t.runs.c.type).distinct()).scalars()
    ended = select(t.runs.c.result_type).where(t.runs.c.result_type.is_not(None)).distinct()
    return list(contracts), list(started), list(connection.execute(ended).scalars())
