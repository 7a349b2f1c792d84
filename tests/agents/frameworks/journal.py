"""Where a test keeps what sub-steps returned: as JSON, as a log does, over any number of attempts."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter

from farandole.reactors import Step

T = TypeVar("T")


class Journal:
    """The sub-steps of one step.

    Attributes:
        recorded: what each returned, as JSON.
        forgets: names that are not recorded, as if the worker had died before.
    """

    def __init__(self) -> None:
        self.recorded: dict[str, bytes] = {}
        self.forgets: set[str] = set()

    async def once(
        self, name: str, fn: Callable[..., Awaitable[T]], args: Sequence[object], kwargs: Mapping[str, object]
    ) -> T:
        adapter: TypeAdapter[Any] = TypeAdapter(get_type_hints(fn)["return"])
        if name in self.recorded:
            read: T = adapter.validate_json(self.recorded[name])
            return read
        result = await fn(*args, **kwargs)
        written = adapter.dump_json(result)
        if name not in self.forgets:
            self.recorded[name] = written
        read = adapter.validate_json(written)
        return read

    def step(self, attempt: int = 1) -> Step:
        """An attempt at the step."""
        return Step("step-key", attempt, substeps=self)
