"""A reactor's contract, as its service publishes it: what the code declares, as a record."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from farandole.projections.fold import MOST_CONTRACT, MOST_TOGETHER, Contract
from farandole.schemas import DeclarationError, EventTypes, event_info, system_records

from .naming import names_of
from .reactor import Reactor


def contract_of(
    reactor: Reactor, types: EventTypes, *, service: str, version: str = "", owner: str = "", each: str = ""
) -> Contract:
    """The contract of one reactor.

    Args:
        each: of a fan-in, the event of the fan-out that it gathers, where it does not say so itself.
    """
    signature, options = reactor.signature, reactor.options
    signals = [
        types.wire_name(event)
        for trigger in signature.triggers
        for event in trigger.events
        if event_info(event).kind == "signal"
    ]
    content: dict[str, Any] = {
        "reactor": reactor.name,
        "service": service,
        "version": version,
        "owner": owner,
        "takes": [names_of(trigger, types) for trigger in signature.triggers],
        "forms": [trigger.form for trigger in signature.triggers],
        "signals": sorted(signals),
        "of": [options.of] if options.of else [],
        "each": types.wire_name(options.each) if options.each else each,
        "gives": [
            {"form": member.shape, "types": [types.wire_name(event) for event in dict.fromkeys(member.all_events())]}
            for member in signature.gives.members
        ],
        "unless": [types.wire_name(event) for event in options.unless],
        "ordered": options.ordered,
        "compensates": options.compensate is not None,
        "enough": options.enough or 0,
        "within": _milliseconds(options.within),
        "deadline": _milliseconds(options.deadline),
        "state": "active",
        "renames": "",
        "replaces": "",
    }
    made = Contract.read(content)
    if (size := len(system_records.CONTRACT.encode(content))) > MOST_CONTRACT:
        raise DeclarationError(
            f"{reactor.where}: its contract is of {size} bytes, and a log takes {MOST_CONTRACT}; let it take and return "
            "fewer events"
        )
    return made


def _milliseconds(duration: timedelta | None) -> int:
    return 0 if duration is None else int(duration / timedelta(milliseconds=1))


def retired(contract: Contract, *, drop: bool) -> dict[str, Any]:
    """The record that retires a contract in force: its reactor subscribes to nothing any more.

    Args:
        drop: whether what it owes is dropped, or kept for whoever still serves it.
    """
    state = "retired_drop" if drop else "retired_keep"
    return {**contract.content, "state": state, "renames": "", "replaces": contract.id}


def contracts_of(
    reactors: Iterable[Reactor],
    types: EventTypes,
    *,
    service: str,
    version: str = "",
    owner: str = "",
    each: Mapping[str, str] | None = None,
) -> dict[bytes, tuple[Reactor, Contract]]:
    """The reactors of a service with their contracts, by name.

    Args:
        each: the events of the fan-outs that fan-ins gather, by reactor, where they do not say so themselves.

    Raises:
        DeclarationError: there are more, or larger ones, than a log takes.
    """
    made = {
        r.name.encode(): (
            r,
            contract_of(
                r, types, service=service, version=version, owner=owner, each=each.get(r.name, "") if each else ""
            ),
        )
        for r in reactors
    }
    if len(made) > MOST_TOGETHER:
        raise DeclarationError(f"service '{service}' has {len(made)} reactors, and a log takes {MOST_TOGETHER} of one")
    return made
