"""Values of a log whose schemas have numbers in a schema registry: Confluent's wire format in the topic, ours in memory.

Above the store every value is in single-object encoding. One that is appended is put into Confluent's wire format by
the number of its schema; one that is read is put back by the fingerprint that its headers name. Reading therefore asks
nobody, needs no setting, and takes both forms in one topic.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from farandole.eventstore.contract import Record, Stored, Table
from farandole.eventstore.errors import NotAppended, SchemaUnavailable, StoreMisconfigured
from farandole.schemas.catalogue import PREFIX, adopt, texts_in
from farandole.schemas.envelope import Flag, unpack
from farandole.schemas.errors import RegistryError, RegistryMisconfigured, UndecodableValue
from farandole.schemas.registry import ConfluentRegistry, Numbers, RegistrySettings, framed, named_schema, unframed
from farandole.schemas.schema_numbers import FRAME, MAGIC, NUMBERS, number_in
from farandole.schemas.schema_text import SchemaText
from farandole.schemas.single_object import HEAD, MARK

log = logging.getLogger("farandole.registry")

_CONFIRM: Final = 1.0
"""Seconds that the registry is given to say that it is still the one that gave the numbers."""
_MOST_STRANGE: Final = 10_000
_new: Final = tuple.__new__


def plain(records: list[Stored]) -> list[Stored]:
    """Records as they were read, their values in single-object encoding where headers say what they are."""
    if MAGIC not in {record.value[:1] for record in records if record.value}:
        return records
    return [_plain(record) for record in records]


def _plain(record: Stored) -> Stored:
    value = record.value
    if value is None or len(value) < FRAME or value[:1] != MAGIC or (schema := named_schema(record.headers)) is None:
        return record
    partition, offset, time, key, _, headers = record
    return _new(Stored, (partition, offset, time, key, unframed(value, schema), headers))


class Numbering:
    """What a store that appends asks of a registry.

    Args:
        settings: how the registry is reached.
        catalogue: the log's.

    Raises:
        StoreMisconfigured: the registry's settings are wrong.
    """

    def __init__(self, settings: RegistrySettings, catalogue: Table) -> None:
        try:
            self._registry = ConfluentRegistry(settings)
        except RegistryMisconfigured as e:
            raise StoreMisconfigured(str(e)) from e
        self._numbers = Numbers(self._registry, catalogue)
        self._catalogue = catalogue
        self._confirmed = False
        self._strange: set[bytes] = set()
        self.url = settings.url

    async def open(self) -> None:
        """Take the numbers that the catalogue has."""
        self._numbers.recall(await self._catalogue.scan(NUMBERS))

    def lacks(self, schemas: Collection[bytes]) -> bool:
        """Whether one of these schemas has no number yet."""
        return not self._numbers.frames.keys() >= frozenset(schemas)

    async def introduce(self, schemas: Sequence[SchemaText]) -> None:
        """See that schemas have numbers.

        Raises:
            SchemaUnavailable: some have none yet, and the registry cannot be asked now.
            StoreMisconfigured: it cannot be asked.
            RegistryRefused: it refuses some.
        """
        if not self._confirmed:
            self._confirmed = True
            await self._numbers.confirm(schemas, _CONFIRM)
        with _told():
            await self._numbers.introduce(schemas)

    async def explain(self, record: Stored) -> None:
        """Bring the schema of a value that bears a number only into the catalogue; see `EventStore.explain`."""
        number, e = number_in(record.value), unpack(record.headers)
        if number is None or e.flags & Flag.CODED:
            return
        name = e.type.decode("utf-8", "replace")
        with _told():
            text = await self._numbers.schema(number)
        if text is None:
            raise UndecodableValue(f"{name}: the schema registry {self.url} has no schema number {number}")
        await self._numbers.keep(await adopt(self._catalogue, name, text), number)

    async def framed(self, records: Sequence[Record]) -> Sequence[Record]:
        """Records as they go into the topic.

        Raises:
            NotAppended: a schema has no number yet, and the registry cannot be asked now.
            RegistryRefused: the registry refuses one.
        """
        while True:
            made, missing = self._framed(records)
            if not missing:
                return made
            await self._find(missing)

    def _framed(self, records: Sequence[Record]) -> tuple[Sequence[Record], set[bytes]]:
        """Records as they go into the topic, and the schemas of those that cannot go there yet."""
        frames = self._numbers.frames
        made, missing = [], set[bytes]()
        for record in records:
            key, value, headers = record
            if value is not None and value[:2] == MARK:
                # A reader goes by the headers alone, so what they do not say stays as it is.
                schema = named_schema(headers)
                if schema is not None and schema == value[2:HEAD]:
                    frame = frames.get(schema)
                    if frame is not None:
                        record = _new(Record, (key, framed(value, frame), headers))
                    elif schema not in self._strange:
                        missing.add(schema)
            made.append(record)
        return made, missing

    async def _find(self, schemas: set[bytes]) -> None:
        """Ask for the numbers of schemas that nobody introduced here: events of others, and of tools."""
        try:
            self._numbers.may_ask()
        except RegistryError as e:
            raise NotAppended(f"a value waits for the number of its schema: {e}") from e
        known = texts_in(await self._catalogue.scan(PREFIX))
        for schema in schemas - known.keys():
            # A copy of what somebody else wrote. Its text is nowhere, so no registry can take it, now or later.
            log.warning("the catalogue has no schema %s; values of it stay in single-object encoding", schema.hex())
            if len(self._strange) >= _MOST_STRANGE:
                self._strange.clear()
            self._strange.add(schema)
        asked = [known[schema] for schema in schemas if schema in known]
        try:
            await self._numbers.introduce(asked)
        except RegistryError as e:
            names = ", ".join(sorted(schema.name for schema in asked))
            raise NotAppended(f"a value waits for the number of its schema, {names}: {e}") from e

    async def close(self) -> None:
        await self._registry.close()


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the registry as those of the store."""
    try:
        yield
    except RegistryMisconfigured as e:
        raise StoreMisconfigured(str(e)) from e
    except RegistryError as e:
        raise SchemaUnavailable(str(e)) from e


async def warn_if_numbered(catalogue: Table) -> None:
    """Say so if others write this log in the form of a registry, which this process knows nothing of."""
    if any(key.startswith(NUMBERS) for key in await catalogue.load()):
        log.warning(
            "values of this log are written for a schema registry, and this process names none, so that others cannot "
            "read what it writes: set FARANDOLE_REGISTRY"
        )
