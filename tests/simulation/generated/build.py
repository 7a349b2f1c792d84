"""From a choreography as data to a dance: reactors, which are functions with signatures, in releases of services."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, Final

from farandole.reactors import After, Ask, Child, ChildDone, ChildFailed, Failed, Run, Step
from simulation.dances import Dance, Reacting, around
from simulation.dances.long import go_on

from . import handlers, judge, people
from .events import BY_NAME, STARTS
from .spec import ChoreographySpec, Given, Outcome, ReactorSpec, Taken
from .strategies import drawn

_FORMS: Final[Mapping[str, Any]] = {"failed": Failed, "child_done": ChildDone, "child_failed": ChildFailed}
_ITEMS: Final[Mapping[str, Any]] = {"after": After, "ask": Ask, "child": Child}
SERVICES: Final = ("mill", "shop", "yard")


def dances_of(seed: int) -> tuple[Dance, ...]:
    """The choreography that is made up for a seed, and what happens to the log itself."""
    return (dance_of(drawn(seed)), *around(seed))


def dance_of(spec: ChoreographySpec) -> Dance:
    """A choreography as something that the runs of a world can do."""
    later = {r.name: r for r in spec.reactors} | {r.name: r for r in spec.changed}
    fewer = [r for name, r in later.items() if name not in spec.removed]
    releases = [
        _by_service(rs) for rs in ((spec.reactors, fewer) if spec.changed or spec.removed else (spec.reactors,))
    ]
    complete = _by_service(later.values())
    return Dance(
        "generated",
        starts={BY_NAME[name]: lambda chance: {"left": chance.randrange(3)} for name in spec.starts},
        known=[BY_NAME[name] for name in spec.events()],
        releases={service: [release.get(service, {}) for release in releases] for service in complete},
        complete=complete,
        actions=people.ACTIONS,
        relief=(go_on,),
        help=judge.help,
        still=judge.still,
        watchers=judge.WATCHERS,
        stuck=judge.stuck,
    )


def _by_service(reactors: Iterable[ReactorSpec]) -> dict[str, dict[str, Reacting]]:
    found: dict[str, dict[str, Reacting]] = {}
    for reactor in reactors:
        found.setdefault(reactor.service, {})[reactor.name] = Reacting(function_of(reactor), _options(reactor))
    return found


def _options(spec: ReactorSpec) -> dict[str, Any]:
    options: dict[str, Any] = {
        "each": BY_NAME[spec.each] if spec.each else None,
        "unless": BY_NAME[spec.unless] if spec.unless else None,
        "enough": spec.enough or None,
        "within": spec.within or None,
        "of": spec.of or None,
        "deadline": spec.deadline or None,
        "ordered": spec.ordered,
        "compensate": _compensation_of(spec) if spec.compensates else None,
    }
    return {name: value for name, value in options.items() if value}


def function_of(spec: ReactorSpec) -> Callable[..., Any]:
    """The handler of a reactor, whose signature says what the reactor takes and gives."""
    parameters = {f"x{n}": _parameter(taken, spec.gathers) for n, taken in enumerate(spec.takes)}
    if spec.once:
        parameters["step"] = Step
    if spec.looks:
        parameters["run"] = Run[STARTS[0]]  # type: ignore[valid-type]

    async def handler(**given: Any) -> Any:
        return await handlers.handle(spec, given)

    return _signed(handler, spec.name, parameters, reduce(or_, map(_returned, spec.gives)))


def _compensation_of(spec: ReactorSpec) -> Callable[..., Any]:
    named = (*(x.event for parameter in spec.takes for x in parameter), *_emitted(spec.gives))

    async def handler(**given: Any) -> None:
        await handlers.undo(given)

    return _signed(handler, f"un{spec.name}", {f"x{n}": BY_NAME[name] for n, name in enumerate(named)}, None)


def _emitted(gives: Sequence[Outcome]) -> list[str]:
    return [event for outcome in gives for given in outcome.items for event in given.events]


def _signed(fn: Any, name: str, parameters: Mapping[str, Any], returns: Any) -> Callable[..., Any]:
    by_keyword = inspect.Parameter.KEYWORD_ONLY
    fn.__name__ = name
    fn.__annotations__ = {**parameters, "return": returns}
    fn.__signature__ = inspect.Signature(
        [inspect.Parameter(n, by_keyword, annotation=a) for n, a in parameters.items()], return_annotation=returns
    )
    return fn  # type: ignore[no-any-return]


def _parameter(taken: tuple[Taken, ...], gathers: bool) -> Any:
    union = reduce(or_, (_FORMS[x.form][BY_NAME[x.event]] if x.form in _FORMS else BY_NAME[x.event] for x in taken))
    return list[union] if gathers else union  # type: ignore[valid-type]


def _returned(outcome: Outcome) -> Any:
    items = [_item(given) for given in outcome.items]
    if outcome.fans:
        return list[items[0]]  # type: ignore[valid-type]
    return items[0] if len(items) == 1 else tuple[tuple(items)] if items else None  # type: ignore[valid-type]


def _item(given: Given) -> Any:
    events = [BY_NAME[name] for name in given.events]
    return _ITEMS[given.form][reduce(or_, events)] if given.form in _ITEMS else events[0]
