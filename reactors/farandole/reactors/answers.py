"""What a worker does about the log's answers to what it wrote: contracts in force or not, outcomes that are not whole."""

from farandole.projections.fold import Applied
from farandole.schemas.envelope import Envelope, Kind

from .dispatch import Dispatcher
from .partition import Serving
from .publish import Publisher
from .scribe import Scribe
from .values import Values


class Answers:
    """Acts on what was folded, in the partitions of one worker.

    Args:
        publisher: writes the contracts that a partition lacks, and knows its answer to them.
    """

    def __init__(self, publisher: Publisher, dispatcher: Dispatcher, values: Values, scribe: Scribe) -> None:
        self._publisher = publisher
        self._dispatcher = dispatcher
        self._values = values
        self._scribe = scribe

    def contracts(self, serving: Serving, out: Applied) -> None:
        """What follows from contracts that came into force, and from the log's answer to ours."""
        for contract in out.contracts:
            if contract.renames:
                self._dispatcher.moved(contract.renames)
        if (self._publisher.answered(serving, out) or out.contracts) and serving.restored:
            self.take_on(serving)

    def held(self, serving: Serving, out: Applied, e: Envelope) -> None:
        """The last record of an outcome of ours that is not whole: its first ones were pushed out by other appends.

        The log has it all, and so nobody would ever append it again.
        """
        if e.kind == Kind.OUTCOME and e.index == e.count - 1 and out.run is not None:
            pair = out.run.owed.get((e.causation, e.reactor, e.generation))
            work = None if pair is None else self._dispatcher.at_work(pair)
            if work is not None and work.again is not None and work.made == e.append:
                work.again()

    def take_on(self, serving: Serving) -> None:
        """Write the contracts that the partition lacks, and take on all that is owed to reactors of ours."""
        self._publisher.publish(serving)
        now = max(self._scribe.now() // 1000, serving.fold.log_time)
        for run in serving.fold.runs.values():
            for pair in run.owed.values():
                if not pair.parked and pair.reactor in serving.served:
                    self._values.expect(serving.fold.partition, pair.inputs)
                    self._dispatcher.offer(serving, run, pair, None, now)
