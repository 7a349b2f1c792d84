"""A dance: some events, reactors that go together, and all that belongs to them in a simulated world."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from farandole.projections.fold import Run
from farandole.reactors import Choreography
from farandole.schemas import Event, Start

if TYPE_CHECKING:
    from simulation.judge import Judge
    from simulation.play import Play
    from simulation.rules import Rule
    from simulation.transcript import Line
    from simulation.world import World

Handler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Reacting:
    """A handler with options of `@reactor`."""

    handler: Handler
    options: Mapping[str, Any]


class Watcher:
    """Reads a partition line by line and says what is wrong with it, by what was admitted and when."""

    def __init__(self, judge: "Judge") -> None:
        self.judge = judge

    def line(self, number: int, line: "Line") -> Iterator[str]:
        """One record, refused ones included."""
        return iter(())

    def end(self) -> Iterator[str]:
        """The whole partition."""
        return iter(())


@dataclass(frozen=True, slots=True, eq=False)
class Dance:
    """A dance.

    Attributes:
        starts: the events that runs begin with, and what the fields of one are besides ``tag``.
        known: events that services know and do not take or return; clients know them too.
        releases: by service, the reactors of each release; a service with more releases keeps the last.
        complete: by service, all reactors that ever were.
        declares: further things that the services of its releases declare.
        actions: what people or misfortune do, and how often compared with others.
        relief: what an operator takes back in the end, whatever runs there are.
        help: lets an open run that owes nothing go on; whether it did.
        still: what is wrong with a run that nothing lets go on.
        watchers: what must be so.
        stuck: what stands still in a calm world without a reason.
        switches: rules that can be off, and what is then found.
    """

    name: str
    starts: Mapping[type[Start], Callable[[Random], Mapping[str, Any]]] = field(default_factory=dict)
    known: Sequence[type[Event]] = ()
    releases: Mapping[str, Sequence[Mapping[str, Handler | Reacting]]] = field(default_factory=dict)
    complete: Mapping[str, Mapping[str, Handler | Reacting]] = field(default_factory=dict)
    declares: Callable[[Choreography], None] | None = None
    actions: Sequence[tuple[Callable[["Play"], None], int]] = ()
    relief: Sequence[Callable[["Play"], None]] = ()
    help: "Callable[[Play, Run], bool] | None" = None
    still: "Callable[[Play, Run], Iterator[str]] | None" = None
    watchers: Sequence[type[Watcher]] = ()
    stuck: "Callable[[World], Iterator[str]] | None" = None
    switches: "Callable[[], Sequence[Rule]]" = tuple
