"""Records of the log as plain data: read by the catalogue's schemas, so that no class of theirs is needed."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from farandole.eventstore import SchemaUnavailable, Stored
from farandole.schemas import EventTypes, PlainValues, UndecodableValue
from farandole.schemas.envelope import Flag, unpack

from .reading import context_of


class PlainReader:
    """Reads the values of one log.

    Args:
        catalogue: gives the schemas, as the catalogue has them.
        types: their payload codec is used, if they have one.
        explain: brings schemas into the catalogue that only a registry has; None: there is none to ask.
    """

    def __init__(
        self,
        catalogue: Callable[[], Awaitable[Mapping[bytes, bytes]]],
        types: EventTypes,
        explain: Callable[[Stored], Awaitable[None]] | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._explain = explain
        self._types = types
        self._values = PlainValues()

    async def read(self, record: Stored) -> dict[str, Any] | None:
        """The fields of a record's value; None if it has none.

        Raises:
            UndecodableValue: it cannot be read here; says why.
            UnreadableHeaders: its headers cannot be read, so nothing says what the value is.
            StoreError: the catalogue cannot be read.
        """
        value = record.value
        e = unpack(record.headers)
        if value is None:
            return None
        if e.flags & Flag.CODED:
            if self._types.codec is None:
                raise UndecodableValue("the value went through a payload codec; name the app, which has it")
            value = self._types.unseal(value, context_of(self._types, record, e))
        if not self._values.knows(value):
            self._values.learn(await self._catalogue())
        if self._explain is not None and not self._values.knows(value):
            try:
                await self._explain(record)
            except SchemaUnavailable as e:
                # Whoever looks on does not wait for it.
                raise UndecodableValue(str(e)) from e
            self._values.learn(await self._catalogue())
        return self._values.read(value)
