"""What a handler is given about its step: one trigger in the hands of one reactor."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class StepLog(logging.LoggerAdapter[logging.Logger]):
    """A standard logger whose records carry ``run_id``, ``event_id``, ``reactor``, ``partition``, ``offset`` and
    ``attempt`` as attributes.

    ``extra=`` of a call is added to them.
    """

    def process(self, msg: object, kwargs: MutableMapping[str, Any]) -> tuple[object, MutableMapping[str, Any]]:
        return msg, {**kwargs, "extra": {**(self.extra or {}), **(kwargs.get("extra") or {})}}


class Substeps(Protocol):
    """Where the results of sub-steps are recorded."""

    async def once(
        self, name: str, fn: Callable[..., Awaitable[T]], args: Sequence[object], kwargs: Mapping[str, object]
    ) -> T:
        """The recorded result of sub-step ``name``; without one, call ``fn`` and record what it returns."""
        ...


class RememberedSubsteps:
    """Sub-steps remembered for as long as the object lives: for tests of a handler, where nothing is durable."""

    def __init__(self) -> None:
        self.results: dict[str, Any] = {}

    async def once(
        self, name: str, fn: Callable[..., Awaitable[T]], args: Sequence[object], kwargs: Mapping[str, object]
    ) -> T:
        if name not in self.results:
            self.results[name] = await fn(*args, **kwargs)
        result: T = self.results[name]
        return result


class Cancellation(Protocol):
    """Whether what a handler makes is wanted no longer."""

    @property
    def cancelled(self) -> bool:
        """Whether it is so."""
        ...

    @property
    def cancel_reason(self) -> str:
        """What whoever cancelled the run gave as the reason; empty without one."""
        ...

    async def until_cancelled(self) -> None:
        """Wait until it is so."""
        ...


class NeverCancelled:
    """A step that nobody cancels: for tests of a handler."""

    cancelled: bool = False
    cancel_reason: str = ""

    async def until_cancelled(self) -> None:
        await asyncio.get_running_loop().create_future()


class Step:
    """One attempt at one step, as its handler sees it.

    ``Step()`` serves to call a handler in a unit test: it logs, remembers sub-steps, and drops progress and what is said
    live.

    Attributes:
        key: the idempotency key of the step, the same for all its attempts. Hand it to the outside world.
        attempt: the number of this attempt, from 1.
        run_id: the id of the run.
    """

    __slots__ = (
        "_cancellation",
        "_choreography",
        "_event_id",
        "_log",
        "_offset",
        "_partition",
        "_reactor",
        "_report",
        "_substeps",
        "_voice",
        "attempt",
        "key",
        "run_id",
    )

    def __init__(
        self,
        key: str = "unit-test",
        attempt: int = 1,
        *,
        run_id: str = "unit-test",
        event_id: str = "",
        offset: int = -1,
        partition: int = -1,
        reactor: str = "",
        choreography: str = "",
        report: Callable[[float, str], None] | None = None,
        substeps: Substeps | None = None,
        voice: Callable[[str, str, bool], None] | None = None,
        cancellation: Cancellation | None = None,
    ) -> None:
        self.key = key
        self.attempt = attempt
        self.run_id = run_id
        self._event_id = event_id
        self._offset = offset
        self._partition = partition
        self._reactor = reactor
        self._choreography = choreography
        self._report = report
        self._substeps = substeps
        self._voice = voice
        self._cancellation = cancellation
        self._log: StepLog | None = None

    @property
    def log(self) -> StepLog:
        """A logger named ``farandole.<choreography>.<reactor>``; its records say which step they belong to."""
        if self._log is None:
            name = ".".join(filter(None, ("farandole", self._choreography, self._reactor)))
            self._log = StepLog(
                logging.getLogger(name),
                {
                    "run_id": self.run_id,
                    "event_id": self._event_id,
                    "reactor": self._reactor,
                    "partition": self._partition,
                    "offset": self._offset,
                    "attempt": self.attempt,
                },
            )
        return self._log

    @property
    def cancelled(self) -> bool:
        """Whether the step is owed no longer, because its run was cancelled, say, or another worker was first.

        Nothing that the handler makes from then on counts. An ``async def`` handler is cancelled at its next ``await``
        besides; a plain ``def`` that takes long may ask now and then, and return.
        """
        return self._cancellation is not None and self._cancellation.cancelled

    @property
    def cancel_reason(self) -> str:
        """What whoever cancelled the run gave as the reason; empty if it was not, or without one."""
        return "" if self._cancellation is None else self._cancellation.cancel_reason

    async def until_cancelled(self) -> None:
        """Wait until the step is `cancelled`."""
        await (self._cancellation or NeverCancelled()).until_cancelled()

    def progress(self, done: float, note: str = "") -> None:
        """Tell people watching how far the step is: ``done`` from 0 to 1. Best effort, never part of the history.

        Raises:
            ValueError: ``done`` is not between 0 and 1.
        """
        if not 0 <= done <= 1:
            raise ValueError(f"step.progress({done}): progress goes from 0 to 1")
        if self._report is not None:
            self._report(done, note)

    def live(self, text: str, *, kind: str = "text", personal: bool = False) -> None:
        """Show people watching a piece of what is being made, at once: ``step.live(token)``. Best effort, never recorded.

        It returns at once, whatever becomes of the piece, and may be called in any thread.

        Args:
            text: what there is more; texts of one kind are put one behind the other.
            kind: up to 40 characters that tell other pieces from text: ``call``, say.
            personal: only those may see it who may see what is personal.
        """
        if self._voice is not None:
            self._voice(kind, text, personal)

    async def once(self, name: str, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Await ``fn(*args, **kwargs)`` once for the step and record its result; later attempts get what is recorded.

        Args:
            name: tells the sub-steps of one step apart.
        """
        if self._substeps is None:
            self._substeps = RememberedSubsteps()
        return await self._substeps.once(name, fn, args, kwargs)
