"""The schemas of a choreography in its catalogue, where every service and other languages find them.

Layout, of keys and values in UTF-8:

    schema/<name>/<version>/<digest>    {"fingerprint": "<16 hex digits>", "order": <n>, "schema": {…}}

``name`` is the record's full name, which is its type in the log; ``fingerprint`` is as it stands in values and headers;
``order`` counts up with each new schema of one name. The digest (BLAKE2b-64 of the schema without its docs) only keeps
keys apart: an entry is never changed, and whoever registers the same schema puts the same entry. So two processes that
register at once do no harm.

A service that only reads an event needs no more of its fields than it looks at. Its schema is an entry of its own:

    schema/<name>/<version>/<digest>-<service>    {…, "reads": "<service>"}, and "retired": true once it reads it no more

No value is written with it, so it decodes none. It binds whoever writes the event, until it is retired; its marks count
for ever. That of a client is retired from the first, for nobody would take it back when there is no such client any more.
`farandole.schemas.schema_numbers` says what else is here where there is a schema registry.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Protocol

from .avro import VERSION, fingerprint_of
from .avro.limits import MAX_SCHEMA_BYTES
from .errors import IncompatibleSchema, UndecodableValue
from .event import Event
from .event_types import EventTypes
from .evolution import Earlier, Mode, check_evolution
from .info import event_info
from .recorded import read_old_schema
from .schema_text import SchemaText
from .system_records import SYSTEM_RECORDS

PREFIX: Final = b"schema/"

Admit = Callable[[Sequence[SchemaText]], Awaitable[None]]
"""Somebody else who must take schemas before an event of them is written: `EventStore.introduce`."""


class Table(Protocol):
    """What is needed of the catalogue: `farandole.eventstore` has it."""

    async def put(self, key: bytes, value: bytes | None) -> None:
        """Set a key, or remove it (None)."""
        ...

    async def load(self) -> Mapping[bytes, bytes]:
        """All keys and values."""
        ...


class Entry(NamedTuple):
    """A schema in the catalogue."""

    key: bytes
    name: str
    version: int
    order: int
    fingerprint: bytes
    schema: dict[str, Any]
    reads: str = ""
    """The service that only reads with it; empty: events are written with it."""
    retired: bool = False
    """Whether that service reads the event no more."""

    def value(self) -> bytes:
        entry: dict[str, Any] = {"fingerprint": self.fingerprint.hex(), "order": self.order, "schema": self.schema}
        if self.reads:
            entry["reads"] = self.reads
        if self.retired:
            entry["retired"] = True
        return _json(entry).encode()

    def told(self) -> SchemaText:
        """The same in all processes, whatever the docs of their classes say."""
        return SchemaText(self.name, self.fingerprint, _json(self.schema))


async def register(
    table: Table, types: EventTypes, *, mode: Mode = "rolling", admit: Admit | None = None
) -> tuple[str, ...]:
    """Bring the schemas of a choreography into its catalogue, and learn those of before.

    Call it before any event is written or read. What is in the catalogue already is not judged again, so code that ran
    once can always start again.

    Args:
        mode: how far a new schema must be compatible with earlier ones of its event; see `Mode`.
        admit: is told of the schemas of all these events and of the system records, before anything is put.

    Returns:
        The names of the events whose schema is new.

    Raises:
        IncompatibleSchema: a changed event and its earlier schemas cannot be read by each other; nothing was put.
        UndecodableValue: an entry for one of these events cannot be read.
    """
    loaded = await table.load()
    entries = _learn(loaded, types)
    new = _check(types, entries, mode)
    if admit is not None:
        keys = {_key(schema) for _, _, schema in types.schemas()}
        mine = [entry for entry in entries if entry.key in keys]
        written = (entry for entry in (*mine, *new) if not entry.reads)
        await admit([entry.told() for entry in (*written, *_system_entries())])
    read_again = _read_again(types, entries)
    for entry in [*new, *read_again, *(entry for entry in _system_entries() if entry.key not in loaded)]:
        await table.put(entry.key, entry.value())
    if new:
        await _check_again(table, types, entries, new, mode)
    return tuple(entry.name for entry in new)


async def retire_readers(table: Table, service: str, reads: Callable[[str], bool]) -> None:
    """Let what a service read bind no writer any more. What it starts to read again binds again.

    Args:
        reads: whether the service still reads an event, by its name on the wire.
    """
    for key, value in (await table.load()).items():
        if key.startswith(PREFIX) and key.endswith(f"-{service}".encode()):
            with suppress(UndecodableValue):
                entry = read_entry(key, value)
                if entry.reads == service and not entry.retired and not reads(entry.name):
                    await table.put(key, entry._replace(retired=True).value())


async def acquaint(table: Table, types: EventTypes, cls: type[Event], *, reads: bool = False) -> None:
    """Take one more event class into types that are in use already, its schema into the catalogue first.

    Args:
        reads: it is only read with. Starts, signals and answers are written by clients, and count as such all the same.

    Raises:
        DeclarationError: another event has its name, it is abstract, or Avro cannot say a field.
        IncompatibleSchema: it and its earlier schemas cannot be read by each other; nothing was put.
        UndecodableValue: an entry for it cannot be read.
    """
    if cls in types and (reads or not types.only_reads(cls)):
        return
    reads = reads and may_only_read(cls)
    alone = EventTypes(
        types.prefix,
        [cls],
        types.codec,
        reads=[cls] if reads else (),
        service=types.service,
        binds=reads and types.binds,
    )
    if types.type_of(alone.wire_name(cls)) in (None, cls):
        await register(table, alone)
    types.add(cls, reads=reads)
    await refresh(table, types)


def may_only_read(cls: type[Event]) -> bool:
    """Whether somebody who has an event class need not be a writer of it: only clients write starts, signals and answers."""
    return event_info(cls).kind in ("event", "end")


async def refresh(table: Table, types: EventTypes) -> None:
    """Learn the schemas that others have registered since.

    Raises:
        UndecodableValue: an entry for one of these events cannot be read.
    """
    _learn(await table.load(), types)


def names_in(loaded: Mapping[bytes, bytes], prefix: str) -> frozenset[str]:
    """The wire names of a choreography's events whose schemas were registered.

    Args:
        loaded: the catalogue.
    """
    keys = (key.decode("utf-8", "replace") for key in loaded if key.startswith(PREFIX))
    return frozenset(name for key in keys if (name := key.split("/")[1]).startswith(f"{prefix}."))


def texts_in(loaded: Mapping[bytes, bytes]) -> dict[bytes, SchemaText]:
    """The schemas in a catalogue that events are written with, by fingerprint; what cannot be read is passed over."""
    found: dict[bytes, SchemaText] = {}
    for key, value in loaded.items():
        if key.startswith(PREFIX):
            with suppress(UndecodableValue):
                entry = read_entry(key, value)
                if not entry.reads:
                    found.setdefault(entry.fingerprint, entry.told())
    return found


def read_entry(key: bytes, value: bytes) -> Entry:
    """An entry of the catalogue.

    Raises:
        UndecodableValue: it is not laid out as one.
    """
    try:
        _, name, version, _ = key.decode().split("/")
        found = json.loads(value)
        order, fingerprint = int(found["order"]), bytes.fromhex(found["fingerprint"])
        reads, is_retired = str(found.get("reads", "")), found.get("retired", False) is True
        return Entry(key, name, int(version), order, fingerprint, found["schema"], reads, is_retired)
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        raise UndecodableValue(
            f"the catalogue's entry {key.decode('utf-8', 'replace')!r} is not a schema; remove it if no event needs it"
        ) from e


async def adopt(table: Table, name: str, text: str) -> SchemaText:
    """Take a schema into the catalogue that another program wrote an event with, and registered elsewhere.

    Args:
        name: of the event, on the wire.

    Raises:
        UndecodableValue: it is no schema of such an event, or could be used to exhaust readers.
    """
    what = f"the schema of a {name}, which another program registered,"
    if len(text) > MAX_SCHEMA_BYTES:
        raise UndecodableValue(f"{what} is larger than {MAX_SCHEMA_BYTES} bytes")
    try:
        schema = json.loads(text)
        fingerprint = fingerprint_of(schema)
        key = _key(schema)
    except Exception as e:
        raise UndecodableValue(f"{what} cannot be read ({type(e).__name__})") from e
    if (found := read_old_schema(fingerprint, text)).name != name:
        raise UndecodableValue(f"{what} is that of a {found.name}")
    known = [read_entry(k, v) for k, v in (await table.load()).items() if k.startswith(PREFIX + f"{name}/".encode())]
    entry = Entry(key, name, found.version, _next(known), fingerprint, schema)
    if all(each.key != key for each in known):
        await table.put(key, entry.value())
    return entry.told()


def _learn(loaded: Mapping[bytes, bytes], types: EventTypes) -> list[Entry]:
    entries = []
    types.strangers.learn(loaded)
    for key, value in loaded.items():
        if key.startswith(PREFIX) and types.type_of(key.decode("utf-8", "replace").split("/")[1]) is not None:
            entry = read_entry(key, value)
            if not entry.reads:
                types.learn(entry.fingerprint, _json(entry.schema))
            entries.append(entry)
    return entries


def _check(types: EventTypes, entries: list[Entry], mode: Mode) -> list[Entry]:
    new: list[Entry] = []
    wrong: list[str] = []
    for name, fingerprint, schema in types.schemas():
        mine = [entry for entry in entries if entry.name == name]
        reads = types.only_reads(types.type_of(name))
        service = types.service if reads else ""
        key, unbound = _key(schema, service), reads and not types.binds
        entry = Entry(key, name, schema.get(VERSION, 1), _next(mine), fingerprint, schema, service, unbound)
        if any(known.key == entry.key for known in mine):
            continue
        try:
            check_evolution(schema, _earlier(mine), mode, reads=reads)
        except IncompatibleSchema as e:
            wrong.append(str(e))
        if service or not reads:
            new.append(entry)
    if wrong:
        raise IncompatibleSchema("\n".join(wrong))
    return new


def _read_again(types: EventTypes, entries: list[Entry]) -> list[Entry]:
    """What is read once more as it was before: after a rollback that is what binds, and not what came between."""
    again = []
    for name, _, schema in types.schemas() if types.binds else ():
        mine = [entry for entry in entries if entry.name == name]
        read = [entry for entry in mine if entry.reads == types.service and not entry.retired]
        if not types.only_reads(types.type_of(name)):
            # Whoever writes an event is heeded as its writer.
            again += [entry._replace(retired=True) for entry in read]
            continue
        key = _key(schema, types.service)
        newest = max(read, key=lambda entry: entry.order, default=None)
        if newest is None or newest.key != key:
            again += [entry._replace(order=_next(mine), retired=False) for entry in mine if entry.key == key]
    return again


def _next(entries: Iterable[Entry]) -> int:
    return max((entry.order for entry in entries), default=0) + 1


def _earlier(entries: Iterable[Entry]) -> list[Earlier]:
    return [Earlier(entry.order, entry.schema, entry.reads) for entry in entries if not entry.retired]


async def _check_again(table: Table, types: EventTypes, seen: list[Entry], new: list[Entry], mode: Mode) -> None:
    # Others may have registered a schema meanwhile that they could not compare with ours.
    known = {entry.key for entry in [*seen, *new]}
    entries = _learn(await table.load(), types)
    since = [entry for entry in entries if entry.key not in known]
    try:
        for entry in new:
            others = _earlier(other for other in since if other.name == entry.name)
            check_evolution(entry.schema, others, mode, reads=bool(entry.reads))
    except IncompatibleSchema:
        for entry in new:
            await table.put(entry.key, None)
        raise


@cache
def _system_entries() -> tuple[Entry, ...]:
    schemas = [(record, json.loads(record.schema_json)) for record in SYSTEM_RECORDS]
    return tuple(Entry(_key(schema), record.name, 1, 1, record.fingerprint, schema) for record, schema in schemas)


def _key(schema: dict[str, Any], service: str = "") -> bytes:
    digest = blake2b(_json(_without_docs(schema)).encode(), digest_size=8).hexdigest()
    return PREFIX + f"{schema['name']}/{schema.get(VERSION, 1)}/{digest}{service and f'-{service}'}".encode()


def _without_docs(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_docs(part) for part in schema]
    if isinstance(schema, dict):
        return {k: v if k == "default" else _without_docs(v) for k, v in schema.items() if k != "doc"}
    return schema


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
