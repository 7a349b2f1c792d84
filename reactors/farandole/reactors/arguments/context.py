"""What a handler is given about its step and its run."""

from collections.abc import Sequence
from typing import Any

from farandole.eventstore import PositionLost, StoreError
from farandole.reactors.desk import Desk, Report
from farandole.reactors.dispatch import Work
from farandole.reactors.run import Run
from farandole.reactors.scribe import shown, text
from farandole.reactors.step import Step
from farandole.reactors.substeps import RecordedSubsteps
from farandole.schemas import Event, acquaint
from farandole.schemas.ids import step_key

from .events import EventReader


class HistoryUnavailable(StoreError):
    """The run's history cannot be read now, or not here any more. That is not the step's failure."""


def step_of(choreography: str, work: Work, desk: Desk) -> Step:
    """What a handler is given about its step."""
    run, pair = work.run, work.pair
    return Step(
        step_key(run.id, run.start, pair.trigger, pair.reactor),
        work.attempt,
        run_id=text(run.id),
        event_id=text(pair.trigger),
        offset=max(pair.inputs),
        reactor=work.reactor.name,
        choreography=choreography,
        report=Report(desk, work),
        substeps=RecordedSubsteps(desk, work),
        cancellation=work,
    )


async def run_of(reader: EventReader, work: Work) -> Run[Any]:
    """What a handler is given about its run."""
    (start,) = await reader.records(work.serving.fold.partition, (work.run.offset,))
    return Run(text(work.run.id), await reader.event(start), RecordedHistory(reader, work))


async def state_of(reader: EventReader, work: Work, state: type[Any]) -> Any:
    """The run's state up to the trigger."""
    raise NotImplementedError(state)


class RecordedHistory:
    """A run's history as the log has it, up to the trigger of one step."""

    def __init__(self, reader: EventReader, work: Work) -> None:
        self._reader = reader
        self._work = work

    async def events(self, types: Sequence[type[Event]]) -> list[Event]:
        work, reader = self._work, self._reader
        known, index = reader.types, work.serving.history
        try:
            for event in types:
                await acquaint(reader.catalogue, known, event)
            names = {known.wire_name(event).encode() for event in types or known}
            # A run of the same id may have been started since, once this one was closed and no longer remembered.
            here = work.serving.fold.runs.get(work.run.id) is work.run
            offsets = index.offsets(work.run.id, names, work.pair.inputs) if index is not None and here else None
            if offsets is None:
                raise PositionLost(
                    f"run '{shown(work.run.id)}' ended or went to another worker while its handler worked"
                )
            records = await reader.records(work.serving.fold.partition, offsets)
            return [await reader.event(record) for record in records]
        except StoreError as e:
            raise HistoryUnavailable(str(e)) from e
