"""A command is admitted once, and not after its time; what is remembered of it is bounded."""

import pytest
from tests.projections.fold.log import Log

from farandole.projections.fold import Verdict
from farandole.projections.fold.admission import COMMANDS
from farandole.schemas.envelope import Kind


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_a_command_without_a_time_is_refused(kind: int) -> None:
    log = Log()
    log.start()
    assert log.command(Kind(kind), not_after=0).verdict is Verdict.UNREADABLE


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_a_command_after_its_time_is_refused(kind: int) -> None:
    log = Log()
    log.start()
    for not_after in (log.now - 1, 1, -1, -(2**63)):
        assert log.command(Kind(kind), not_after=not_after).verdict is Verdict.TOO_LATE


def test_a_command_that_is_sent_again_acts_once() -> None:
    log = Log()
    log.start()
    assert log.signal("S", id=b"x-same").verdict is Verdict.ADMITTED
    assert log.signal("S", id=b"x-same").verdict is Verdict.REPEATED


def test_a_late_repeat_never_acts() -> None:
    log = Log()
    log.start()
    not_after = log.now + 100
    log.signal("S", id=b"x-same", not_after=not_after)
    for _ in range(3):
        log.now += 50
        assert log.signal("S", id=b"x-same", not_after=not_after).verdict.refused


def test_a_repeat_does_not_act_on_the_next_run_of_the_same_id() -> None:
    log = Log(dedup_window=0)
    log.start()
    log.command(Kind.CANCEL, id=b"x-same")
    log.now += 1
    log.start()
    assert log.command(Kind.CANCEL, id=b"x-same").verdict is Verdict.REPEATED
    assert b"r" in log.fold.runs


def test_a_command_that_was_refused_may_come_again() -> None:
    log = Log()
    log.start()
    assert log.command(Kind.RESUME, id=b"x-same").verdict is Verdict.NO_CHANGE
    log.command(Kind.PAUSE)
    assert log.command(Kind.RESUME, id=b"x-same").verdict is Verdict.ADMITTED


def test_ids_of_commands_are_forgotten_once_their_time_has_passed() -> None:
    log = Log()
    log.start()
    for _ in range(1000):
        log.now += 10
        log.signal("S", not_after=log.now + 100)
    assert len(log.fold.commands) == 11
    log.now += 101
    log.start(b"s")
    assert len(log.fold.commands) == 0
    assert list(log.fold.commands) == []
