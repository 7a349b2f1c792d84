"""Simulated processes: groups of callbacks of one event loop that can be frozen, thawed and killed between any two.

Every callback belongs to the process in whose context it was scheduled. A process that is frozen holds its callbacks
back, as one that was stopped does; one that was killed never runs again, not even its ``finally``.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, Final

from farandole.projections.fold import KNOWN_VERSION
from farandole.testing import VirtualTimeLoop

NEXT_VERSION: Final = KNOWN_VERSION + 1
"""A fold version of the future, which only a simulation has."""

PROCESS: ContextVar["Process | None"] = ContextVar("process", default=None)


class Process:
    """One process.

    Attributes:
        frozen: whether its callbacks are held back.
        dead: whether it was killed.
        fuse: it dies after so many callbacks; None: not by itself.
        knows: the newest fold version that its release has rules for.
    """

    def __init__(self, loop: "ManyProcesses", name: str) -> None:
        self.loop = loop
        self.name = name
        self.frozen = False
        self.dead = False
        self.fuse: int | None = None
        self.knows = NEXT_VERSION
        self.burnt: Callable[[], None] | None = None
        self._held: list[tuple[Place, Callable[..., object], tuple[Any, ...], Context]] = []
        self._context = copy_context()
        self._context.run(PROCESS.set, self)

    def __repr__(self) -> str:
        return self.name

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str = "main") -> Any:
        """Begin a task of this process."""
        return self.loop.create_task(coroutine, name=f"{self.name} {name}", context=self._context.copy())

    def freeze(self) -> None:
        self.frozen = True

    def thaw(self) -> None:
        """Let it go on from where it was; what should have happened meanwhile happens now."""
        self.frozen = False
        held, self._held = self._held, []
        for place, callback, args, context in held:
            self.loop.again(self, place, callback, args, context)

    def kill(self) -> None:
        self.dead = self.frozen = True

    def call(self, place: "Place", callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        """Every callback of every process passes here."""
        if self.frozen:
            self._held.append((place, callback, args, copy_context()))
            return
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0 and self.burnt is not None:
                self.fuse = None
                self._held.append((place, callback, args, copy_context()))
                self.burnt()
                return
        if not place.pop().cancelled():
            callback(*args)


Place = list[asyncio.Handle]
"""Where the handle of a callback is found, so that one that was held back can still be cancelled."""


class ManyProcesses(VirtualTimeLoop):
    """An event loop on virtual time whose callbacks belong to processes."""

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]
        process = PROCESS.get() if context is None else context.get(PROCESS)
        if process is None:
            return super().call_soon(callback, *args, context=context)
        place: Place = []
        handle = super().call_soon(process.call, place, callback, args, context=context)
        place.append(handle)
        return handle

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]
        process = PROCESS.get() if context is None else context.get(PROCESS)
        if process is None:
            return super().call_at(when, callback, *args, context=context)
        place: Place = []
        handle = super().call_at(when, process.call, place, callback, args, context=context)
        place.append(handle)
        return handle

    def again(
        self, process: Process, place: Place, callback: Callable[..., object], args: tuple[Any, ...], context: Context
    ) -> None:
        """Call what was held back."""
        super().call_soon(process.call, place, callback, args, context=context)
