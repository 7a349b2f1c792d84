"""What one record did to the state: what the worker, the client and every projection act on."""

from farandole.schemas.envelope import Envelope

from .contracts import Contract
from .run import Fact, Pair, Result, Run
from .verdict import Verdict


class Applied:
    """The effects of one record, in the order in which the fold made them."""

    __slots__ = ("admitted", "closed", "contracts", "envelope", "owed", "result", "run", "settled", "verdict")

    def __init__(self) -> None:
        self.verdict = Verdict.ADMITTED
        self.envelope: Envelope | None = None
        """The record's headers; None if they cannot be read."""
        self.run: Run | None = None
        """The run that the record belongs to, as it is now; it may just have been closed."""
        self.admitted: list[Fact] = []
        """Events that entered the run's history with this record."""
        self.owed: list[tuple[Run, Pair]] = []
        """Pairs to work on, each no earlier than its ``due``: newly owed, owed again, or due for another attempt."""
        self.settled: list[tuple[Run, Pair]] = []
        """Pairs owed no longer: discharged, parked or dropped."""
        self.result = Result.NONE
        """Set when this record fixed the run's result."""
        self.closed: list[Run] = []
        """Runs that left the fold."""
        self.contracts: tuple[Contract, ...] = ()
        """Contracts that came into force with this record."""
