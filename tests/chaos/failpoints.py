"""Points of a worker's way at which its process can be killed, by wrapping what the product calls there.

They live in the process of the test alone: the product has no hook for them. In the order in which a step meets them:

    before_handler   the handler is about to be called
    after_handler    it has returned, and nobody was told
    before_append    its outcome is about to be given to the store
    before_send      Kafka's client has made the request, and sends nothing of it
    unacknowledged   the broker has the outcome; its answer has come, and nobody has read it
    after_append     the store has said that the log has it
"""

import os
import signal
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Final

from aiokafka.producer.sender import SendProduceReqHandler

from checker.record import Kind, read_head
from farandole.eventstore import Record
from farandole.reactors.attempt import Attempts
from farandole.reactors.dispatch import Work
from farandole.reactors.outbox import Outbox
from farandole.reactors.plan import Plan
from farandole.reactors.reactor import Reactor

from .ledger import Ledger

POINTS: Final = (
    "before_handler",
    "after_handler",
    "before_append",
    "before_send",
    "unacknowledged",
    "after_append",
)

StepAt = tuple[str, str, str]
"""Reactor, run, trigger."""
Reach = Callable[[str, Sequence[StepAt]], None]
"""Told of a point, and of the steps that have come to it: several where their outcomes go to the log together."""

_at_work: ContextVar[Work] = ContextVar("at_work")


class Failpoint:
    """Kills this process with SIGKILL when it comes to a point for the nth time.

    Args:
        point: one of `POINTS`, or nothing.
    """

    def __init__(self, ledger: Ledger, point: str = "", nth: int = 0) -> None:
        self._ledger = ledger
        self._point = point
        self._left = nth

    def reach(self, point: str, steps: Sequence[StepAt]) -> None:
        if point != self._point:
            return
        self._left -= 1
        if self._left == 0:
            self._ledger.note("dies", point)
            die()


def die() -> None:
    """End this process with SIGKILL."""
    os.kill(os.getpid(), signal.SIGKILL)


def wrap(ledger: Ledger, reach: Reach) -> None:
    """Note each execution of a handler, and pass by the points."""
    make, call, append = Attempts.make, Attempts._call, Outbox._append
    plan = Plan.__init__
    create, answer = SendProduceReqHandler.create_request, SendProduceReqHandler.handle_response
    in_flight: dict[tuple[str, int], list[StepAt]] = {}
    """By topic and partition: an outbox has one append at a time on its way."""

    def plan_roundabout(self: Plan, *args: Any) -> None:
        plan(self, *args)
        self.direct = False  # else a handler without a time limit is called with no way past `Attempts._call`

    async def make_noted(self: Attempts, work: Work) -> None:
        _at_work.set(work)
        await make(self, work)

    async def call_noted(self: Attempts, reactor: Reactor, arguments: dict[str, Any], limit: Any) -> object:
        work = _at_work.get()
        step = (reactor.name, work.run.id.decode(), work.pair.trigger.decode())
        reach("before_handler", [step])
        ledger.note("begins", *step, str(work.attempt))
        result = await call(self, reactor, arguments, limit)
        ledger.note("ends", *step, str(work.attempt))
        reach("after_handler", [step])
        return result

    async def append_passing(self: Outbox, partition: int, records: Sequence[Record]) -> None:
        place = f"{getattr(self._store, 'choreography', '')}.events", partition
        in_flight[place] = steps = _of(records)
        reach("before_append", steps)
        try:
            await append(self, partition, records)
        finally:
            del in_flight[place]
        reach("after_append", steps)

    def on_the_way(handler: SendProduceReqHandler) -> list[StepAt]:
        return [step for place in handler._batches for step in in_flight.get((place.topic, place.partition), ())]

    def create_passing(self: SendProduceReqHandler) -> Any:
        request = create(self)
        reach("before_send", on_the_way(self))
        return request

    def answer_passing(self: SendProduceReqHandler, response: Any) -> None:
        reach("unacknowledged", on_the_way(self))
        answer(self, response)

    Attempts.make, Attempts._call, Outbox._append = make_noted, call_noted, append_passing  # type: ignore[method-assign]
    Plan.__init__ = plan_roundabout  # type: ignore[method-assign]
    SendProduceReqHandler.create_request = create_passing
    SendProduceReqHandler.handle_response = answer_passing


def _of(records: Sequence[Record]) -> list[StepAt]:
    """The steps whose outcomes these are."""
    heads = [(record.key, read_head(record.headers)) for record in records]
    return [
        (head.reactor.decode(), (run or b"").decode(), head.causation.decode())
        for run, head in heads
        if head is not None and head.kind == Kind.OUTCOME and head.index == 0
    ]
