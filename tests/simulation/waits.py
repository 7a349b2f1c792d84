"""Where in a run something is waited for that comes from outside: timers, answers, news of children."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from farandole.schemas.envelope import Envelope, Flag, Kind

from .transcript import Line

if TYPE_CHECKING:
    from .branching import Path

_WAITS: Final = Flag.AFTER | Flag.ASK | Flag.CHILD
_COMES: Final = frozenset((Kind.TIMER, Kind.ANSWER, Kind.EXPIRY, Kind.CHILD_ENDED, Kind.CHILD_FAILED))


@dataclass(slots=True)
class Wait:
    """One thing that is waited for.

    Attributes:
        at: where it stands.
        unless: types of events that drop it.
        sure: whether it is known that it is still waited for.
        over: the question whose end it is, if nobody answers.
    """

    at: "Path"
    unless: frozenset[bytes]
    sure: bool = True
    over: bytes = b""


@dataclass(slots=True)
class Waits:
    """Of one run."""

    parts: dict[bytes, dict[int, Envelope]] = field(default_factory=dict)
    """Of outcomes of which the log has not everything yet, by their append."""
    waits: dict[bytes, Wait] = field(default_factory=dict)
    came: dict[bytes, "Path"] = field(default_factory=dict)
    """Where stood what has come: it may come again."""
    said: set[bytes] = field(default_factory=set)
    """Types of all that came into the run."""

    def part(self, e: Envelope) -> None:
        """A record of an outcome, whether or not that is whole."""
        if e.flags & _WAITS:
            self.parts.setdefault(e.append, {}).setdefault(e.index, e)

    def admitted(self, e: Envelope, line: Line, at: "Path", unless: frozenset[bytes]) -> "Path | None":
        """One record came into the run; where what it brings stands, if that was waited for.

        Args:
            at: where the pair stands that it is of.
            unless: types of events that drop its timers.
        """
        types = {fact.type for fact in line.admitted}
        for wait in self.waits.values():
            wait.sure &= not types & wait.unless
        self.said |= types
        if e.kind == Kind.OUTCOME:
            self._wait(e, at, unless)
        if e.kind not in _COMES or not e.causation or e.reactor:
            return None
        wait = self.waits.get(e.causation)
        if wait is None:
            return self.came.get(e.causation)
        if line.admitted or e.kind != Kind.ANSWER:
            del self.waits[e.causation]
            self.waits = {id: other for id, other in self.waits.items() if other.over != e.causation}
            self.came[e.causation] = wait.at
        return wait.at

    def end(self) -> None:
        """The run has its result: what is waited for may have been dropped."""
        for wait in self.waits.values():
            wait.sure = False

    def _wait(self, e: Envelope, at: "Path", unless: frozenset[bytes]) -> None:
        question = b""
        for _, part in sorted(self.parts.pop(e.append, {}).items()):
            over = question if part.flags & Flag.AFTER and part.flags & Flag.ASK else b""
            question = part.id if part.flags & Flag.ASK and not over else b""
            drops = unless if part.flags & Flag.AFTER and not over else frozenset[bytes]()
            self.waits[part.id] = Wait(at, drops, not drops & self.said, over)
