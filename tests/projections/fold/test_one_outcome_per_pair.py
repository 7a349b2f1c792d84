"""What has no admitted outcome is owed. The first complete outcome is admitted; all later ones are refused."""

from tests.projections.fold.log import Log, a_contract, an_outcome, reactors

from farandole.projections.fold import Verdict


def a_log() -> Log:
    log = Log()
    log.contracts(a_contract("pay", "A"), a_contract("ship", "B"), a_contract("tell", "B"))
    log.start()
    return log


def test_an_event_is_owed_to_every_reactor_that_takes_it() -> None:
    log = a_log()
    assert reactors(log.outcome(log.pair("pay"), "B")) == ["ship", "tell"]


def test_an_outcome_discharges_its_pair_and_no_other() -> None:
    log = a_log()
    log.outcome(log.pair("pay"), "B")
    out = log.outcome(log.pair("ship"), "C")
    assert [pair.reactor for _, pair in out.settled] == [b"ship"]
    assert log.owed() == ["tell"]


def test_the_second_outcome_of_a_pair_is_refused() -> None:
    log = a_log()
    pair = log.pair("pay")
    assert log.outcome(pair, "B").verdict is Verdict.ADMITTED
    second = log.outcome(pair, "B", "B")
    assert second.verdict is Verdict.NOT_OWED
    assert not second.admitted
    assert log.owed() == ["ship", "tell"]


def test_the_same_bytes_appended_twice_count_once() -> None:
    log = a_log()
    records = an_outcome(b"r", log.pair("pay"), "B")
    assert log.put(*records).verdict is Verdict.ADMITTED
    assert log.put(*records).verdict is Verdict.NOT_OWED


def test_an_outcome_of_a_pair_that_was_never_owed_is_refused() -> None:
    log = a_log()
    pair = log.pair("pay")
    pair_of_another = an_outcome(b"r", pair, "B")
    log.start(b"s")
    assert log.put(*[record._replace(key=b"s") for record in pair_of_another]).verdict is Verdict.NOT_OWED


def test_an_outcome_of_no_events_is_one_record_and_discharges_its_pair() -> None:
    log = a_log()
    out = log.outcome(log.pair("pay"))
    assert (out.verdict, out.admitted, out.owed) == (Verdict.ADMITTED, [], [])
    assert log.owed() == []


def test_an_event_that_nobody_takes_owes_nothing() -> None:
    log = a_log()
    assert log.outcome(log.pair("pay"), "Z").owed == []


def test_an_outcome_is_admitted_in_a_paused_run() -> None:
    log = a_log()
    log.command(kind=7)  # type: ignore[arg-type]  # the number of a pause
    assert log.outcome(log.pair("pay"), "B").verdict is Verdict.ADMITTED


def test_an_outcome_of_a_closed_run_finds_no_run() -> None:
    log = a_log()
    pair = log.pair("pay")
    log.cancel()
    assert log.outcome(pair, "B").verdict is Verdict.NO_RUN


def test_an_event_with_the_id_of_one_that_is_owed_does_not_replace_it() -> None:
    log = a_log()
    pair = log.pair("pay")
    parked = log.failure(pair)
    forged = log.signal("A", id=pair.trigger)
    assert (parked.verdict, forged.verdict) == (Verdict.ADMITTED, Verdict.ADMITTED)
    assert log.pair("pay") is pair
    assert log.run().parked == 1
