"""What a handler is given about its step and its run."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from farandole.eventstore import StoreError
from farandole.projections import State, fold_state
from farandole.reactors.desk import Desk, Report
from farandole.reactors.dispatch import Work
from farandole.reactors.history import HistoryIndex
from farandole.reactors.live import Speaker, Voice
from farandole.reactors.run import Run
from farandole.reactors.shown import shown, text
from farandole.reactors.step import Step
from farandole.reactors.substeps import RecordedSubsteps
from farandole.schemas import Event, acquaint
from farandole.schemas.ids import step_key

from .events import EventReader

T = TypeVar("T")


class HistoryUnavailable(StoreError):
    """The run's history cannot be read now, or not here any more. That is not the step's failure."""


def step_of(choreography: str, work: Work, desk: Desk, speaker: Speaker) -> Step:
    """What a handler is given about its step."""
    run, pair = work.run, work.pair
    return Step(
        step_key(run.id, run.start, pair.trigger, pair.reactor + b"\0undo" if pair.undoes else pair.reactor),
        work.attempt,
        run_id=text(run.id),
        event_id=text(pair.trigger),
        offset=max(pair.inputs, default=-1),
        partition=work.serving.fold.partition,
        reactor=work.reactor.name,
        choreography=choreography,
        report=Report(desk, work),
        substeps=RecordedSubsteps(desk, work),
        voice=Voice(speaker, work),
        cancellation=work,
    )


async def run_of(reader: EventReader, work: Work) -> Run[Any]:
    """What a handler is given about its run."""
    (start,) = await reader.records(work.serving.fold.partition, (work.run.offset,))
    return Run(text(work.run.id), await reader.event(start), RecordedHistory(reader, work))


async def state_of(reader: EventReader, work: Work, state: type[State]) -> State:
    """The run's state up to the trigger, for this handler alone."""
    history, states = RecordedHistory(reader, work), work.serving.states

    async def read(begin: int, end: int) -> tuple[Sequence[Event], int]:
        return await history.between(state.folds(), begin, end)

    end = history.count()
    if states is None:
        return fold_state(state, (await read(0, end))[0])
    return await states.get(work.run.id, state, end, read, still=history.here)


class RecordedHistory:
    """A run's history as the log has it, up to the trigger of one step.

    Raises:
        HistoryUnavailable: from each method, if the run is open here no longer, or the log cannot be read.
    """

    def __init__(self, reader: EventReader, work: Work) -> None:
        self._reader = reader
        self._work = work

    async def events(self, types: Sequence[type[Event]]) -> list[Event]:
        names = await self._names(types)
        found, _ = await self._read(lambda index, run_id: index.offsets(run_id, names, self._work.pair.inputs))
        return found

    async def between(self, types: Sequence[type[Event]], begin: int, end: int) -> tuple[list[Event], int]:
        """The run's events of these types, without the first ``begin`` of all of its events, up to number ``end``; and
        the bytes of their values.
        """
        names = await self._names(types)
        return await self._read(lambda index, run_id: index.between(run_id, names, begin, end))

    def count(self) -> int:
        """How many events the run has up to the trigger, of all types."""
        return self._look(lambda index, run_id: index.count(run_id, self._work.pair.inputs))

    def here(self) -> bool:
        """Whether the run is open here still; one of the same id may have been started since."""
        return self._work.serving.fold.runs.get(self._work.run.id) is self._work.run

    async def _names(self, types: Sequence[type[Event]]) -> Collection[bytes]:
        known = self._reader.types
        try:
            for event in types:
                await acquaint(self._reader.catalogue, known, event, reads=True)
        except StoreError as e:
            raise HistoryUnavailable(str(e)) from e
        return {known.wire_name(event).encode() for event in types or known}

    async def _read(self, look: Callable[[HistoryIndex, bytes], list[int] | None]) -> tuple[list[Event], int]:
        offsets = self._look(look)
        try:
            records = await self._reader.records(self._work.serving.fold.partition, offsets)
            size = sum([len(record.value or b"") for record in records])
            return [await self._reader.event(record) for record in records], size
        except StoreError as e:
            raise HistoryUnavailable(str(e)) from e

    def _look(self, look: Callable[[HistoryIndex, bytes], T | None]) -> T:
        work, index = self._work, self._work.serving.history
        try:
            found = look(index, work.run.id) if index is not None and self.here() else None
        except StoreError as e:
            raise HistoryUnavailable(str(e)) from e
        if found is None:
            raise HistoryUnavailable(
                f"run '{shown(work.run.id)}' ended or went to another worker while its handler worked"
            )
        return found
