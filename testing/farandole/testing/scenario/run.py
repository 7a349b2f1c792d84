"""One run of a scenario: what a test does to it, and what it asserts of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from farandole.projections.fold import RunStatus, Verdict, status_of
from farandole.reactors import RunHandle
from farandole.reactors.shown import text
from farandole.schemas import Duration, Event, parse_duration
from farandole.schemas.envelope import Flag, Kind

from .chronicle import Line
from .errors import ScenarioError
from .log import Log
from .matching import Wanted, differences, in_order, matches, named, nearest
from .stage import Stage
from .telling import debts, short, story, traces

E = TypeVar("E", bound=Event)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that the log holds and the fold left out.

    Attributes:
        kind: what kind of record.
        type: the event's name, without its choreography; of a command, what it asked for: ``Cancel``.
        verdict: why.
    """

    kind: Kind
    type: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """An attempt that failed.

    Attributes:
        reactor: whose.
        attempt: its number, from 1.
        error: the type of what was raised.
        message: what it said.
        last: whether it parked the step, or was caught by a reactor that takes failures.
    """

    reactor: str
    attempt: int
    error: str
    message: str
    last: bool


class ScenarioRun:
    """One run. `Scenario` is its main run; `Scenario.run` gives others.

    What is done to a run is awaited; once it returns, all that follows from it has happened. What is asserted of a run
    is plain. `then`, `then_only`, `then_not`, `refused` and `failures` look at what happened since the last command; the
    others at everything.
    """

    def __init__(self, stage: Stage, run_id: str, choreography: str) -> None:
        self._stage = stage
        self._choreography = choreography
        self.id = run_id
        """Its id."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self.id}' of {self._choreography}>"

    def __str__(self) -> str:
        """What happened, what failed and how, and what is owed: ``print(s)``."""
        return self._story()

    # ── what is done ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def given(self, *events: Event) -> None:
        """Events that happened before: history, for which nobody is owed anything.

        They fill joins, are what `Run.events` finds, and come before the first `when`.

        Raises:
            ScenarioError: they could not have happened.
        """

        async def write() -> None:
            for event in events:
                await self._there.hand.happened(self.id, event)

        await self._stage.history(write)

    async def when(self, event: Event, *, after: Duration | None = None) -> None:
        """Let an event happen, and all that follows from it.

        A `Start` opens the run, a `Signal` is sent into it, an `Answer` answers the oldest question that offers it, as
        its ``by``; any other event happens as if a reactor had emitted it.

        Args:
            after: let exactly so much time pass then. Without, no more time passes than the handlers take that are set
                to work; what comes due later, such as the next attempt of a step that failed, is left owed.

        Raises:
            ScenarioError: the run is not open.
            NotAtRest: what follows from it does not come to an end.
        """
        await self._do(lambda: self._there.hand.happens(self.id, event), after)

    async def passes(self, time: Duration) -> None:
        """Let exactly so much time pass, and all happen that comes due."""
        await self._do(_nothing, time)

    async def pause(self, why: str = "", *, by: str = "", after: Duration | None = None) -> None:
        """See `RunHandle.pause`."""
        await self._do(lambda: self._handle.pause(why, by=by), after)

    async def resume(self, why: str = "", *, by: str = "", after: Duration | None = None) -> None:
        """See `RunHandle.resume`."""
        await self._do(lambda: self._handle.resume(why, by=by), after)

    async def cancel(self, why: str = "", *, by: str = "", after: Duration | None = None) -> None:
        """See `RunHandle.cancel`."""
        await self._do(lambda: self._handle.cancel(why, by=by), after)

    async def retry(
        self,
        why: str = "",
        *,
        by: str = "",
        reactor: str | None = None,
        edit: Event | None = None,
        after: Duration | None = None,
    ) -> int:
        """See `RunHandle.retry`."""
        return await self._do(lambda: self._handle.retry(why, by=by, reactor=reactor, edit=edit), after)

    # ── what is there ────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def now(self) -> datetime:
        """The scenario's time."""
        return self._stage.now

    @property
    def history(self) -> list[Event]:
        """All events of the run, those given included."""
        return [event for line in self._lines() for event in line.events if isinstance(event, Event)]

    @property
    def status(self) -> RunStatus:
        """What state the run is in, and what it owes."""
        log = self._log
        if log is None:
            return RunStatus(self.id, "absent", 0, 0)
        fold, run = log.fold(self.id), self._stage.chronicle.run(log, self.id)
        if run is None:
            return RunStatus(self.id, "absent", fold.partition, fold.position)
        return status_of(fold, run)

    def last(self, type: type[E]) -> E:
        """The last event of a type.

        Raises:
            AssertionError: there is none.
        """
        __tracebackhide__ = True
        found = [event for event in self.history if isinstance(event, type)]
        if not found:
            raise AssertionError(f"no {type.__name__} happened.\n\n{self._story()}")
        return found[-1]

    def refused(self) -> list[Refused]:
        """What was refused since the last command, in the order of the log."""
        return [
            Refused(Kind(line.envelope.kind), short(text(line.envelope.type)), line.verdict)
            for line in self._lines(new=True)
            if line.verdict.refused
        ]

    def failures(self) -> list[FailedAttempt]:
        """Which attempts failed since the last command, in the order of the log."""
        return [
            FailedAttempt(
                text(line.envelope.reactor),
                line.envelope.attempt,
                short(line.said.get("error", "")),
                line.said.get("message", ""),
                bool(line.envelope.flags & Flag.LAST),
            )
            for line in self._lines(new=True)
            if line.envelope.kind == Kind.FAILURE and line.verdict is Verdict.ADMITTED
        ]

    # ── what is asserted ─────────────────────────────────────────────────────────────────────────────────────────────

    def then(self, *events: Wanted) -> None:
        """These events happened since the last command, in this order; others may have happened between them.

        Args:
            events: an event, or a type for any event of it. Where the order does not matter, assert them one by one.

        Raises:
            AssertionError: one did not happen; tells what did.
        """
        __tracebackhide__ = True
        if not events:
            raise TypeError("then() names no event; to say that nothing happened: then_only()")
        found = in_order(events, self._new())
        if None in found:
            raise AssertionError(self._missing(events, found))

    def then_only(self, *events: Wanted) -> None:
        """Exactly these events happened since the last command, in this order; without any: nothing did.

        Raises:
            AssertionError: it was otherwise.
        """
        __tracebackhide__ = True
        new = self._new()
        found = in_order(events, new)
        if None in found:
            raise AssertionError(self._missing(events, found))
        if len(new) > len(events):
            more = [f"  {event!r}" for at, event in enumerate(new) if at not in found]
            expected = "nothing" if not events else f"only {', '.join(map(named, events))}"
            raise AssertionError("\n".join([f"expected {expected}, but this happened too:", *more, "", self._story()]))

    def then_not(self, *events: Wanted) -> None:
        """None of these events happened since the last command.

        Raises:
            AssertionError: one did.
        """
        __tracebackhide__ = True
        for wanted in events:
            for event in self._new():
                if matches(wanted, event):
                    raise AssertionError(f"{event!r} happened.\n\n{self._story()}")

    def owes(self, *reactors: str | Callable[..., Any]) -> None:
        """The run owes steps of exactly these reactors, parked ones included; without any: nothing.

        Args:
            reactors: by function or by name; twice, if two steps of one are owed.

        Raises:
            AssertionError: it owes others.
        """
        __tracebackhide__ = True
        expected = sorted(self._name(reactor) for reactor in reactors)
        owed = sorted(step.reactor for step in self.status.owed)
        if owed != expected:
            raise AssertionError(
                f"expected run '{self.id}' to owe {', '.join(expected) or 'nothing'}, "
                f"but it owes {', '.join(owed) or 'nothing'}.\n\n{self._story()}"
            )

    # ── beneath ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _do(self, do: Callable[[], Awaitable[T]], after: Duration | None = None) -> T:
        return await self._stage.command(do, None if after is None else parse_duration(after))

    @property
    def _log(self) -> Log | None:
        return self._stage.log(self._choreography)

    @property
    def _there(self) -> Log:
        return self._stage.logs[self._choreography]

    @property
    def _handle(self) -> RunHandle:
        return self._there.client.run(self.id)

    def _lines(self, *, new: bool = False) -> list[Line]:
        chronicle = self._stage.chronicle
        lines = chronicle.lines[chronicle.since if new else 0 :]
        return [line for line in lines if line.run_id == self.id and line.log is self._log]

    def _new(self) -> list[Event | str]:
        """What happened since the last command, but for what the test itself let happen."""
        return [event for line in self._lines(new=True) if not line.by_the_test for event in line.events]

    def _name(self, reactor: str | Callable[..., Any]) -> str:
        if isinstance(reactor, str):
            return reactor
        for choreography in self._stage.choreographies:
            for known in choreography.reactors:
                if known.fn is reactor:
                    return known.name
        raise ScenarioError(f"{getattr(reactor, '__name__', reactor)} is a reactor of no choreography of this scenario")

    def _missing(self, events: Sequence[Wanted], found: Sequence[int | None]) -> str:
        new = self._new()
        first = found.index(None)
        wanted = events[first]
        lines = [f"expected {named(wanted)}, and it did not happen."]
        if any(matches(wanted, event) for event in new):
            lines = [f"expected {named(wanted)} after {named(events[first - 1])}, and it happened before that."]
        elif any(matches(wanted, event) for event in self.history):
            lines[0] = f"expected {named(wanted)}, and it did not happen since the last command, but before."
        elif isinstance(wanted, Event) and (near := nearest(wanted, new)) is not None:
            lines.append(f"{type(wanted).__name__} happened with {', '.join(differences(wanted, near))}.")
        return "\n".join([*lines, "", self._story()])

    def _story(self) -> str:
        stage, log, status = self._stage, self._log, self.status
        lines = self._lines()
        new = len(self._lines(new=True))
        now = int(stage.now.timestamp() * 1000)
        hand = log.hand.reactor if log is not None else b""
        told = [story(lines, len(lines) - new, status, self._choreography, stage.began, now, hand)]
        if log is not None:
            told += debts(status, log.fold(self.id), stage.chronicle.run(log, self.id), now)
            others = [f"'{id}' of {name}" for name, id in stage.chronicle.runs if (name, id) != (log.name, self.id)]
            if others:
                told.append(f"  other runs: {', '.join(others[:5])}{', …' if len(others) > 5 else ''}")
        return "\n".join(told) + "".join(f"\n\n{trace}" for trace in traces(self._lines(new=True)))


async def _nothing() -> None: ...
