"""Fan-outs and fan-ins: each branch gives once or ends, and the fold knows at which record the last one has."""

import pytest
from tests.projections.fold.log import FINAL, Log, a_catcher, a_contract, an_outcome, reactors, wire

from farandole.projections.fold import FAILURE, NOTHING, Verdict, awaited
from farandole.schemas.ids import derived_id

FANS = {"gives": [{"form": "list", "types": ["t.B"]}]}


def a_log(*contracts: dict[str, object], **settings: int) -> Log:
    """A log with a reactor that splits, one that works, and whoever gathers; with a run that has just begun."""
    log = Log(**settings)
    log.contracts(a_contract("split", "A", **FANS), a_contract("work", "B"), *contracts)
    log.start()
    return log


def gather(*takes: str, **more: object) -> dict[str, object]:
    content = a_contract("gather", "C", form="list", **{"each": "t.B", **more})
    content["takes"][0] += takes
    return content


def test_a_fan_in_fires_once_each_branch_has_given() -> None:
    log = a_log(gather())
    log.fan_out(log.pair("split"), "B", "B", "B")
    third, first, second = (log.pairs("work")[n] for n in (2, 0, 1))
    assert reactors(log.outcome(third, "C")) == []
    assert reactors(log.outcome(first, "C")) == []
    assert reactors(log.outcome(second, "C")) == ["gather"]
    assert log.pair("gather").types == (wire("C"),) * 3


def test_what_it_gathers_is_in_the_order_of_the_branches() -> None:
    log = a_log(gather())
    log.fan_out(log.pair("split"), "B", "B")
    first, second = log.pairs("work")
    at = log.outcome(second, "C").offset
    log.outcome(first, "C")
    assert log.pair("gather").inputs == (at + 1, at)


def test_its_trigger_is_the_fan_out() -> None:
    log = a_log(gather())
    split = log.pair("split")
    log.fan_out(split, "B")
    log.outcome(log.pair("work"), "C")
    assert log.pair("gather").trigger == derived_id(split.trigger, b"split", b"", 0)


def test_a_branch_may_end_without_giving() -> None:
    log = a_log(gather())
    log.fan_out(log.pair("split"), "B", "B")
    first, second = log.pairs("work")
    log.outcome(first, "C")
    assert reactors(log.outcome(second)) == ["gather"]
    assert len(log.pair("gather").inputs) == 1


def test_a_fan_out_of_none_is_gathered_at_once() -> None:
    log = a_log(gather())
    split = log.pair("split")
    assert reactors(log.fan_out(split, begins=["B"])) == ["gather"]
    assert log.pair("gather").inputs == split.inputs
    assert log.pair("gather").types == (NOTHING,)


def test_an_event_may_be_the_gift_of_the_branch_that_it_begins() -> None:
    log = a_log(a_contract("count", "B", form="list", each="t.B"))
    assert reactors(log.fan_out(log.pair("split"), "B", "B")) == ["count", "work", "work"]


def test_a_branch_gives_once() -> None:
    log = a_log(gather())
    log.fan_out(log.pair("split"), "B", "B")
    first, second = log.pairs("work")
    log.outcome(first, "C", "C")
    assert not log.pairs("gather")
    log.outcome(second, "C")
    assert len(log.pair("gather").inputs) == 2


def test_a_list_of_other_events_is_not_gathered() -> None:
    log = a_log(gather())
    log.fan_out(log.pair("split"), "D", begins=["D"])
    assert log.owed() == []


def test_an_event_at_the_root_is_no_gift() -> None:
    log = a_log(gather())
    log.fan_out(log.pair("split"), "B")
    log.signal("C")
    assert log.owed() == ["work"]


def test_fan_outs_nest_and_the_inner_one_holds_its_branch() -> None:
    log = a_log(
        a_contract("cut", "C", gives=[{"form": "list", "types": ["t.D"]}]),
        a_contract("do", "D"),
        a_contract("inner", "E", form="list", each="t.D"),
        a_contract("outer", "F", form="list", each="t.B"),
    )
    log.fan_out(log.pair("split"), "B")
    log.outcome(log.pair("work"), "C")
    log.fan_out(log.pair("cut"), "D", "D")
    for pair in log.pairs("do"):
        assert not log.pairs("outer")
        log.outcome(pair, "E")
    assert log.owed() == ["inner"]
    log.outcome(log.pair("inner"), "F")
    assert log.owed() == ["outer"]


def test_an_event_of_an_inner_branch_is_no_gift_to_the_outer_fan_in() -> None:
    log = a_log(gather(), a_contract("cut", "D", gives=[{"form": "list", "types": ["t.C"]}]))
    log.fan_out(log.pair("split"), "B")
    log.outcome(log.pair("work"), "D")
    log.fan_out(log.pair("cut"), "C")
    assert log.pair("gather").types == (NOTHING,)


def test_a_parked_step_holds_its_branch_until_it_is_retried() -> None:
    log = a_log(gather())
    log.fan_out(log.pair("split"), "B")
    log.failure(log.pair("work"))
    assert log.owed() == ["work"]
    log.retry(log.pair("work").parked)
    assert reactors(log.outcome(log.pair("work"), "C")) == ["gather"]


def test_a_failure_is_a_gift_where_failures_are_taken() -> None:
    log = a_log(gather("failed:t.B"))
    log.fan_out(log.pair("split"), "B")
    work = log.pair("work")
    out = log.failure(work)
    assert reactors(out) == ["gather"]
    assert log.owed() == ["gather"]
    assert log.pair("gather").inputs == (out.offset, work.inputs[0])
    assert log.pair("gather").types == (FAILURE, wire("B"))


def test_a_failure_goes_to_who_takes_it_alone_too() -> None:
    log = a_log(gather("failed:"), a_catcher("mend"))
    log.fan_out(log.pair("split"), "B")
    assert reactors(log.failure(log.pair("work"))) == ["gather", "mend"]


def test_a_failure_of_another_reactor_than_wanted_is_no_gift() -> None:
    log = a_log(gather("failed:", of=["other"]))
    log.fan_out(log.pair("split"), "B")
    log.failure(log.pair("work"))
    assert log.pair("work").parked


def test_enough_is_enough_and_the_rest_runs_on_unread() -> None:
    log = a_log(gather(enough=2))
    log.fan_out(log.pair("split"), "B", "B", "B")
    first, second, third = log.pairs("work")
    log.outcome(third, "C")
    assert reactors(log.outcome(first, "C")) == ["gather"]
    log.outcome(log.pair("gather"))
    assert reactors(log.outcome(second, "C")) == []


def test_two_fan_ins_gather_of_one_fan_out() -> None:
    log = a_log(gather(), a_contract("also", "D", form="list", each="t.B"))
    log.fan_out(log.pair("split"), "B")
    assert reactors(log.outcome(log.pair("work"), "C")) == ["also", "gather"]
    assert log.pair("also").types == (NOTHING,)


class TestWithin:
    def log(self, *takes: str) -> tuple[Log, bytes]:
        log = a_log(gather(*takes, within=100))
        log.fan_out(log.pair("split"), "B", "B")
        fan_out = log.pairs("work")[0].trigger
        log.outcome(log.pairs("work")[0], "C")
        return log, fan_out

    def test_it_has_its_time(self) -> None:
        log, fan_out = self.log()
        assert log.expire_fan_in(fan_out, "gather").verdict is Verdict.NOT_DUE
        assert log.expire_fan_in(fan_out, "nobody").verdict is Verdict.NOT_PENDING
        assert log.expire_fan_in(b"nothing", "gather").verdict is Verdict.NOT_PENDING

    def test_what_is_missing_is_a_failure_where_failures_are_taken(self) -> None:
        log, fan_out = self.log("failed:")
        log.now += 100
        out = log.expire_fan_in(fan_out, "gather")
        assert reactors(out) == ["gather"]
        late = log.pair("work")
        assert log.pair("gather").types == (wire("C"), FAILURE, wire("B"))
        assert log.pair("gather").inputs[1:] == (out.offset, late.inputs[0])
        log.outcome(log.pair("gather"))
        assert reactors(log.outcome(late, "C")) == []

    def test_else_the_step_fails_and_a_retry_makes_do(self) -> None:
        log, fan_out = self.log()
        log.now += 100
        log.expire_fan_in(fan_out, "gather")
        pair = log.pair("gather")
        assert (pair.attempts, bool(pair.parked), pair.types) == (1, True, (wire("C"),))
        assert reactors(log.retry(pair.parked)) == ["gather"]

    def test_it_is_told_once(self) -> None:
        log, fan_out = self.log()
        log.now += 100
        log.expire_fan_in(fan_out, "gather")
        assert log.expire_fan_in(fan_out, "gather").verdict is Verdict.NOT_PENDING


class TestTheEnd:
    def test_a_fan_in_still_fires_after_it(self) -> None:
        log = a_log(gather())
        log.fan_out(log.pair("split"), "B", "B")
        first, second = log.pairs("work")
        log.outcome(first, "E", flags=1)
        assert reactors(log.outcome(second, "C")) == ["gather"]

    def test_but_not_far_from_it(self) -> None:
        log = a_log(gather(), drain=0)
        log.fan_out(log.pair("split"), "B")
        log.signal("E", flags=1)
        assert reactors(log.outcome(log.pair("work"), "C")) == ["gather"]
        assert log.pair("gather").types == (NOTHING,)

    def test_a_loop_of_fan_outs_has_an_end(self) -> None:
        log = a_log(a_contract("again", "D", form="list", each="t.B"), a_contract("more", "E", **FANS), drain=2)
        log.signal("Z", flags=1)
        log.fan_out(log.pair("split"), begins=["B"])
        log.outcome(log.pair("again"), "E")
        log.fan_out(log.pair("more"), begins=["B"])
        assert b"r" not in log.fold.runs

    @pytest.mark.parametrize("how", ["cancel", "final"])
    def test_what_drops_drops_all_of_it(self, how: str) -> None:
        log = a_log(gather())
        log.fan_out(log.pair("split"), "B", "B")
        if how == "cancel":
            log.cancel()
        else:
            log.outcome(log.pairs("work")[0], "C", "E", flags=FINAL)
        assert b"r" not in log.fold.runs


class TestContracts:
    def test_a_first_one_gathers_what_is_there_while_settling(self) -> None:
        log = Log(settle=1000)
        log.contracts(a_contract("split", "A", **FANS))
        log.start()
        log.fan_out(log.pair("split"), "B", "B")
        assert log.owed() == []
        log.contracts(a_contract("work", "B"), gather())
        assert log.owed() == ["work", "work"]
        for pair in log.pairs("work"):
            log.outcome(pair, "C")
        assert len(log.pair("gather").inputs) == 2

    def test_a_first_one_has_what_was_given_before(self) -> None:
        log = Log(settle=1000)
        log.contracts(a_contract("split", "A", **FANS), a_contract("work", "B"))
        log.start()
        log.fan_out(log.pair("split"), "B", "B")
        log.outcome(log.pairs("work")[0], "C")
        log.outcome(log.pairs("work")[0])
        assert reactors(log.contracts(gather())) == ["gather"]
        assert log.pair("gather").types == (wire("C"),)

    def test_once_settled_what_has_ended_is_past(self) -> None:
        log = a_log()
        log.fan_out(log.pair("split"), "B")
        log.outcome(log.pair("work"), "C")
        assert reactors(log.contracts(gather())) == []

    def test_another_shape_lets_go_of_what_it_does_not_take(self) -> None:
        log = a_log(gather())
        log.fan_out(log.pair("split"), "B", "B")
        log.outcome(log.pairs("work")[0], "C")
        log.contracts({**gather(), "takes": [["t.D"]]})
        log.outcome(log.pair("work"), "D")
        assert log.pair("gather").types == (wire("D"),)

    def test_another_name_goes_on(self) -> None:
        log = a_log(gather())
        log.fan_out(log.pair("split"), "B")
        log.contracts({**gather(), "reactor": "collect", "renames": "gather"})
        assert reactors(log.outcome(log.pair("work"), "C")) == ["collect"]

    def test_retired_it_gathers_no_more(self) -> None:
        log = a_log(gather())
        log.fan_out(log.pair("split"), "B")
        log.contracts(gather(state="retired_drop"))
        assert reactors(log.outcome(log.pair("work"), "C")) == []


class TestJoins:
    def test_they_stay_in_their_branch(self) -> None:
        log = a_log(a_contract("join", "C", "D"))
        log.fan_out(log.pair("split"), "B", "B")
        first, second = log.pairs("work")
        log.outcome(first, "C")
        assert reactors(log.outcome(second, "D")) == []

    def test_of_an_enclosing_branch_they_take_the_latest_and_never_use_it_up(self) -> None:
        log = a_log(a_contract("join", "C", "S"))
        log.signal("S")
        latest = log.signal("S").offset
        log.fan_out(log.pair("split"), "B", "B")
        for pair in log.pairs("work"):
            log.outcome(pair, "C")
        assert [pair.inputs[1] for pair in log.pairs("join")] == [latest, latest]

    def test_they_wait_for_a_first_one(self) -> None:
        log = a_log(a_contract("join", "C", "S", signals=["t.S"]))
        log.fan_out(log.pair("split"), "B", "B")
        for pair in log.pairs("work"):
            log.outcome(pair, "C")
        assert log.owed() == []
        assert reactors(log.signal("S")) == ["join", "join"]

    def test_one_that_waits_keeps_its_run(self) -> None:
        log = a_log(a_contract("join", "C", "S", signals=["t.S"]), expire_after=10)
        log.fan_out(log.pair("split"), "B")
        log.outcome(log.pair("work"), "C")
        log.now += 100
        assert log.expire().verdict is Verdict.NOT_DUE

    def test_one_that_can_still_be_completed_from_around_holds_its_branch(self) -> None:
        log = a_log(
            gather(), a_contract("slow", "A", gives=[{"form": "one", "types": ["t.S"]}]), a_contract("join", "D", "S")
        )
        log.fan_out(log.pair("split"), "B", "B")
        for pair in log.pairs("work"):
            log.outcome(pair, "D")
        assert log.owed() == ["slow"]
        assert reactors(log.outcome(log.pair("slow"), "S")) == ["join", "join"]
        for pair in log.pairs("join"):
            log.outcome(pair, "C")
        assert log.pair("gather").types == (wire("C"), wire("C"))

    def test_and_no_longer_once_nothing_can_come(self) -> None:
        log = a_log(
            gather(), a_contract("slow", "A", gives=[{"form": "one", "types": ["t.S"]}]), a_contract("join", "D", "S")
        )
        log.fan_out(log.pair("split"), "B")
        log.outcome(log.pair("work"), "D")
        assert reactors(log.outcome(log.pair("slow"))) == ["gather"]
        assert reactors(log.signal("S")) == []

    def test_what_only_the_own_branch_could_give_holds_nothing(self) -> None:
        log = a_log(gather(), a_contract("join", "D", "E"), a_contract("other", "F"))
        log.fan_out(log.pair("split"), "B")
        log.signal("F")
        assert reactors(log.outcome(log.pair("work"), "D")) == ["gather"]
        assert not log.run().half_full

    def test_nor_does_what_follows_from_the_fan_in(self) -> None:
        log = a_log(gather(gives=[{"form": "one", "types": ["t.S"]}]), a_contract("join", "D", "S"))
        log.fan_out(log.pair("split"), "B")
        assert reactors(log.outcome(log.pair("work"), "D")) == ["gather"]

    def test_what_is_of_no_branch_below_does_not_join_there(self) -> None:
        log = a_log(a_contract("join", "S", "T"))
        log.signal("S")
        log.fan_out(log.pair("split"), "B")
        assert log.owed() == ["work"]


def test_records_of_a_fan_out_may_come_out_of_order() -> None:
    log = a_log(gather())
    first, second, third = an_outcome(b"r", log.pair("split"), "B", "B", "B", branches=["B"])
    log.put(third, first, second)
    assert [pair.branch.index for pair in log.pairs("work") if pair.branch] == [0, 1, 2]


def test_what_a_join_in_a_branch_waits_for_is_told_once() -> None:
    log = a_log(a_contract("join", "C", "S", signals=["t.S"]))
    log.fan_out(log.pair("split"), "B", "B")
    for pair in log.pairs("work"):
        log.outcome(pair, "C")
    (told,) = awaited(log.fold, log.run())
    assert (told.reactor, told.types, told.signal) == ("join", ("t.S",), True)
