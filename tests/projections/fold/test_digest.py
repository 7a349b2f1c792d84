"""Two readers of one log have one digest; one that judged otherwise has another."""

from tests.projections.fold.log import END, Log, a_contract

from controls import a_record
from farandole.projections.fold import Fold, Verdict
from farandole.projections.fold.digest import EMPTY, roll


def a_log() -> Log:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    log.start()
    log.start()
    log.outcome(log.pair("pay"), "Done", flags=END)
    return log


def test_equal_logs_have_equal_digests() -> None:
    log = a_log()
    again = Fold(0, 1)
    for record in log.stored:
        again.apply(record)
    assert again.digest == log.fold.digest


def test_every_prefix_has_a_digest_of_its_own() -> None:
    fold, seen = Fold(0, 1), {EMPTY}
    records = a_log().stored
    for record in records:
        fold.apply(record)
        seen.add(fold.digest)
    assert len(seen) == len(records) + 1


def test_another_verdict_another_append_and_another_offset_make_another_digest() -> None:
    append = bytes(range(16))
    digests = {roll(EMPTY, 5, append, verdict) for verdict in Verdict}
    assert len(digests) == len(Verdict)
    assert roll(EMPTY, 5, append, 0) not in {roll(EMPTY, 6, append, 0), roll(EMPTY, 5, append[::-1], 0)}


def test_the_digest_is_the_one_that_the_protocol_gives() -> None:
    word = 0x000102030405060708090A0B0C0D0E0F + 256 * 5 + 23
    expected = (0xCBF29CE484222325 * 0x3FFFFFDD + word) % 0xFFFFFFFFFFFFFFC5
    assert roll(EMPTY, 5, bytes(range(16)), Verdict.NOT_OWED) == expected


def test_what_once_differs_differs_after_any_number_of_equal_records() -> None:
    one, other = roll(EMPTY, 0, bytes(16), Verdict.ADMITTED), roll(EMPTY, 0, bytes(16), Verdict.NOT_OWED)
    for offset in range(1, 1000):
        append = offset.to_bytes(16, "little")
        one, other = roll(one, offset, append, Verdict.ADMITTED), roll(other, offset, append, Verdict.ADMITTED)
        assert one != other


def test_a_record_that_cannot_be_read_counts_with_an_append_of_zeros() -> None:
    log = Log(genesis=False)
    log.put(a_record())
    assert log.fold.digest == roll(EMPTY, 0, bytes(16), Verdict.UNREADABLE)
