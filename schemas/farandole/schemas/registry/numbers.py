"""The numbers of the schemas that a log's values are written with.

A number is asked for once and then kept, in memory and in the catalogue. So a process that starts while the registry is away writes what any
process of the log has written before; only a schema that is new everywhere has to wait.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from random import random
from typing import TYPE_CHECKING, Final

from farandole.schemas.errors import RegistryError, RegistryRefused, RegistryUnavailable, UndecodableValue
from farandole.schemas.schema_numbers import NUMBERS, frame_of, read_number
from farandole.schemas.schema_text import SchemaText

from .port import Registry

if TYPE_CHECKING:
    from farandole.schemas.catalogue import Table

log = logging.getLogger("farandole.registry")

FIRST_WAIT: Final = 0.5
MOST_WAIT: Final = 30.0
"""Seconds for which a registry that failed is not asked again."""


class Numbers:
    """Numbers of one registry for one log.

    Args:
        registry: gives them.
        table: the log's catalogue.
        now: seconds, of a clock that is never set.
        random: gives numbers in [0, 1), so that many processes do not ask again together.

    Attributes:
        frames: what stands before a value, by the fingerprint of its schema; to look at only.
    """

    def __init__(
        self,
        registry: Registry,
        table: "Table",
        *,
        now: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random,
    ) -> None:
        self._registry = registry
        self._table = table
        self._now = now
        self._random = random
        self._where = blake2b(registry.url.encode(), digest_size=8).hexdigest()
        self._lock = asyncio.Lock()
        self._wait = FIRST_WAIT
        self._again_at = -1.0
        self._trouble = ""
        self._entries: set[bytes] = set()
        self.frames: dict[bytes, bytes] = {}

    @property
    def url(self) -> str:
        """The registry's, without secrets."""
        return self._registry.url

    def recall(self, catalogue: Mapping[bytes, bytes]) -> None:
        """Take the numbers that a catalogue has of this registry."""
        for key, value in catalogue.items():
            if not key.startswith(NUMBERS):
                continue
            try:
                number = read_number(key, value)
            except UndecodableValue as e:
                log.warning("%s", e)
                continue
            if number.registry == self._where:
                self._entries.add(key)
                frame = frame_of(number.number)
                # Texts that differ in nothing that matters to a value have numbers of their own.
                self.frames[number.fingerprint] = min(frame, self.frames.get(number.fingerprint, frame))

    async def confirm(self, schemas: Sequence[SchemaText], within: float) -> None:
        """See that the registry is still the one that gave the numbers: one that was made anew gives others.

        One question is enough: whoever lost the newest schema lost it to a restart, or has it under another number.
        Without an answer in time the numbers stay.
        """
        known = [schema for schema in schemas if schema.fingerprint in self.frames]
        if not known:
            return
        newest = max(known, key=lambda schema: self.frames[schema.fingerprint])
        try:
            async with asyncio.timeout(within):
                found = await self._registry.find(newest)
        except (RegistryError, TimeoutError) as e:
            log.warning(
                "the schema registry %s does not answer; going on with the numbers that the catalogue has: %s",
                self.url, str(e) or f"no answer within {within:g} s",
            )  # fmt: skip
            return
        if found is None or frame_of(found) != self.frames[newest.fingerprint]:
            log.warning(
                "the schema registry %s does not have the schemas that it numbered for this log; registering them anew. "
                "What is recorded stays readable here, but for others its numbers mean nothing, or something else",
                self.url,
            )
            await self._forget()

    async def introduce(self, schemas: Iterable[SchemaText]) -> None:
        """See that each of these schemas has a number.

        Raises:
            RegistryUnavailable: the registry is away, or was a moment ago, and some have none yet.
            RegistryMisconfigured: it cannot be asked.
            RegistryRefused: it refuses some, with a line for each; the others have numbers.
            AppendError: a number could not be put into the catalogue.
        """
        if not (missing := self._missing(schemas)):
            return
        # Whoever waits for the same schema finds it numbered, and a registry that is slow is not asked by all at once.
        async with self._lock:
            refused: list[str] = []
            found: dict[SchemaText, int] = {}
            try:
                for schema in self._missing(missing):
                    try:
                        found[schema] = await self._number(schema)
                    except RegistryRefused as e:
                        refused.append(str(e))
            finally:
                await self._keep(found)
        if refused:
            raise RegistryRefused("\n".join(refused))

    async def schema(self, number: int) -> str | None:
        """The schema of a number that somebody else wrote a value with, as JSON; None if there is none.

        Raises:
            RegistryUnavailable: the registry is away, or was a moment ago.
            RegistryMisconfigured: it cannot be asked.
        """
        self.may_ask()
        async with self._lock:
            try:
                text = await self._registry.schema(number)
            except RegistryError as e:
                self._put_off(e)
                raise
            self._wait = FIRST_WAIT
            return text

    async def keep(self, schema: SchemaText, number: int) -> None:
        """Put the number of a schema into the catalogue, for those who read values that bear it."""
        await self._keep({schema: number})

    def _missing(self, schemas: Iterable[SchemaText]) -> list[SchemaText]:
        return [schema for schema in schemas if schema.fingerprint not in self.frames]

    async def _number(self, schema: SchemaText) -> int:
        self.may_ask()
        try:
            number = await self._registry.register(schema)
        except RegistryError as e:
            self._put_off(e)
            raise
        self._wait = FIRST_WAIT
        if frame_of(number) in self.frames.values():
            log.warning(
                "the schema registry %s gave the number %d to two schemas: it was made anew; registering all again. What "
                "is recorded stays readable here, but for others its numbers mean something else",
                self.url, number,
            )  # fmt: skip
            await self._forget()
        return number

    async def _forget(self) -> None:
        """Whoever starts while the registry is away must not take a number that means something else now."""
        self.frames.clear()
        await asyncio.gather(*(self._table.put(key, None) for key in self._entries))
        self._entries.clear()

    async def _keep(self, found: Mapping[SchemaText, int]) -> None:
        puts = []
        for schema, number in found.items():
            key = NUMBERS + f"{self._where}/{number}".encode()
            value = json.dumps({"fingerprint": schema.fingerprint.hex(), "name": schema.name}, separators=(",", ":"))
            puts.append(self._table.put(key, value.encode()))
            self._entries.add(key)
        await asyncio.gather(*puts)
        for schema, number in found.items():
            self.frames.setdefault(schema.fingerprint, frame_of(number))

    def may_ask(self) -> None:
        """
        Raises:
            RegistryUnavailable: the registry failed a moment ago.
        """
        if self._now() < self._again_at:
            raise RegistryUnavailable(self._trouble)

    def _put_off(self, error: RegistryError) -> None:
        self._trouble = str(error)
        self._again_at = self._now() + self._wait * (0.5 + self._random() / 2)
        self._wait = min(self._wait * 2, MOST_WAIT)
