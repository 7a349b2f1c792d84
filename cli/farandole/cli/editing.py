"""The input of a parked step, with some of its fields changed."""

from farandole.projections.fold import UNDO, OwedStep, RunStatus
from farandole.reactors.client import Client
from farandole.schemas import Event

from .errors import CliError
from .payload import changed
from .words import short


async def edited_input(
    client: Client, status: RunStatus, text: str, *, reactor: str | None, event: str | None
) -> Event:
    """What the one parked step took, with other values in the fields that are given.

    Args:
        text: JSON of the fields that change; or ``@file``, or ``-`` for stdin.
        reactor: whose step, if several are parked.
        event: which event, if the step took several: its name, with or without the choreography's.

    Raises:
        CliError: it is not clear which step or event is meant, or the fields do not fit it.
    """
    steps = [s for s in status.owed if s.parked and reactor in (None, s.reactor) and s.generation != UNDO.decode()]
    if not steps:
        raise CliError(
            f"no step{f' of {reactor}' if reactor else ''} is parked that could be retried with another input"
        )
    if len(steps) > 1:
        raise CliError(f"several steps are parked ({', '.join(s.reactor for s in steps)}); say which by --reactor")
    (step,) = steps
    place = _place(step, event)
    (record,) = await client.store.fetch(status.partition, (step.inputs[place],))
    before = await client.decode(record)
    return changed(before, short(step.trigger_types[place]), text)


def _place(step: OwedStep, event: str | None) -> int:
    """Which of the events that a step took is meant."""
    names = [short(type) for type in step.trigger_types]
    if event is None:
        if len(names) > 1:
            raise CliError(f"{step.reactor} took several events ({', '.join(names)}); say which by --event")
        return 0
    if short(event) not in names:
        raise CliError(f"{step.reactor} took no {event}, but {', '.join(names)}")
    return names.index(short(event))
