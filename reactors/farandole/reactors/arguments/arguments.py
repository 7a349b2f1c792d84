"""All arguments of one call."""

from collections.abc import Sequence
from typing import Any

from farandole.eventstore import EventStore, Stored
from farandole.reactors.annotations import Trigger
from farandole.reactors.desk import Desk
from farandole.reactors.dispatch import Work
from farandole.reactors.live import Speaker
from farandole.reactors.outbox import Outbox
from farandole.reactors.plan import Plan
from farandole.reactors.scribe import Scribe
from farandole.reactors.stats import UsageStats
from farandole.reactors.values import Values
from farandole.schemas import EventTypes, UndecodableValue

from .context import run_of, state_of, step_of
from .events import EventReader
from .failures import failed
from .gathered import gathered
from .news import NEWS, news


class Arguments:
    """Reads what handlers are called with."""

    def __init__(
        self,
        choreography: str,
        store: EventStore,
        types: EventTypes,
        values: Values,
        scribe: Scribe,
        outbox: Outbox,
        usage: UsageStats,
        speaker: Speaker,
    ) -> None:
        self._choreography = choreography
        self._types = types
        self._reader = EventReader(store, types, values)
        self._speaker = speaker
        self._desk = Desk(scribe, outbox, self._reader, store.max_record_bytes, usage)

    def at_hand(self, plan: Plan, work: Work) -> dict[str, Any] | None:
        """The arguments, if the trigger just read is all that they need; the common case, kept short."""
        record = work.record
        if record is None or plan.simple is None or self._types.codec is not None:
            return None
        try:
            event = self._types.decode(work.pair.types[0].decode(), record.value or b"")
        except UndecodableValue:
            return None
        arguments = {**plan.provided, plan.simple: event}
        for name in plan.context:
            arguments[name] = step_of(self._choreography, work, self._desk, self._speaker)
        return arguments

    async def of(self, plan: Plan, work: Work) -> dict[str, Any]:
        """The arguments, whatever they are.

        Raises:
            UndecodableValue: what the step is owed for cannot be read by this process.
            StoreError: it cannot be read now.
        """
        signature, pair, reader = work.reactor.signature, work.pair, self._reader
        arguments = dict(plan.provided)
        (first, *_) = signature.triggers
        if first.form == "list":
            arguments[first.param] = await gathered(reader, work, first)
        elif pair.by_failure:
            records = await self._inputs(work, range(len(pair.inputs)))
            arguments[first.param] = await failed(reader, records, pair.types, plan.failures or ())
        else:
            places = plan.places(pair) or ()
            records = await self._inputs(work, places)
            for trigger, place, record in zip(signature.triggers, places, records, strict=True):
                arguments[trigger.param] = await self._taken(work, trigger, record, pair.types[place])
        for param, context in signature.context.items():
            if context.kind == "step":
                arguments[param] = step_of(self._choreography, work, self._desk, self._speaker)
            elif context.kind == "run":
                arguments[param] = await run_of(reader, work)
            else:
                arguments[param] = await state_of(reader, work, context.of[0])
        return arguments

    async def _taken(self, work: Work, trigger: Trigger, record: Stored, type: bytes) -> Any:
        if type.startswith(NEWS):
            return await news(self._reader, work.serving.fold.partition, record, type)
        event = await self._reader.event(record)
        if work.pair.generation and event.__class__ not in trigger.events:
            # Who asked for the step to be owed said so of another record.
            raise UndecodableValue(
                f"{work.reactor.where}: at offset {record.offset} stands a {event.__class__.__name__}, "
                "which it does not take"
            )
        return event

    async def _inputs(self, work: Work, places: Sequence[int]) -> Sequence[Stored]:
        record, inputs = work.record, [work.pair.inputs[place] for place in places]
        if record is not None and len(inputs) == 1 and inputs[0] == record.offset:
            return (record,)
        return await self._reader.records(work.serving.fold.partition, inputs)
