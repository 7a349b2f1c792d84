"""The schemas of a choreography in its catalogue, where every service and other languages find them.

Layout, of keys and values in UTF-8:

    schema/<name>/<version>/<digest>    {"fingerprint": "<16 hex digits>", "order": <n>, "schema": {…}}

``name`` is the record's full name, which is its type in the log; ``fingerprint`` is as it stands in values and headers;
``order`` counts up with each new schema of one name. The digest (BLAKE2b-64 of the schema without its docs) only keeps
keys apart: an entry is never changed, and whoever registers the same schema puts the same entry. So two processes that
register at once do no harm. `farandole.schemas.schema_numbers` says what else is here where there is a schema registry.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
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

    def value(self) -> bytes:
        entry = {"fingerprint": self.fingerprint.hex(), "order": self.order, "schema": self.schema}
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
        await admit([entry.told() for entry in (*mine, *new, *_system_entries())])
    for entry in [*new, *(entry for entry in _system_entries() if entry.key not in loaded)]:
        await table.put(entry.key, entry.value())
    if new:
        await _check_again(table, types, entries, new, mode)
    return tuple(entry.name for entry in new)


async def acquaint(table: Table, types: EventTypes, cls: type[Event]) -> None:
    """Take one more event class into types that are in use already, its schema into the catalogue first.

    Raises:
        DeclarationError: another event has its name, it is abstract, or Avro cannot say a field.
        IncompatibleSchema: it and its earlier schemas cannot be read by each other; nothing was put.
        UndecodableValue: an entry for it cannot be read.
    """
    if cls in types:
        return
    alone = EventTypes(types.prefix, [cls], types.codec)
    if types.type_of(alone.wire_name(cls)) is None:
        await register(table, alone)
    types.add(cls)
    await refresh(table, types)


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
    """The schemas in a catalogue, by fingerprint; what cannot be read is passed over."""
    found: dict[bytes, SchemaText] = {}
    for key, value in loaded.items():
        if key.startswith(PREFIX):
            with suppress(UndecodableValue):
                told = read_entry(key, value).told()
                found.setdefault(told.fingerprint, told)
    return found


def read_entry(key: bytes, value: bytes) -> Entry:
    """An entry of the catalogue.

    Raises:
        UndecodableValue: it is not laid out as one.
    """
    try:
        _, name, version, _ = key.decode().split("/")
        found = json.loads(value)
        return Entry(key, name, int(version), int(found["order"]), bytes.fromhex(found["fingerprint"]), found["schema"])
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
    entry = Entry(key, name, found.version, max((e.order for e in known), default=0) + 1, fingerprint, schema)
    if all(each.key != key for each in known):
        await table.put(key, entry.value())
    return entry.told()


def _learn(loaded: Mapping[bytes, bytes], types: EventTypes) -> list[Entry]:
    entries = []
    types.strangers.learn(loaded)
    for key, value in loaded.items():
        if key.startswith(PREFIX) and types.type_of(key.decode("utf-8", "replace").split("/")[1]) is not None:
            entry = read_entry(key, value)
            types.learn(entry.fingerprint, _json(entry.schema))
            entries.append(entry)
    return entries


def _check(types: EventTypes, entries: list[Entry], mode: Mode) -> list[Entry]:
    new: list[Entry] = []
    wrong: list[str] = []
    for name, fingerprint, schema in types.schemas():
        mine = [entry for entry in entries if entry.name == name]
        order = max((entry.order for entry in mine), default=0) + 1
        entry = Entry(_key(schema), name, schema.get(VERSION, 1), order, fingerprint, schema)
        if any(known.key == entry.key for known in mine):
            continue
        try:
            check_evolution(schema, [Earlier(known.order, known.schema) for known in mine], mode)
        except IncompatibleSchema as e:
            wrong.append(str(e))
        new.append(entry)
    if wrong:
        raise IncompatibleSchema("\n".join(wrong))
    return new


async def _check_again(table: Table, types: EventTypes, seen: list[Entry], new: list[Entry], mode: Mode) -> None:
    # Others may have registered a schema meanwhile that they could not compare with ours.
    known = {entry.key for entry in [*seen, *new]}
    entries = _learn(await table.load(), types)
    since = [entry for entry in entries if entry.key not in known]
    try:
        for entry in new:
            others = [Earlier(other.order, other.schema) for other in since if other.name == entry.name]
            check_evolution(entry.schema, others, mode)
    except IncompatibleSchema:
        for entry in new:
            await table.put(entry.key, None)
        raise


@cache
def _system_entries() -> tuple[Entry, ...]:
    schemas = [(record, json.loads(record.schema_json)) for record in SYSTEM_RECORDS]
    return tuple(Entry(_key(schema), record.name, 1, 1, record.fingerprint, schema) for record, schema in schemas)


def _key(schema: dict[str, Any]) -> bytes:
    digest = blake2b(_json(_without_docs(schema)).encode(), digest_size=8).hexdigest()
    return PREFIX + f"{schema['name']}/{schema.get(VERSION, 1)}/{digest}".encode()


def _without_docs(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_docs(part) for part in schema]
    if isinstance(schema, dict):
        return {k: v if k == "default" else _without_docs(v) for k, v in schema.items() if k != "doc"}
    return schema


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
