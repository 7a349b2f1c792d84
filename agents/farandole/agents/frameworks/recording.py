"""Makes the calls of a framework's agent durable: each a sub-step of the step that the agent runs in.

What is recorded is found again by its name:

- a call of a model by its place, ``model 3``: the third that ended in this run of the agent;
- a call of a tool by the tool and the id that the model gave the call, ``refund call_8f3``. The id stands in the
  recorded reply, so it is the same in each attempt, in whichever order calls of one reply come to be made;
- a call within a tool's by the tool's besides, ``ask_legal call_2 / model 1``.

A call that raises is not recorded: its name is free again, for the framework's own next try or the step's.
"""

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, TypeVar

from pydantic_ai.messages import ModelResponse

from farandole.agents.budget import Budget
from farandole.agents.events import Outcome
from farandole.agents.large import Large
from farandole.agents.prices import Price, cost_of
from farandole.agents.spans import chatting, executing
from farandole.reactors import GiveUp, Step
from farandole.schemas import Usage

from .aside import model_aside, tool_aside, whole
from .calls import ModelCall, Replies, Results, ToolCall, check_args, check_said, digests
from .floor import Call, Floor
from .spending import Spent

R = TypeVar("R")

_BILLED: Final = ("model", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost")
_MOST_NAME: Final = 240
"""Bytes of a name; a longer one ends in a digest of itself."""


@dataclass
class Told:
    """A call that has ended in this attempt, recorded now or before.

    Attributes:
        name: of the sub-step.
        within: the call of a tool in the midst of which it was made; empty for the agent's own.
    """

    name: str
    call: ModelCall | ToolCall
    within: str
    response: ModelResponse | None = None


@dataclass
class Recorder:
    """The calls of one run of an agent within a step.

    Attributes:
        told: those that have ended, in the order of their ends.
        budget: asked before each call of a model that is made and not found.
        spent: before and in this attempt.
        secret: whether read models may hold nothing of what is said.
        large: where what is large of a call is kept; None: in its record.
        counts: whether what is recorded counts as used.
        agent, conversation: whose calls they are, in traces.
        live: whether what models say is told while they say it; never what is secret.
        personal: whether it is told to those alone who may see what is personal.
        instructions: what its model was told first of how to behave, in this attempt.
        gave_up: why the step has to fail for good, whatever the framework makes of it.
    """

    step: Step
    name: str = ""
    price: Price | None = None
    told: list[Told] = field(default_factory=list)
    gave_up: GiveUp | None = None
    budget: Budget | None = None
    spent: Spent = field(default_factory=Spent)
    secret: bool = False
    large: Large | None = None
    counts: bool = True
    agent: str = ""
    conversation: str = ""
    live: bool = False
    personal: bool = False
    instructions: str = ""
    _taken: set[str] = field(default_factory=set)
    _floor: Floor = field(init=False)

    def __post_init__(self) -> None:
        self._floor = Floor(lambda text, kind: self.step.live(text, kind=kind, personal=self.personal))

    async def model(
        self,
        said: Sequence[Any],
        make: Callable[[], Awaitable[R]],
        form: Replies[R],
        label: str = "",
        instructions: str = "",
    ) -> R:
        """The reply of a model, recorded.

        Args:
            said: the messages, without what differs from attempt to attempt, such as times and made-up ids.
            make: calls the model.
            label: tells calls apart that are made side by side.
            instructions: what the model is told of how to behave; no part of what is said.

        Raises:
            Strayed: another attempt had something else said at this place.
        """
        within = _within.get()
        if not within:
            self.instructions = self.instructions or instructions

        async def call() -> ModelCall:
            if self.budget is not None:
                self.budget.check(self.spent)
            began = time.monotonic()
            token = _making.set(heard := Call())
            try:
                with chatting(self.agent or self.name, self.conversation) as replied:
                    reply = await make()
                    replied(form.told(reply))
            finally:
                _making.reset(token)
                self._floor.end(heard)
            took_ms = round((time.monotonic() - began) * 1000)
            return await model_aside(self._billed(form, reply, said, took_ms), self.large)

        with self._named(within, f"{label} model".lstrip(), first=" 1") as name:
            recorded = await self.step.once(name, _model_called, call)
            check_said(f"step.once({name!r})", recorded, said)
            reply = form.read(await whole(recorded.reply, recorded.reply_kept, self.large))
        self._tell(Told(name, recorded, within, form.told(reply)))
        return reply

    async def tool(self, tool: str, call_id: str, args: Any, make: Callable[[], Awaitable[R]], form: Results[R]) -> R:
        """What a tool returned, recorded.

        Raises:
            Strayed: another attempt called it with other arguments.
        """
        within = _within.get()
        with self._named(within, f"{tool} {call_id}".rstrip()) as name:

            async def call() -> ToolCall:
                began = time.monotonic()
                with self._executing(tool, call_id), _in_call(name, f"{self.step.key}:{name}"):
                    result = await make()
                content, outcome = form.told(result)
                took_ms = round((time.monotonic() - began) * 1000)
                called = self._called(tool, call_id, args, outcome, took_ms, form.write(result), content)
                return await tool_aside(called, self.large)

            recorded = await self.step.once(name, _tool_called, call)
            check_args(f"step.once({name!r})", recorded, args)
            result = form.read(await whole(recorded.result, recorded.result_kept, self.large))
        self._tell(Told(name, recorded, within))
        return result

    async def around(
        self,
        tool: str,
        call_id: str,
        args: Any,
        make: Callable[[], Awaitable[R]],
        told: Callable[[R], tuple[Any, Outcome]],
    ) -> R:
        """A call that is not recorded itself, though those within it are: it may wait for people and go on later."""
        within = _within.get()
        with self._named(within, f"{tool} {call_id}".rstrip()) as name:
            began = time.monotonic()
            with self._executing(tool, call_id), _in_call(name, f"{self.step.key}:{name}"):
                result = await make()
            took_ms = round((time.monotonic() - began) * 1000)
            content, outcome = told(result)
            called = self._called(tool, call_id, args, outcome, took_ms, None, content)
            if content is not None:
                self._tell(Told(name, await tool_aside(called, self.large), within))
        return result

    def hear(self, text: str, kind: str = "text") -> None:
        """A piece of what a model says, told live if it may be. What agents that are tools say is theirs to hear."""
        call = _making.get()
        if text and call is not None and self.listens:
            self._floor.hear(call, text, kind)

    @property
    def listens(self) -> bool:
        """Whether pieces of what a model says here are told."""
        return self.live and not self.secret and not _within.get()

    def _executing(self, tool: str, call: str) -> AbstractContextManager[None]:
        return executing(self.agent or self.name, self.conversation, tool, call)

    def _tell(self, told: Told) -> None:
        self.told.append(told)
        self.spent.add(told.call)

    def _called(
        self, tool: str, call_id: str, args: Any, outcome: Outcome, took_ms: int, result: Any, content: Any
    ) -> ToolCall:
        return ToolCall(
            secret=self.secret,
            tool=tool,
            call=call_id,
            args=args,
            outcome=outcome,
            took_ms=took_ms,
            attempt=self.step.attempt,
            result=result,
            content=content,
        )

    def _billed(self, form: Replies[R], reply: R, said: Sequence[Any], took_ms: int) -> ModelCall:
        response = form.told(reply)
        usage = response.usage
        messages, before, last = digests(said)
        used = Usage(
            model=response.model_name or "",
            agent=self.agent,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            cost=cost_of(response) if self.price is None else self.price(response),
        )
        return ModelCall(
            **used.model_dump(include={*_BILLED}),
            secret=self.secret,
            used=used if self.counts else None,
            provider=response.provider_name or "",
            finish_reason=response.finish_reason or "",
            took_ms=took_ms,
            attempt=self.step.attempt,
            messages=messages,
            before=before,
            last=last,
            reply=form.write(reply),
        )

    @contextmanager
    def _named(self, within: str, what: str, first: str = "") -> Iterator[str]:
        """The next free name of its kind. It is free again if the call raises."""
        number = 1
        while (name := self._full(within, f"{what}{first if number == 1 else f' {number}'}")) in self._taken:
            number += 1
        self._taken.add(name)
        try:
            yield name
        except BaseException as e:
            self._taken.discard(name)
            if isinstance(e, GiveUp):
                self.gave_up = e
            raise

    def _full(self, within: str, what: str) -> str:
        name = " / ".join(filter(None, (within or self.name, what)))
        if len(name.encode()) <= _MOST_NAME:
            return name
        return f"{name.encode()[:200].decode(errors='ignore')} {blake2b(name.encode(), digest_size=16).hexdigest()}"


_making: ContextVar[Call | None] = ContextVar("farandole_making", default=None)
_recorder: ContextVar[Recorder | None] = ContextVar("farandole_recorder", default=None)
_within: ContextVar[str] = ContextVar("farandole_within", default="")
_key: ContextVar[str] = ContextVar("farandole_call_key", default="")


@contextmanager
def durably(
    step: Step,
    name: str = "",
    *,
    price: Price | None = None,
    budget: Budget | None = None,
    spent: Spent | None = None,
    secret: bool = False,
    large: Large | None = None,
    counts: bool = True,
) -> Iterator[Recorder]:
    """Within the block, calls that agents of other frameworks make are recorded as sub-steps of the step.

    Args:
        name: tells agents apart that run side by side in one step.
        price: what a reply costs in US dollars; by default as Pydantic AI knows it.
        budget: what may be spent.
        spent: what was spent before; by default nothing.
        secret: what is said is kept out of all read models. Without it, it is personal.
        large: where large replies and results are kept, so that the records of their calls only refer to them.
        counts: what models used stands in the sub-steps as a `Usage`, and so in all costs. Turn it off if an event that
            the handler returns tells of it.

    Raises:
        BudgetSpent: nothing is left for another call of a model.
        GiveUp: a tool raised it, or nothing can be recorded; also if the framework caught it.
    """
    told: dict[str, Any] = {
        "budget": budget,
        "spent": spent or Spent(),
        "secret": secret,
        "large": large,
        "counts": counts,
    }
    recorder = Recorder(step, name, price, **told)
    token, within = _recorder.set(recorder), _within.set("")
    try:
        yield recorder
    except Exception as e:
        if recorder.gave_up is not None and recorder.gave_up is not e:
            raise recorder.gave_up from e
        raise
    finally:
        _recorder.reset(token)
        _within.reset(within)
    if recorder.gave_up is not None:
        raise recorder.gave_up


def recording() -> Recorder | None:
    """Where calls are recorded here; None outside of `durably`, where they are made as if there were no Farandole."""
    return _recorder.get()


def making() -> bool:
    """Whether a model is called here whose reply will be recorded."""
    return _making.get() is not None


def call_key() -> str:
    """In a tool: the idempotency key of the call, the same whoever makes it and however often; no other call has it.

    Empty where nothing is recorded.
    """
    return _key.get()


@contextmanager
def _in_call(name: str, key: str) -> Iterator[None]:
    within, token = _within.set(name), _key.set(key)
    try:
        yield
    finally:
        _within.reset(within)
        _key.reset(token)


async def _model_called(call: Callable[[], Awaitable[ModelCall]]) -> ModelCall:
    return await call()


async def _tool_called(call: Callable[[], Awaitable[ToolCall]]) -> ToolCall:
    return await call()
