"""A worker says that it is at work, and others wait; a claim that lapsed is a worker lost, which has a limit."""

from tests.projections.fold.log import END, Log, a_catcher, a_contract, a_head, reactors

from farandole.eventstore import Record
from farandole.projections.fold import Applied, Verdict, status_of
from farandole.schemas.envelope import Kind

ANN, BOB = b"ann" + bytes(13), b"bob" + bytes(13)
LEASE = 30_000


def a_log(**settings: int) -> Log:
    log = Log(**settings)
    log.contracts(a_contract("pay", "A"))
    log.start()
    return log


def tell(log: Log, kind: Kind, reactor: str = "pay", **more: object) -> Applied:
    pair = log.pair(reactor)
    head = a_head(kind, causation=pair.trigger, reactor=pair.reactor, generation=pair.generation, **more)
    return log.put(Record(b"r", b"never read", head))


def claim(log: Log, holder: bytes = ANN, lease: int = LEASE, reactor: str = "pay") -> Verdict:
    return tell(log, Kind.CLAIM, reactor, extra=holder, delay=lease).verdict


def lose(log: Log, holder: bytes = ANN, reactor: str = "pay") -> Applied:
    return tell(log, Kind.LOST, reactor, extra=holder)


def until_lapsed(log: Log) -> None:
    work = log.pair("pay").work
    assert work is not None
    log.now = work.until + 1


def test_one_claim_stands_at_a_time() -> None:
    log = a_log()
    assert [claim(log), claim(log, BOB), claim(log)] == [Verdict.ADMITTED, Verdict.CLAIMED, Verdict.ADMITTED]


def test_a_claim_stands_until_its_time_is_over_by_log_time() -> None:
    log = a_log()
    claim(log)
    log.now += LEASE
    assert claim(log, BOB) is Verdict.CLAIMED
    log.now += 1
    assert claim(log, BOB) is Verdict.ADMITTED


def test_its_holder_renews_it() -> None:
    log = a_log()
    claim(log)
    log.now += LEASE
    claim(log)
    log.now += LEASE
    assert claim(log, BOB) is Verdict.CLAIMED
    assert status_of(log.fold, log.run()).owed[0].claimed_until == log.now


def test_a_lease_is_no_longer_than_the_setting() -> None:
    log = a_log(lease_most=10)
    claim(log)
    log.now += 11
    assert claim(log, BOB) is Verdict.ADMITTED


def test_a_claim_of_no_time_lets_go() -> None:
    log = a_log()
    claim(log)
    assert claim(log, BOB, lease=0) is Verdict.CLAIMED
    assert reactors(tell(log, Kind.CLAIM, extra=ANN, delay=0)) == ["pay"]
    assert claim(log, ANN, lease=-1) is Verdict.NOT_PENDING
    assert (status_of(log.fold, log.run()).owed[0].lost, claim(log, BOB)) == (0, Verdict.ADMITTED)


def test_a_holder_has_a_name_of_16_bytes() -> None:
    log = a_log()
    assert [claim(log, b"ann"), claim(log, b"")] == [Verdict.UNREADABLE] * 2


def test_claims_bind_nobodys_outcome() -> None:
    log = a_log()
    claim(log)
    assert log.outcome(log.pair("pay"), "Done", flags=END).verdict is Verdict.ADMITTED


def test_a_failure_ends_the_claim() -> None:
    log = a_log()
    claim(log)
    log.failure(log.pair("pay"), last=False)
    assert lose(log).verdict is Verdict.NOT_PENDING
    assert claim(log, BOB) is Verdict.ADMITTED


def test_a_step_that_is_parked_or_not_owed_is_not_claimed() -> None:
    log = a_log()
    pair = log.pair("pay")
    claim(log)
    log.failure(pair)
    log.now += LEASE + 1
    assert (claim(log), lose(log).verdict) == (Verdict.LATE, Verdict.LATE)
    assert tell(log, Kind.PROGRESS).verdict is Verdict.ADMITTED
    head = a_head(Kind.PROGRESS, causation=pair.trigger, reactor=b"ship")
    assert log.put(Record(b"r", b"", head)).verdict is Verdict.NOT_OWED


def test_a_claim_is_lost_only_once_it_lapsed() -> None:
    log = a_log()
    assert lose(log).verdict is Verdict.NOT_PENDING
    claim(log)
    assert (lose(log).verdict, lose(log, BOB).verdict) == (Verdict.NOT_DUE, Verdict.NOT_PENDING)
    until_lapsed(log)
    out = lose(log)
    assert (out.verdict, reactors(out), log.pair("pay").attempts) == (Verdict.ADMITTED, ["pay"], 0)
    assert lose(log).verdict is Verdict.NOT_PENDING


def test_losses_beyond_the_limit_park_the_step_and_are_counted_apart_from_attempts() -> None:
    log = a_log(lost_most=2)
    pair = log.pair("pay")
    for _ in range(2):
        claim(log)
        until_lapsed(log)
        assert not pair.parked
        out = lose(log)
    assert (pair.parked, pair.attempts, pair.overflowed) == (out.admitted[0].id, 0, False)
    assert (reactors(out), status_of(log.fold, log.run()).status) == ([], "failed")


def test_a_retry_begins_to_count_losses_anew() -> None:
    log = a_log(lost_most=1)
    pair = log.pair("pay")
    for _ in range(3):
        claim(log)
        until_lapsed(log)
        lose(log)
        assert reactors(log.retry(pair.parked)) == ["pay"]
    assert pair.work is not None and pair.work.lost == 0


def test_whoever_takes_failures_takes_the_last_loss() -> None:
    log = Log(lost_most=1)
    log.contracts(a_contract("pay", "A"), a_catcher("refuse", "A"))
    log.start()
    claim(log)
    until_lapsed(log)
    out = lose(log)
    assert (reactors(out), log.owed()) == (["refuse"], ["refuse"])
    assert log.pair("refuse").inputs[0] == out.offset


def test_a_reactor_with_a_new_name_owes_what_nobody_claims() -> None:
    log = a_log()
    claim(log)
    until_lapsed(log)
    lose(log)
    claim(log)
    log.contracts(a_contract("charge", "A", renames="pay"))
    assert claim(log, BOB, reactor="charge") is Verdict.ADMITTED
    assert status_of(log.fold, log.run()).owed[0].lost == 1
