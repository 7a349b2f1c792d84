"""How choreographies are made up, by hypothesis.

They are woven of phrases. A phrase leads from one event to another, in the same branch, whichever way it takes, unless
somebody drops what it owes; so phrases can stand within phrases, and every run has a way to its end.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, Verbosity, given, settings, strategies
from hypothesis import seed as seeded
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.strategies import DrawFn, SearchStrategy

from .events import ENDS, MADE, STARTS
from .spec import ChoreographySpec, Given, Outcome, ReactorSpec, Taken

T = TypeVar("T")

MOST: Final = 8
"""Reactors after which phrases are single steps."""
DEPTH: Final = 3
SERVICES: Final = ("mill", "shop", "yard")


class Weaver:
    """Makes up one choreography.

    Args:
        draw: decides everything.
    """

    def __init__(self, draw: DrawFn) -> None:
        self._draw = draw
        self._made = iter(MADE)
        self.reactors: list[ReactorSpec] = []

    def weave(self) -> ChoreographySpec:
        starts = STARTS[: self.choice([1, 2])]
        for start in starts:
            last = self.event()
            self.phrase(start.__name__, last, DEPTH)
            self._conclude(last)
        return ChoreographySpec(tuple(start.__name__ for start in starts), tuple(self.reactors))

    def choice(self, options: Sequence[T]) -> T:
        return self._draw(strategies.sampled_from(options))

    def maybe(self) -> bool:
        return self._draw(strategies.booleans())

    def event(self) -> str:
        return next(self._made).__name__

    def add(self, takes: Sequence[Sequence[Taken]], *gives: Outcome, **options: Any) -> ReactorSpec:
        """One more reactor, of a service that is drawn."""
        name = f"r{len(self.reactors)}"
        parameters = tuple(tuple(taken) for taken in takes)
        reactor = ReactorSpec(name, self.choice(SERVICES), parameters, gives, **options)
        self.reactors.append(reactor)
        return reactor

    # ── phrases ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def phrase(self, first: str, last: str, depth: int) -> None:
        """Reactors that lead from one event to another."""
        more = depth > 0 and len(self.reactors) < MOST
        kinds: list[Callable[[str, str, int], None]] = [self._sequence, self._either, self._both]
        (self.choice(kinds) if more else self._step)(first, last, depth - 1)

    def _step(self, first: str, last: str, depth: int) -> None:
        self.add([[Taken(first)]], one(last))

    def _sequence(self, first: str, last: str, depth: int) -> None:
        middle = self.event()
        self.phrase(first, middle, depth)
        self.phrase(middle, last, depth)

    def _either(self, first: str, last: str, depth: int) -> None:
        """One way or the other, by chance."""
        left, right = self.event(), self.event()
        self.add([[Taken(first)]], one(left), one(right))
        self.phrase(left, last, depth)
        self.phrase(right, last, depth)

    def _both(self, first: str, last: str, depth: int) -> None:
        """Two ways at once, that are joined."""
        ways = [(self.event(), self.event()) for _ in range(2)]
        self.add([[Taken(first)]], all_of(*(way[0] for way in ways)))
        for begins, ends in ways:
            self.phrase(begins, ends, depth)
        self.add([[Taken(ends)] for _, ends in ways], one(last))

    def _conclude(self, last: str) -> None:
        """The end of a run, and at times something after it."""
        end = self.choice(ENDS[:2]).__name__
        self.add([[Taken(last)]], one(end))
        if self.maybe():
            self.add([[Taken(end)]], Outcome())


def one(event: str, form: Any = "event") -> Outcome:
    return Outcome((Given((event,), form),))


def all_of(*events: str) -> Outcome:
    return Outcome(tuple(Given((event,)) for event in events))


@strategies.composite
def choreographies(draw: DrawFn) -> ChoreographySpec:
    return Weaver(draw).weave()


def drawn(seed: int, strategy: SearchStrategy[ChoreographySpec] | None = None) -> ChoreographySpec:
    """The choreography of a seed: the same wherever and whenever it is drawn."""
    found: list[ChoreographySpec] = []

    @seeded(seed)
    @settings(
        # The first example is always the smallest.
        max_examples=2,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(strategy or choreographies())
    def draw(spec: ChoreographySpec) -> None:
        found.append(spec)

    # Hypothesis also draws what stands in the code at hand, and that is other code in another process.
    with patch.object(HypothesisProvider, "_maybe_draw_constant", lambda *_, **__: None):
        draw()
    return found[-1]
