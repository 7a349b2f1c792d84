"""Durable sub-steps: what a part of a step returned is recorded, and later attempts get what is recorded."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from farandole.projections.fold import Verdict
from farandole.schemas import DeclarationError, EncodingError, UndecodableValue

from .desk import Desk
from .errors import GiveUp

if TYPE_CHECKING:
    from .dispatch import Work

T = TypeVar("T")

_MOST_NAME = 255
_NO_LONGER_OWED = (Verdict.NOT_OWED, Verdict.NO_RUN)


class RecordedSubsteps:
    """The `Substeps` of one attempt."""

    __slots__ = ("_desk", "_under_way", "_work")

    def __init__(self, desk: Desk, work: "Work") -> None:
        self._desk = desk
        self._work = work
        self._under_way: set[str] | None = None

    async def once(
        self, name: str, fn: Callable[..., Awaitable[T]], args: Sequence[object], kwargs: Mapping[str, object]
    ) -> T:
        """The recorded result of sub-step ``name``; without one, call ``fn`` and record what it returns.

        What is returned is always what was recorded, read back as the type that ``fn`` says it returns.

        Raises:
            DeclarationError: the name or the function is none that can be recorded.
            UndecodableValue: what is recorded does not fit what ``fn`` says it returns.
            GiveUp: the step has no room for another sub-step.
        """
        key = self._key(name)
        adapter: TypeAdapter[T] = _returned(fn, self._where(name))
        place = self._place(key)
        if place is None:
            result = await self._first(name, key, adapter, fn, args, kwargs)
            if result is not None:
                return self._read(name, adapter, result)
            place = self._place(key)
            if place is None:
                raise UndecodableValue(f"{self._where(name)} is recorded, and not known here")
        return self._read(name, adapter, await self._desk.result(self._work, place))

    async def _first(
        self,
        name: str,
        key: bytes,
        adapter: TypeAdapter[T],
        fn: Callable[..., Awaitable[T]],
        args: Sequence[object],
        kwargs: Mapping[str, object],
    ) -> str | None:
        """Do it, and record what it returned as JSON; None if another worker has recorded it meanwhile."""
        if self._under_way is None:
            self._under_way = set()
        if name in self._under_way:
            raise DeclarationError(f"{self._where(name)} is under way already; give each sub-step a name of its own")
        self._under_way.add(name)
        try:
            returned = await fn(*args, **kwargs)
            try:
                result = adapter.dump_json(returned).decode()
            except PydanticSerializationError as e:
                raise EncodingError(f"{self._where(name)} returned what cannot be written as JSON: {e}") from e
            verdict = await self._desk.substep(self._work, key, result)
        finally:
            self._under_way.discard(name)
        if verdict is Verdict.ADMITTED:
            return result
        if verdict is Verdict.FULL:
            raise GiveUp(
                f"{self._where(name)} finds no room: a step has so many sub-steps at most as the setting once_most says"
            )
        if verdict in _NO_LONGER_OWED:
            # Somebody else has done the step: nothing that its handler makes is wanted any more.
            raise asyncio.CancelledError
        return None

    def _place(self, key: bytes) -> int | None:
        done = self._work.pair.work
        return None if done is None or done.once is None else done.once.get(key)

    def _read(self, name: str, adapter: TypeAdapter[T], result: str) -> T:
        try:
            return adapter.validate_json(result)
        except ValidationError as e:
            raise UndecodableValue(
                f"{self._where(name)}: what is recorded does not fit what the function says it returns: "
                f"{e.error_count()} errors; give the sub-step another name if it returns something else now"
            ) from e

    def _key(self, name: str) -> bytes:
        key = name.encode()
        if not 0 < len(key) <= _MOST_NAME:
            raise DeclarationError(f"{self._where(name)}: the name of a sub-step has 1 to {_MOST_NAME} bytes")
        return key

    def _where(self, name: str) -> str:
        return f"{self._work.reactor.where}: step.once({name!r}, ...)"


def _returned(fn: Callable[..., Any], where: str) -> TypeAdapter[Any]:
    """How what a function returns is written and read.

    Raises:
        DeclarationError: it does not say what it returns, or something that cannot be written.
    """
    with suppress(TypeError):  # not hashable: worked out anew each time
        if (known := _adapters.get(fn)) is not None:
            return known
    told = getattr(fn, "func", fn)  # of a functools.partial
    if not hasattr(told, "__annotations__"):
        told = type(told).__call__
    try:
        hints = get_type_hints(told, include_extras=True)
    except NameError as e:
        raise DeclarationError(f"{where}: annotation '{e.name}' of the function is not defined in its module") from e
    if "return" not in hints:
        raise DeclarationError(
            f"{where}: the function says not what it returns, and so it could not be read back; annotate it, with "
            "-> None if nothing"
        )
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hints["return"])
    except PydanticSchemaGenerationError as e:
        raise DeclarationError(f"{where}: what the function returns cannot be written as JSON: {e}") from e
    if len(_adapters) >= _MOST_ADAPTERS:
        _adapters.clear()
    with suppress(TypeError):
        _adapters[fn] = adapter
    return adapter


_MOST_ADAPTERS = 256
_adapters: dict[Callable[..., Any], TypeAdapter[Any]] = {}
