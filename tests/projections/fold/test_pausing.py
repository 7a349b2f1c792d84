"""A pause binds what is begun, never what is admitted."""

from tests.projections.fold.log import Log, a_contract, reactors

from farandole.projections.fold import Verdict
from farandole.schemas.envelope import Kind


def test_a_paused_run_is_paused_until_it_is_resumed() -> None:
    log = Log()
    log.start()
    assert log.command(Kind.RESUME).verdict is Verdict.NO_CHANGE
    assert log.command(Kind.PAUSE).verdict is Verdict.ADMITTED
    assert log.run().paused
    assert log.command(Kind.PAUSE).verdict is Verdict.NO_CHANGE
    assert log.command(Kind.RESUME).verdict is Verdict.ADMITTED
    assert not log.run().paused


def test_a_resume_owes_what_is_not_parked() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"), a_contract("log", "A"))
    log.start()
    log.failure(log.pair("log"))
    log.command(Kind.PAUSE)
    assert reactors(log.command(Kind.RESUME)) == ["pay"]


def test_a_paused_run_takes_everything() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    log.start()
    log.command(Kind.PAUSE)
    assert log.signal("A").verdict is Verdict.ADMITTED
    assert log.failure(log.pairs("pay")[0]).verdict is Verdict.ADMITTED
    assert log.cancel().verdict is Verdict.ADMITTED
