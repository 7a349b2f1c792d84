"""How choreographies are made up, by hypothesis.

They are woven of phrases. A phrase leads from one event to another, in the same branch, whichever way it takes, unless
somebody drops what it owes; so phrases can stand within phrases, and every run has a way to its end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, Verbosity, given, settings, strategies
from hypothesis import seed as seeded
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.strategies import DrawFn, SearchStrategy

from .events import AGREED, BACK, DENIED, ENDS, ERRANDS, MADE, SAID, STARTS
from .spec import ChoreographySpec, Given, Outcome, ReactorSpec, Taken

T = TypeVar("T")
Phrase = Callable[[str, str, int], None]

MOST: Final = 8
"""Reactors after which phrases are single steps."""
DEPTH: Final = 3
SERVICES: Final = ("mill", "shop", "yard")
LATER: Final = ("another way", "joined with more", "removed", "watched")
STEPS: Final[Sequence[Mapping[str, Any]]] = (
    {},
    {"once": True},
    {"looks": True},
    {"ordered": True},
    {"deadline": "20s"},
    {"compensates": True},
    {"compensates": True},
)
GATHERS: Final[Sequence[Mapping[str, Any]]] = ({}, {}, {"enough": 1}, {"enough": 2}, {"within": "3s"})


class Weaver:
    """Makes up one choreography.

    Args:
        draw: decides everything.
    """

    def __init__(self, draw: DrawFn) -> None:
        self._draw = draw
        self._made = iter(MADE)
        self._said = iter(SAID)
        self._answers = iter(zip(AGREED, DENIED, strict=True))
        self._errands = iter(zip(ERRANDS, BACK, strict=True))
        self._root = ""
        self._roots: dict[str, str] = {}
        """What the runs begin with that each reactor belongs to."""
        self._most = 0
        self.reactors: list[ReactorSpec] = []

    def weave(self) -> ChoreographySpec:
        starts = self.choice([STARTS[:1], STARTS[:2], STARTS[1:]])
        for start in starts:
            last = self.event()
            self._root, self._most = start.__name__, len(self.reactors) + MOST
            self.phrase(start.__name__, last, DEPTH)
            self._conclude(last)
        self._listen()
        changed, removed = self._later()
        return ChoreographySpec(tuple(start.__name__ for start in starts), tuple(self.reactors), changed, removed)

    def choice(self, options: Sequence[T]) -> T:
        return self._draw(strategies.sampled_from(options))

    def maybe(self) -> bool:
        return self._draw(strategies.booleans())

    def event(self) -> str:
        return next(self._made).__name__

    def next(self, several: Iterator[T]) -> T | None:
        """One more of what there is only so much of."""
        return next(several, None)

    def add(self, takes: Sequence[Sequence[Taken]], *gives: Outcome, **options: Any) -> ReactorSpec:
        """One more reactor, of a service that is drawn."""
        name = f"r{len(self.reactors)}"
        parameters = tuple(tuple(taken) for taken in takes)
        reactor = ReactorSpec(name, self.choice(SERVICES), parameters, gives, **options)
        self.reactors.append(reactor)
        self._roots[name] = self._root
        return reactor

    # ── phrases ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def phrase(self, first: str, last: str, depth: int) -> None:
        """Reactors that lead from one event to another."""
        more = depth > 0 and len(self.reactors) < self._most
        few: list[Phrase] = [self._step, self._wait, self._loop]
        many: list[Phrase] = [
            self._sequence,
            self._sequence,
            self._either,
            self._both,
            self._spread,
            self._ask,
            self._send,
            self._catch,
        ]
        self.choice([*many, self._wait, self._loop] if more else few)(first, last, depth - 1)

    def _step(self, first: str, last: str, depth: int) -> None:
        options = self.choice(STEPS)
        if "looks" in options:
            options = {"looks": tuple(dict.fromkeys((self._root, first)))}
        self.add([[Taken(first)]], one(last), **options)

    def _loop(self, first: str, last: str, depth: int) -> None:
        again = self.event()
        self.add([[Taken(first), Taken(again)]], one(again), one(last), loops=True)

    def _wait(self, first: str, last: str, depth: int) -> None:
        """For a time, or until somebody says something."""
        said = self.next(self._said) if self.maybe() else None
        if said is None:
            self.add([[Taken(first)]], one(last, "after"))
        else:
            self.add([[Taken(first)]], one(last, "after"), unless=said.__name__)
            self.add([[Taken(said.__name__)]], one(last))

    def _ask(self, first: str, last: str, depth: int) -> None:
        """Somebody answers in one way or another, or nobody does."""
        answers = self.next(self._answers)
        if answers is None:
            return self._step(first, last, depth)
        ways = (*(answer.__name__ for answer in answers), self.event())
        self.add([[Taken(first)]], Outcome((Given(ways, "ask"),)))
        for way in ways:
            self.phrase(way, last, min(depth, 1))

    def _send(self, first: str, last: str, depth: int) -> None:
        """A child does it."""
        errand = self.next(self._errands)
        if errand is None:
            return self._step(first, last, depth)
        start, back = (event.__name__ for event in errand)
        root, self._root, ending = self._root, start, self.event()
        self.add([[Taken(first)]], one(start, "child"))
        self.phrase(start, ending, min(depth, 1))
        self.add([[Taken(ending)]], one(back))
        self._root = root
        news = [Taken(back, "child_done"), Taken(start, "child_failed")]
        for taken in [news] if self.maybe() else [[x] for x in news]:
            self.add([taken], one(last))

    def _catch(self, first: str, last: str, depth: int) -> None:
        """It is done, or fails for good."""
        middle = self.event()
        risky = self.add([[Taken(first)]], one(middle), risky=True)
        self.phrase(middle, last, depth)
        self.add([[Taken(first, "failed")]], one(last), of=risky.name)

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

    def _spread(self, first: str, last: str, depth: int) -> None:
        """As many branches as chance will have, that are gathered: what they come to, or also what fails in them."""
        branch, ends = self.event(), self.event()
        self.add([[Taken(first)]], Outcome((Given((branch,)),), fans=True))
        taken = [Taken(ends)]
        if self.maybe():
            self.phrase(branch, ends, depth)
        else:
            self.add([[Taken(branch)]], one(ends), risky=True)
            taken.append(Taken(branch, "failed"))
        self.add([taken], one(last), gathers=True, each=branch, **self.choice(GATHERS))

    def _conclude(self, last: str) -> None:
        """The end of a run, and at times something after it."""
        ends = [event.__name__ for event in self.choice([ENDS[:1], ENDS[:2], ENDS[2:3], ENDS[1:4:2], ENDS[3:]])]
        if self.maybe():
            self.add([[Taken(last)]], *map(one, ends))
        else:
            rest = self.event()
            self.add([[Taken(last)]], *(all_of(rest, end, rest) for end in ends))
            self.add([[Taken(rest)]], Outcome(), one(self.event()))
        if self.maybe():
            self.add([[Taken(end) for end in ends]], Outcome())

    def _listen(self) -> None:
        """What else may be said to a run."""
        said = self.next(self._said) if self.maybe() else None
        if said is not None:
            noted = self.event()
            looks = (said.__name__, noted) if self.maybe() else ()
            self.add([[Taken(said.__name__)]], one(noted), ordered=not looks, looks=looks)
            self.add([[Taken(noted)]], Outcome())

    def _later(self) -> tuple[tuple[ReactorSpec, ...], tuple[str, ...]]:
        """What is otherwise in later releases."""
        changed, removed = list[ReactorSpec](), list[str]()
        joins = [r for r in self.reactors if len(r.takes) == 2]
        for kind in self._draw(strategies.lists(strategies.sampled_from(LATER), max_size=2, unique=True)):
            if kind == "another way" and (ways := [r for r in self.reactors if _may_go_another_way(r)]):
                changed += self._another_way(self.choice(ways))
            elif kind == "joined with more" and joins:
                join = self.choice(joins)
                changed.append(replace(join, takes=(*join.takes, (Taken(self._roots[join.name]),))))
            elif kind == "removed":
                removed.append(self.choice(self.reactors).name)
            elif kind == "watched":
                seen = self.choice([r for r in self.reactors if r.takes[0][0].form == "event"]).takes[0][0]
                watcher = self.add([[seen]], Outcome())
                changed.append(replace(watcher, takes=((seen, Taken(self.event())),)))
        return tuple(changed), tuple(removed)

    def _another_way(self, reactor: ReactorSpec) -> list[ReactorSpec]:
        """A step that may come to what it comes to by way of something else."""
        (item,), way = reactor.gives[0].items, self.event()
        if (
            item.form != "event"
            or reactor.looks
            or item.events[0].startswith(("Ended", "Undone", "Dropped", "CameBack"))
        ):
            return []
        more = ReactorSpec(f"{reactor.name}b", self.choice(SERVICES), ((Taken(way),),), reactor.gives)
        return [replace(reactor, gives=(*reactor.gives, one(way))), more]


def _may_go_another_way(reactor: ReactorSpec) -> bool:
    """Whether it is a step that comes to one thing."""
    if len(reactor.takes) != 1 or len(reactor.gives) != 1 or reactor.compensates or reactor.unless:
        return False
    (outcome,) = reactor.gives
    return len(outcome.items) == 1 and not outcome.fans


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
