"""What the campaign measures is what it says."""

from .awaited import BegunAnew, taken_over
from .crew import Death
from .ledger import Note


def begins(at: int, pid: int) -> Note:
    return Note(at, "m", pid, "begins", ("dig", "r", "x"))


def test_a_step_is_taken_over_from_a_worker_that_died_while_it_had_it_and_not_before_or_afterwards() -> None:
    again = [BegunAnew(begins(1_000, 7), begins(9_500, 8))]

    def after(*deaths: int, pid: int = 7) -> list[float]:
        return taken_over(again, [Death("s", "m", pid, at) for at in deaths])

    assert after(2_000) == [7.5]
    assert after(500, 2_000, 30_000) == [7.5]
    assert after(30_000) == []
    assert after(2_000, pid=8) == []
