"""What is deployed: services, each in several versions, as their choreographies, which the dances of a world make up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from farandole.reactors import Choreography, Retry
from farandole.reactors.service import types_of
from farandole.schemas import EventTypes, Start

from .dances import ALL, Dance, Reacting
from .dances.dance import Handler
from .events import NAME
from .generated.events import BY_NAME

ATTEMPTS: Final = 4
RETRY: Final = Retry(attempts=ATTEMPTS, first="500ms", factor=2, most="3s")
SERVICES: Final = tuple(dict.fromkeys(service for dance in ALL for service in dance.releases))


@dataclass(frozen=True, slots=True)
class Version:
    """One release of a service."""

    service: str
    number: int
    choreography: Choreography
    types: EventTypes


@dataclass(frozen=True, slots=True)
class Repertoire:
    """All that can be deployed in a world with certain dances.

    Attributes:
        complete: what an operator deploys in the end with ``take_over``: it serves all that was ever declared.
        fan_ins: names of the reactors that gather.
        ordered: names of those that keep to an order.
    """

    starts: tuple[type[Start], ...]
    releases: Mapping[str, tuple[Version, ...]]
    complete: Mapping[str, Version]
    fan_ins: frozenset[str]
    ordered: frozenset[str]


def _release(service: str, number: int, dances: Iterable[Dance], reactors: Mapping[str, Handler | Reacting]) -> Version:
    choreography = Choreography(NAME, service=service, version=str(number))
    for name, reacting in reactors.items():
        handler, options = (reacting.handler, reacting.options) if isinstance(reacting, Reacting) else (reacting, {})
        choreography.reactor(name=name, **{"retry": RETRY, **options})(handler)
    choreography.know(*(event for dance in dances for event in dance.known))
    for dance in dances:
        if dance.declares is not None and service in dance.releases:
            dance.declares(choreography)
    choreography.load()
    return Version(service, number, choreography, types_of(choreography))


@lru_cache(maxsize=64)
def repertoire(dances: tuple[Dance, ...]) -> Repertoire:
    """What these dances make up."""
    releases, complete = {}, {}
    for service in SERVICES:
        parts = [dance.releases[service] for dance in dances if service in dance.releases]
        if not parts:
            continue
        releases[service] = tuple(
            _release(service, i + 1, dances, _together(part[min(i, len(part) - 1)] for part in parts))
            for i in range(max(map(len, parts)))
        )
        complete[service] = _release(service, 9, dances, _together(dance.complete.get(service, {}) for dance in dances))
    starts = tuple(start for dance in dances for start in dance.starts)
    return Repertoire(starts, releases, complete, _with("each", dances), _with("ordered", dances))


def _together(parts: Iterable[Mapping[str, Handler | Reacting]]) -> dict[str, Handler | Reacting]:
    return {name: reacting for part in parts for name, reacting in part.items()}


def _with(option: str, dances: Iterable[Dance]) -> frozenset[str]:
    """Names of the reactors that have an option."""
    return frozenset(
        name
        for dance in dances
        for reactors in dance.complete.values()
        for name, reacting in reactors.items()
        if isinstance(reacting, Reacting) and reacting.options.get(option)
    )


def _for_clients() -> EventTypes:
    known = Choreography(NAME)
    known.know(*(event for dance in ALL for event in (*dance.starts, *dance.known)), *BY_NAME.values())
    # The reactors that give what is made up are not known before a world is: all of it counts as written.
    return EventTypes(known.name, known.events.values())


CLIENT_TYPES: Final = _for_clients()
