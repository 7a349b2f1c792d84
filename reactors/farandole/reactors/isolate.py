"""Handlers of many steps in one task, each in a context of its own.

A task for each step would cost more than a short handler does. So one task drives many handlers, and each gets a fresh
copy of the context variables: what one handler sets (a structured logger's bindings, say), the next never sees.
"""

from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Isolated(Generic[T]):
    """Awaits a coroutine in the current task, with its own copy of the context variables."""

    __slots__ = ("_coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, T]:
        run, send = copy_context().run, self._coroutine.send
        try:
            yielded = run(send, None)
        except StopIteration as done:
            result: T = done.value
            return result
        return (yield from self._drive(run, yielded))

    def _drive(self, run: Callable[..., Any], yielded: Any) -> Generator[Any, Any, T]:
        coroutine = self._coroutine
        try:
            while True:
                try:
                    sent = yield yielded
                except GeneratorExit:
                    coroutine.close()
                    raise
                except BaseException as e:
                    yielded = run(coroutine.throw, e)
                else:
                    yielded = run(coroutine.send, sent)
        except StopIteration as done:
            result: T = done.value
            return result
