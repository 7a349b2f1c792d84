"""`Failed`: the final failure of a step is an event for those who take it, and the step is then handled."""

import pytest
from tests.projections.fold.log import END, Log, a_catcher, a_contract, reactors

from farandole.projections.fold import Verdict


def a_log(*catchers: object, takes: tuple[str, ...] = ("A",), **settings: int) -> Log:
    log = Log(**settings)
    log.contracts(a_contract("pay", *takes), *catchers)  # type: ignore[arg-type]
    log.start()
    return log


def test_the_last_failure_is_owed_to_a_reactor_that_takes_failures() -> None:
    log = a_log(a_catcher("refuse", "A"))
    pair = log.pair("pay")
    out = log.failure(pair)
    assert reactors(out) == ["refuse"]
    assert log.owed() == ["refuse"]
    assert out.settled[0][1] is pair
    assert log.run().parked == 0


def test_it_is_given_the_failure_and_what_the_failed_step_took() -> None:
    log = Log()
    log.contracts(a_contract("both", "A", "B"), a_catcher("refuse"))
    start = len(log.stored)
    log.start()
    log.signal("B")
    log.failure(log.pair("both"))
    pair = log.pair("refuse")
    assert pair.inputs == (start + 2, start, start + 1)
    assert pair.types == (b"t.A", b"t.B")


def test_a_failure_that_is_not_the_last_is_owed_to_nobody() -> None:
    log = a_log(a_catcher("refuse", "A"))
    assert reactors(log.failure(log.pair("pay"), last=False)) == ["pay"]


@pytest.mark.parametrize(
    ("catcher", "caught"),
    [
        (a_catcher("c"), True),
        (a_catcher("c", "A"), True),
        (a_catcher("c", "A|B"), True),
        (a_catcher("c", "B"), False),
        (a_catcher("c", of=["pay"]), True),
        (a_catcher("c", of=["ship"]), False),
        (a_catcher("c", "A", of=["pay"]), True),
        (a_catcher("c", "B", of=["pay"]), False),
        (a_catcher("c", state="retired_keep"), False),
    ],
)
def test_of_and_the_types_narrow_it(catcher: object, caught: bool) -> None:
    log = a_log(catcher)
    log.failure(log.pair("pay"))
    assert log.owed() == (["c"] if caught else ["pay"])


def test_several_reactors_of_failures_are_owed_the_same_failure() -> None:
    log = a_log(a_catcher("refuse"), a_catcher("tell", "A"), a_catcher("other", "B"))
    assert reactors(log.failure(log.pair("pay"))) == ["refuse", "tell"]


@pytest.mark.parametrize("catcher", [a_catcher("refuse"), a_catcher("refuse", of=["refuse"])])
def test_the_failure_of_a_reactor_of_failures_is_caught_by_nobody(catcher: object) -> None:
    log = a_log(catcher, a_catcher("last", of=["refuse"]), takes=("A",))
    log.failure(log.pair("pay"))
    if not log.pairs("refuse"):
        return
    log.failure(log.pair("refuse"))
    assert log.pair("refuse").parked
    assert log.owed() == ["refuse"]


def test_an_outcome_of_the_failed_step_comes_too_late_once_the_failure_is_handled() -> None:
    log = a_log(a_catcher("refuse"))
    pair = log.pair("pay")
    failure = log.failure(pair).admitted[0].id
    assert log.outcome(pair, "B").verdict is Verdict.NOT_OWED
    assert log.retry(failure).verdict is Verdict.NOT_PARKED


def test_a_reactor_of_failures_ends_the_run_like_any_other() -> None:
    log = a_log(a_catcher("refuse"))
    log.failure(log.pair("pay"))
    assert len(log.outcome(log.pair("refuse"), "Refused", flags=END).closed) == 1


def test_beyond_the_hops_of_a_drain_a_failure_parks_even_if_somebody_takes_failures() -> None:
    log = Log(drain=0)
    log.contracts(a_contract("pay", "A"), a_contract("ship", "A"), a_catcher("refuse"))
    log.start()
    log.outcome(log.pair("pay"), "Done", flags=END)
    assert log.failure(log.pair("ship")).verdict is Verdict.ADMITTED
    assert log.pair("ship").parked
    assert b"r" in log.fold.runs


def an_either(*takes: str, **more: object) -> dict[str, object]:
    """The contract of a reactor of events and of failures: ``an_either("B", "failed:t.A")``."""
    names = [take if ":" in take else f"t.{take}" for take in takes]
    return {**a_contract("go_on", "B", form="either", **more), "takes": [names]}


def test_a_reactor_of_events_or_failures_is_owed_either() -> None:
    log = a_log(an_either("B", "failed:t.A"))
    log.failure(log.pair("pay"))
    pair = log.pair("go_on")
    assert pair.by_failure
    assert pair.types == (b"t.A",)
    assert len(pair.inputs) == 2
    log.outcome(pair)
    log.signal("B")
    assert not log.pair("go_on").by_failure


@pytest.mark.parametrize(
    ("failed", "caught"), [("failed:t.A", True), ("failed:", True), ("failed:t.B", False), ("C", False)]
)
def test_the_types_of_its_failures_narrow_it(failed: str, caught: bool) -> None:
    log = a_log(an_either("B", failed))
    log.failure(log.pair("pay"))
    assert log.owed() == (["go_on"] if caught else ["pay"])


def test_its_own_failures_are_caught_by_nobody_whatever_it_was_owed_for() -> None:
    log = a_log(an_either("B", "failed:t.A"), a_catcher("any"))
    log.signal("B")
    log.failure(log.pair("go_on"))
    assert log.pair("go_on").parked
    assert "any" not in log.owed()
