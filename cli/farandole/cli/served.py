"""What `doctor` finds about who serves what: the contracts of all partitions beside each other, and the app's own."""

from collections import Counter
from collections.abc import Mapping, Sequence

from farandole.eventstore.finding import Finding
from farandole.projections.fold import Fold
from farandole.reactors.alive import members_of
from farandole.reactors.claims import claimed
from farandole.reactors.client import Client
from farandole.reactors.contract import contracts_of
from farandole.reactors.graph import graph_of, inferred

from .running import Target


async def in_force(client: Client, folds: Sequence[Fold]) -> list[Finding]:
    """Who serves the log's reactors, and where that is not the same service everywhere."""
    serving: dict[str, Counter[str]] = {}
    """Of each reactor, in how many partitions each service serves it."""
    for fold in folds:
        for contract in fold.contracts:
            if contract.active:
                serving.setdefault(contract.reactor.decode(), Counter())[contract.service] += 1
    services: dict[str, set[str]] = {}
    for name, by in serving.items():
        for service in by:
            services.setdefault(service, set()).add(name)
    at_work = await members_of(client.store, sorted(services))
    found = [_service(service, sorted(services[service]), alive) for service, alive in at_work.items()]
    if not services:
        found.append(
            Finding("services", "warning", "no contract is in force: nobody serves this log", "start a worker")
        )
    return [*found, *_split(serving, len(folds))]


def _service(name: str, reactors: Sequence[str], alive: int | None) -> Finding:
    serves = f"serves {', '.join(reactors)}"
    if alive is None:
        return Finding(f"service {name}", "ok", f"{serves}; who is at work is not known to this user")
    if not alive:
        cure = "start one with the app of this service: farandole work APP"
        return Finding(f"service {name}", "warning", f"{serves}; no process is at work", cure)
    return Finding(f"service {name}", "ok", f"{serves}; {alive} process{'es'[: 2 * (alive != 1)]} at work")


def _split(serving: Mapping[str, Counter[str]], partitions: int) -> list[Finding]:
    """What is not served by the same service in every partition."""
    found = []
    for name, by in sorted(serving.items()):
        if len(by) > 1:
            said = ", ".join(f"by {service} in {count}" for service, count in by.most_common())
            cure = "start the one that shall have it with all of its reactors: farandole work --take-over"
            found.append(Finding(f"reactor {name}", "error", f"served {said} partitions", cure))
    partial: dict[str, list[str]] = {}
    for name, by in sorted(serving.items()):
        if len(by) == 1 and by.total() < partitions:
            partial.setdefault(next(iter(by)), []).append(name)
    found += [
        Finding(
            "contracts",
            "warning",
            f"of {service}, not in force in every partition: {', '.join(names)}",
            f"start workers of {service} that have {_them(names)}, and stop those that have not, so that they come to own "
            "all partitions",
        )
        for service, names in sorted(partial.items())
    ]
    return found


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


async def may_serve(target: Target, client: Client) -> list[Finding]:
    """Whether the app's reactors could come into force here."""
    choreography = target.choreography
    mine = contracts_of(
        choreography.reactors,
        client.scribe.types,
        service=choreography.service,
        each=inferred(graph_of(choreography)),
    )
    if not mine:
        return []
    others: dict[str, set[str]] = {}
    for fold in (client.follower.fold(p) for p in range(client.store.partitions)):
        for c in (c for c in fold.contracts if c.active and c.reactor in mine):
            others.setdefault(c.reactor.decode(), set()).add(c.service)
    for name, service in claimed(await client.store.catalogue.load()).items():
        if name.encode() in mine:
            others.setdefault(name, set()).add(service)
    elsewhere = {name: by - {choreography.service} for name, by in others.items() if by - {choreography.service}}
    if elsewhere:
        said = ", ".join(f"{name} by {' and '.join(sorted(by))}" for name, by in sorted(elsewhere.items()))
        return [Finding("app", "error", f"served elsewhere: {said}", "rename them, or farandole work --take-over")]
    return [
        Finding("app", "ok", f"service {choreography.service} may serve its {len(mine)} reactor{'s'[: len(mine) != 1]}")
    ]
