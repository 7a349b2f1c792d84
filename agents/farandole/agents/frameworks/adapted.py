"""An agent whose loop is another framework's, served as one of our own: the same events, approvals and questions.

what it takes → <agent> → what was called and came of it → <agent>.reply → what it gives
                               ↓ a call that only a person may allow
                <agent>.approval → the answer → <agent>.decision → <agent>.turn → what was called next, ...

A leg, from what it takes or what was decided to its next question or its end, is one step. Its calls are recorded as
they are made, and stand in the step's outcome as events.
"""

import asyncio
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias, TypedDict, cast

from pydantic import BaseModel, ValidationError
from pydantic_ai.messages import ModelRequestPart, UserPromptPart
from typing_extensions import Unpack

from farandole.agents.agent import events_of
from farandole.agents.approval import Approval, ask
from farandole.agents.budget import Budget
from farandole.agents.deciding import decider
from farandole.agents.errors import ContentLost, ModelMisbehaved
from farandole.agents.events import ToolCalled, ToolProposed
from farandole.agents.large import Large
from farandole.agents.made import listed, signed, union
from farandole.agents.marking import mark_of
from farandole.agents.outputs import described, ways_out
from farandole.agents.prices import Price
from farandole.agents.prompts import only_text, prompt_of
from farandole.agents.spans import invoking
from farandole.reactors import Ask, Choreography, GiveUp, Retry, Run, Step
from farandole.schemas import DeclarationError, Duration, Event, Personal, Secret
from farandole.schemas.edited import revealed

from .events import AdaptedEvents
from .recording import Recorder, durably
from .spending import Spent, spent_in
from .told import Telling

Prompt: TypeAlias = str
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DIGITS: Final = 16
_ALONE: Final = (
    "each event that it takes begins a conversation of its own. Say in prompt= what was said before, or let an Agent take "
    "the messages and call this one as a run"
)


@dataclass(frozen=True)
class Ended:
    """The loop has come to its end."""

    output: Any


@dataclass(frozen=True)
class Wanted:
    """A call that a person must allow."""

    call: str
    tool: str
    args: Mapping[str, Any]


@dataclass(frozen=True)
class Paused:
    """The loop waits for people.

    Attributes:
        state: what it goes on from, in any process, as JSON.
    """

    state: Any
    wanted: Sequence[Wanted]


@dataclass(frozen=True)
class Decided:
    """What was decided on a wanted call.

    Attributes:
        why: what the model is told if it was denied.
    """

    call: str
    approved: bool
    why: str = ""


class Loop(Protocol):
    """A framework's loop around one agent."""

    @property
    def tools(self) -> Sequence[str]:
        """The names of its tools, as far as they are known before it runs."""
        ...

    async def begin(self, prompt: Prompt) -> Ended | Paused:
        """Run until it ends or waits for people."""
        ...

    async def go_on(self, state: Any, decided: Sequence[Decided]) -> Ended | Paused:
        """Go on from where it waited."""
        ...


class Options(TypedDict, total=False):
    """What may be said of an adapted agent besides.

    Attributes:
        prompt: what the agent is told of what it takes; by default its text if it has one field, a text, else its
            fields as JSON.
        approval: how people are asked about calls.
        price: what a reply costs in US dollars; by default as Pydantic AI knows it.
        budget: what it may spend in one run.
        large: where it is kept if it is large: the prompt, what models reply and tools return, what the framework goes on
            from after a question.
        stream: show what the model says while it says it, if it can.
        retry: how often a leg in which something raised is tried again. What is recorded of it is not made again.
        timeout: of one attempt at a leg.
        concurrency: legs at once in one worker.
    """

    prompt: Callable[[Any], Prompt]
    approval: Approval
    price: Price
    budget: Budget
    large: Large
    stream: bool
    retry: Retry | Sequence[Retry]
    timeout: Duration
    concurrency: int


class Adapted:
    """An agent of another framework, as data; `serve` makes reactors of it. A framework's ``adapt`` makes one.

    Attributes:
        events: its event classes.
        mark: what is said in its conversations bears this one.
        served: the choreographies that it is served in.
        ways: how what it gives is said.

    Raises:
        DeclarationError: something of it cannot be.
    """

    def __init__(
        self,
        name: str,
        loop: Loop,
        *,
        takes: Any,
        gives: Any,
        **options: Unpack[Options],
    ) -> None:
        if not _NAME.fullmatch(name):
            raise DeclarationError(f"agent {name!r}: a name is of small letters, digits and _, 40 at most")
        for unknown in options.keys() - Options.__optional_keys__:
            why = f"; {_ALONE}" if unknown == "continues" else ""
            raise DeclarationError(f"agent {name}: an agent of another framework has no {unknown}={why}")
        self.name = name
        self.module: str = sys._getframe(2).f_globals.get("__name__", "")
        self.takes = takes
        self.gives = events_of(gives, name)
        self.mark = mark_of(takes, *self.gives)
        self.served: list[Choreography] = []
        self.ways = ways_out(self.gives)
        self.events = AdaptedEvents(name, loop.tools, self.module, self.mark)
        self._loop = loop
        self._prompt = options.get("prompt", prompt_of)
        self._approval = options.get("approval", Approval())
        self._price, self._budget = options.get("price"), options.get("budget")
        of_reactors = ("retry", "timeout", "concurrency")
        self._large, self._stream = options.get("large"), options.get("stream", True)
        self._legs = {name: value for name, value in options.items() if name in of_reactors}

    def serve(self, choreography: Choreography) -> Sequence[str]:
        """Put it into a service: declare its reactors. Returns their names.

        Raises:
            DeclarationError: a name is taken, or what it takes cannot be taken.
        """
        events, name, known = self.events, self.name, len(choreography.reactors)
        gives = union(self.gives)
        called = union(events.called.values())
        leg = listed(events.ModelRequested | events.ModelReplied | called | events.ToolReturned | events.ToolProposed)
        asking: Any = Ask
        answers = events.ToolApproved | events.ToolDenied
        run: Any = Run

        def add(fn: Any, of: str, returns: Any, options: dict[str, Any], **takes: Any) -> None:
            signed(fn, of, self.module, f"agent {name}", returns, **takes)
            choreography.reactor(name=of, **options)(fn)

        add(self._begin(), name, leg | gives, self._legs, taken=self.takes, run=run, step=Step)
        add(self._ask(), f"{name}.approval", asking[answers], {}, proposed=events.ToolProposed)
        add(
            decider(events, events.called_by),
            f"{name}.decision",
            called | events.ToolReturned,
            {},
            answer=answers,
            proposed=events.ToolProposed,
        )
        add(
            self._go_on(),
            f"{name}.turn",
            leg | gives | None,
            {**self._legs, "each": events.ToolProposed},
            decided=listed(called | events.ToolReturned),
            run=run,
            step=Step,
        )
        add(
            self._give(),
            f"{name}.reply",
            gives | None,
            {"each": events.ModelReplied},
            told=listed(events.ModelReplied | events.ToolReturned),
        )
        self.served.append(choreography)
        return [reactor.name for reactor in choreography.reactors[known:]]

    def _begin(self) -> Any:
        async def handle(taken: Any, run: Run[Any], step: Step) -> Any:
            prompt = self._prompt(taken)
            spent = await self._spent(run)
            with self._durably(step, spent, step.key[:_DIGITS]) as recorder:
                came = await self._loop.begin(prompt)
            return await self._leg(_Leg(step.key[:_DIGITS], step.key[:_DIGITS], prompt=prompt), recorder, came)

        return handle

    def _ask(self) -> Any:
        async def handle(proposed: ToolProposed) -> Any:
            return ask(self._approval, proposed, self.events.ToolApproved, self.events.ToolDenied)

        return handle

    def _go_on(self) -> Any:
        async def handle(decided: list[Any], run: Run[Any], step: Step) -> Any:
            if not decided:
                return None
            conversation = decided[0].conversation
            asked: list[Any] = [e for e in await run.events(self.events.ToolProposed) if e.conversation == conversation]
            waited = [each for each in asked if each.leg == asked[-1].leg]
            came_of = {each.call: each for each in decided if _decides(each)}
            if not waited or any(each.call not in came_of for each in waited):
                return None  # a leg that asked nothing
            answers = [_decided(came_of[each.call]) for each in waited]
            spent = await self._spent(run)
            state = await self._state(waited[0])
            with self._durably(step, spent, conversation) as recorder:
                came = await self._loop.go_on(state, answers)
            leg = _Leg(
                step.key[:_DIGITS], conversation, waited[0].turn, announced=frozenset(each.call for each in waited)
            )
            return await self._leg(leg, recorder, came)

        return handle

    def _give(self) -> Any:
        async def handle(told: list[Any]) -> Event | None:
            for each in told:
                if each.output is not None:
                    event = next(event for event in self.gives if event.__name__ == each.output["event"])
                    return event.model_validate(each.output["fields"])
            return None

        return handle

    @contextmanager
    def _durably(self, step: Step, spent: Spent, conversation: str) -> Iterator[Recorder]:
        options: dict[str, Any] = {"price": self._price, "budget": self._budget, "large": self._large}
        options["secret"] = self.mark is Secret
        with invoking(self.name, conversation), durably(step, spent=spent, **options) as recorder:
            recorder.agent, recorder.conversation = self.name, conversation
            recorder.live, recorder.personal = self._stream, self.mark is Personal
            yield recorder

    async def _state(self, proposed: Any) -> Any:
        """What the framework goes on from."""
        if proposed.state_kept is None:
            return proposed.state
        if self._large is None:
            raise ContentLost(
                f"agent {self.name} goes on from {proposed.state_kept.reference}, and has no large= any longer that "
                "says where it is kept: give it back, and retry the step"
            )
        return await asyncio.to_thread(self._large.read, proposed.state_kept)

    async def _spent(self, run: Run[Any]) -> Spent:
        """What the agent has spent in the run before this leg."""
        if self._budget is None:
            return Spent()
        return spent_in(await run.events(self.events.ModelReplied, self.events.ToolReturned))

    async def _leg(self, leg: "_Leg", recorder: Recorder, came: Ended | Paused) -> Any:
        """What a leg comes to: the events of its calls, and its questions; or at once what it gives."""
        events, parts = self.events, list[ModelRequestPart]([UserPromptPart(leg.prompt)] if leg.prompt else [])
        if self._large is not None:
            parts = await asyncio.to_thread(self._large.keep_said, parts)
        telling = Telling(
            events,
            self.name,
            leg.conversation,
            recorder.told,
            turn=leg.turn,
            parts=parts,
            instructions=recorder.instructions,
            announced=leg.announced,
        )
        told, proposed = telling.events, cast(Any, events.ToolProposed)
        if isinstance(came, Paused):
            if not came.wanted:
                raise GiveUp(f"agent {self.name} waits and asks nothing of people, so that nothing would make it go on")
            state, kept = came.state, None
            if self._large is not None:
                state, kept = await asyncio.to_thread(self._large.keep, came.state)
            for n, wanted in enumerate(came.wanted):
                told.append(
                    proposed(
                        agent=self.name,
                        conversation=leg.conversation,
                        turn=telling.turn,
                        call=wanted.call,
                        tool=wanted.tool,
                        args=dict(wanted.args),
                        leg=leg.id,
                        state=None if n or kept else state,
                        state_kept=None if n else kept,
                    )
                )
            return told
        event = self._event(came.output)
        last = next((n for n in reversed(range(len(told))) if hasattr(told[n], "output")), None)
        if last is None:
            return event
        output = {"event": type(event).__name__, "fields": revealed(event)}
        told[last] = told[last].model_copy(update={"output": output})
        return told

    def _event(self, output: Any) -> Event:
        """The event that an agent's output is.

        Raises:
            ModelMisbehaved: it is none that the agent gives.
        """
        if isinstance(output, self.gives):
            return output
        fields = output.model_dump() if isinstance(output, BaseModel) else output
        wrong = ""
        for event in self.gives:
            text = only_text(event)
            try:
                return event.model_validate({text: fields} if text and not isinstance(fields, dict) else fields)
            except ValidationError as e:
                wrong = wrong or described(e)
        names = " | ".join(event.__name__ for event in self.gives)
        raise ModelMisbehaved(
            f"agent {self.name} ended with {type(output).__name__}, of which no {names} can be made: {wrong}"
        )

    def __repr__(self) -> str:
        return f"<adapted agent {self.name}>"


@dataclass(frozen=True)
class _Leg:
    """What is known of a leg before it runs.

    Attributes:
        turn: the last one before it.
        announced: calls of which events tell already.
    """

    id: str
    conversation: str
    turn: int = 0
    prompt: str = ""
    announced: frozenset[str] = field(default=frozenset())


def _decides(event: Any) -> bool:
    """Whether it says what a person decided. A leg that goes on tells of the same calls once more, as they returned."""
    return isinstance(event, ToolCalled) or event.outcome == "denied"


def _decided(event: Any) -> Decided:
    if isinstance(event, ToolCalled):
        return Decided(event.call, True)
    return Decided(event.call, False, str(event.content))
