"""A worker of one of the research team's services, as a process of its own: python -m chaos.team_worker JOB

It dies at each step in turn (`team_steps`), and whatever its models and tools are asked is noted outside: with the key
that the step was given, as a provider would keep it.
"""

import asyncio
import hashlib
import importlib
import json
import logging
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from farandole.agents import Agent
from farandole.reactors import Choreography, Step
from farandole.reactors.attempt import Attempts
from farandole.reactors.reactor import Reactor

from .failpoints import wrap
from .ledger import Ledger, Notes
from .team_steps import Deaths
from .worker import MEMORY

_step: ContextVar[Step] = ContextVar("step")


class Noted(WrapperModel):
    """A model whose provider keeps a book of what it was asked."""

    def __init__(self, model: Model | str, agent: str, note: Callable[..., None]) -> None:
        super().__init__(model)  # type: ignore[arg-type]  # a str, too
        self._agent = agent
        self._note = note

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        self._noted(messages)
        return await super().request(messages, model_settings, model_request_parameters)

    @asynccontextmanager
    async def request_stream(self, messages: list[ModelMessage], *more: Any) -> AsyncGenerator[StreamedResponse]:
        self._noted(messages)
        async with super().request_stream(messages, *more) as stream:
            yield stream

    def _noted(self, messages: list[ModelMessage]) -> None:
        self._note("model", self._agent, *(_said(part) for message in messages for part in message.parts))


def note_calls(program: ModuleType, calls: Ledger) -> None:
    """Note what models and tools are asked: key, run, who, and a digest of what was asked."""

    def note(what: str, who: str, *asked: object) -> None:
        step = _step.get()
        digest = hashlib.blake2b("\0".join(map(str, asked)).encode(), digest_size=8).hexdigest()
        calls.note(what, step.key, step.run_id, who, digest)

    for each in vars(program).values():
        if isinstance(each, Agent):
            each.model = Noted(each.model, each.name, note)
        elif isinstance(each, type) and each.__module__ == program.__name__:
            for name, method in [*vars(each).items()]:
                if asyncio.iscoroutinefunction(method):
                    setattr(each, name, _noting(name, method, note))


def _noting(name: str, method: Callable[..., Any], note: Callable[..., None]) -> Callable[..., Any]:
    async def noted(self: object, *asked: object) -> Any:
        note("tool", name, *asked)
        return await method(self, *asked)

    return noted


def _said(part: Any) -> str:
    """What a part of a message says, without when it was said."""
    return f"{part.part_kind} {getattr(part, 'content', '')} {getattr(part, 'args', '')}"


def know_the_step() -> None:
    """Let what a handler calls know whose step it is."""
    call = Attempts._call

    async def call_known(self: Attempts, reactor: Reactor, arguments: dict[str, Any], limit: Any) -> object:
        for each in arguments.values():
            if isinstance(each, Step):
                _step.set(each)
        return await call(self, reactor, arguments, limit)

    Attempts._call = call_known  # type: ignore[method-assign]


def main() -> None:
    job = json.loads(sys.argv[1])
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.captureWarnings(True)
    folder, service, member = Path(job["folder"]), job["service"], job["member"]
    program = importlib.import_module(f"examples.research.{service}")
    (choreography,) = (each for each in vars(program).values() if isinstance(each, Choreography))
    ledger = Ledger(folder / "executions", member)
    wrap(ledger, Deaths(service, ledger, Notes(folder / "executions")).reach)
    know_the_step()
    note_calls(program, Ledger(folder / "calls", member))
    asyncio.run(_work(choreography, job))


async def _work(choreography: Choreography, job: dict[str, Any]) -> None:
    member = job["member"] if job["static"] else None
    await choreography.work(job["url"], partitions=job["partitions"], member=member, memory=MEMORY)


if __name__ == "__main__":
    main()
