"""Who is at work: what a run's state does not say, for it follows from the log alone, and processes come and go."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from farandole.eventstore import EventStore, StoreError
from farandole.projections.fold import RunStatus


async def members_of(store: EventStore, services: Iterable[str]) -> Mapping[str, int | None]:
    """How many processes of each service are at work; None where that cannot be learnt."""
    found: dict[str, int | None] = {}
    for service in services:
        try:
            members = await store.members(service)
        except StoreError:
            members = None
        found[service] = None if members is None else len(members)
    return found


async def with_workers(store: EventStore, statuses: Iterable[RunStatus]) -> list[RunStatus]:
    """Runs' states, each with the services that owe it a step and have no process at work."""
    wanted = list(statuses)
    alive = await members_of(store, {service for status in wanted for service in _owing(status)})
    idle = {service for service, members in alive.items() if members == 0}
    return [replace(s, without_worker=tuple(sorted(idle & set(_owing(s))))) if idle else s for s in wanted]


def _owing(status: RunStatus) -> list[str]:
    return [step.service for step in status.owed if step.service and not step.parked]
