"""Retrying a parked step with another event in the place of one that it took."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from farandole.eventstore import Record
from farandole.projections.fold import OwedStep, Verdict
from farandole.schemas import Event, IncompatibleSchema, acquaint

from .errors import CommandRefused

if TYPE_CHECKING:
    from .client import Client


async def edited(client: "Client", run_id: str, parked: Sequence[OwedStep], event: Event, why: str, by: str) -> Record:
    """The record that owes the parked step that took an event of this type anew, with this event.

    Of several steps of one reactor it is the one that was owed first; the others stay as they are.

    Raises:
        CommandRefused: there is none.
        IncompatibleSchema: others could not read what this class would write.
        ValueError: there are steps of several reactors.
    """
    try:
        await acquaint(client.store.catalogue, client.scribe.types, type(event))
    except IncompatibleSchema as e:
        raise IncompatibleSchema(
            f"{type(event).__name__} can only be read as it is declared here; retry with a class of it that has all fields "
            f"that its writer gives it. {e}"
        ) from e
    name = client.scribe.types.wire_name(type(event))
    steps = [step for step in parked if name in step.trigger_types]
    if not steps:
        took = ", ".join(sorted({type for step in parked for type in step.trigger_types})) or "nothing is parked"
        raise CommandRefused(
            f"run '{run_id}': no parked step took a {type(event).__name__}, so there is none to retry with it ({took})",
            Verdict.NOT_PARKED,
        )
    if len(reactors := sorted({step.reactor for step in steps})) > 1:
        raise ValueError(
            f"run '{run_id}': parked steps of {', '.join(reactors)} took a {type(event).__name__}; say which by reactor="
        )
    step = min(steps, key=lambda step: step.since)
    return client.scribe.edited(
        run_id.encode(), step.parked.encode(), step.trigger_types.index(name), event, client.not_after("10m"),
        by=by, why=why,
    )  # fmt: skip
