"""Where a handler waits: from its own line down to what it awaits."""

import asyncio
import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any


def where(loop: asyncio.AbstractEventLoop, at_work: Iterable[tuple[str, Callable[..., Any]]]) -> str:
    """A line for each of these reactors' handlers that waits somewhere on the loop."""
    stacks = [list(_frames(task.get_coro())) for task in asyncio.all_tasks(loop)]
    lines = []
    for name, fn in at_work:
        code = inspect.unwrap(fn).__code__
        found = [stack for stack in stacks if any(frame.f_code is code for frame in stack)]
        lines += [f"  {name}: {_shown(stack, code)}" for stack in found] or [f"  {name}"]
    return "\n".join(dict.fromkeys(lines))


def _frames(awaited: Any) -> Iterator[FrameType]:
    """The frames of a coroutine that is suspended, outermost first."""
    while awaited is not None:
        frame = (
            getattr(awaited, "cr_frame", None)
            or getattr(awaited, "gi_frame", None)
            or getattr(awaited, "ag_frame", None)
        )
        if frame is None:
            return
        yield frame
        awaited = (
            getattr(awaited, "cr_await", None)
            or getattr(awaited, "gi_yieldfrom", None)
            or getattr(awaited, "ag_await", None)
        )


def _shown(stack: list[FrameType], code: CodeType) -> str:
    begin = next(at for at, frame in enumerate(stack) if frame.f_code is code)
    return " → ".join(
        f"{frame.f_code.co_qualname} ({Path(frame.f_code.co_filename).name}, line {frame.f_lineno})"
        for frame in stack[begin:]
    )
