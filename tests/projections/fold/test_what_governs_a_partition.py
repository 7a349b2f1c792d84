"""Genesis, settings and the fold version are records; log time never goes back; what cannot be read is refused."""

import copy

import pytest
from tests.projections.fold.log import Log, a_contract, a_head, control_records
from tests.projections.fold.snapshot import snapshot

from farandole.eventstore import Record
from farandole.projections.fold import KNOWN_VERSION, Settings, UnknownFoldVersion, Verdict
from farandole.schemas.envelope import Kind


def test_the_first_genesis_counts() -> None:
    log = Log(genesis=False)
    assert log.genesis("mine", partitions=4, drain=7, no_such_setting=1).verdict is Verdict.ADMITTED
    assert log.genesis("another", drain=8).verdict is Verdict.SUPERSEDED
    fold = log.fold
    assert (fold.log_id, fold.made_of, fold.settings, fold.version) == ("mine", 4, Settings(drain=7), 1)


@pytest.mark.parametrize(
    "more", [{"log_id": ""}, {"log_id": "n" * 65}, {"version": 0}, {"drain": -1}, {"dedup_most": -1}]
)
def test_a_genesis_that_makes_no_sense_is_refused_and_the_next_counts(more: dict[str, int]) -> None:
    log = Log(genesis=False)
    assert log.genesis(**more).verdict is Verdict.UNREADABLE  # type: ignore[arg-type]
    assert log.fold.log_id is None
    assert log.genesis().verdict is Verdict.ADMITTED
    log.start()
    assert log.cancel().verdict is Verdict.ADMITTED


def test_until_its_genesis_a_log_goes_by_the_defaults() -> None:
    log = Log(genesis=False)
    log.start()
    log.cancel()
    assert log.start().verdict is Verdict.RUN_REMEMBERED
    log.genesis()
    assert log.start().verdict is Verdict.RUN_REMEMBERED


def test_a_setting_names_the_value_that_it_replaces() -> None:
    log = Log(kept=5)
    assert log.setting("kept", 7, replaces=64).verdict is Verdict.SUPERSEDED
    assert log.setting("kept", 7, replaces=5).verdict is Verdict.ADMITTED
    assert log.setting("kept", 8, replaces=5).verdict is Verdict.SUPERSEDED
    assert log.fold.settings.kept == 7


def test_a_setting_that_is_unknown_or_negative_is_refused() -> None:
    log = Log()
    assert log.setting("no_such_setting", 1, replaces=0).verdict is Verdict.SUPERSEDED
    assert log.setting("drain", -1).verdict is Verdict.UNREADABLE


def test_a_version_in_force_is_not_raised_to_itself() -> None:
    assert Log().version(1).verdict is Verdict.SUPERSEDED


@pytest.mark.parametrize("kind", [Kind.VERSION, Kind.GENESIS])
def test_a_reader_stops_before_rules_that_it_does_not_know_with_its_state_intact(kind: Kind) -> None:
    log = Log(genesis=kind is Kind.VERSION, **({"settle": 1000} if kind is Kind.VERSION else {}))
    log.contracts(a_contract("pay", "A"))
    log.start()
    before = copy.deepcopy(snapshot(log.fold))
    log.now += 10**6
    higher = KNOWN_VERSION + 1
    for _ in range(2):
        with pytest.raises(UnknownFoldVersion, match=f"version {higher} from offset {len(log.stored)} on"):
            _ = log.version(higher) if kind is Kind.VERSION else log.genesis(version=higher)
        assert snapshot(log.fold) == before


def test_a_second_genesis_of_a_higher_version_is_refused_like_any_other() -> None:
    assert Log().genesis(version=99).verdict is Verdict.SUPERSEDED


@pytest.mark.parametrize("kind", [Kind.GENESIS, Kind.SETTING, Kind.VERSION, Kind.CONTRACT])
@pytest.mark.parametrize("value", [None, b"", b"\xc3\x01", b"\xc3\x01" + bytes(8), b"nonsense of some length"])
def test_a_control_record_whose_content_cannot_be_read_is_refused(kind: Kind, value: bytes | None) -> None:
    log = Log(genesis=kind is not Kind.GENESIS)
    assert log.put(Record(None, value, a_head(kind))).verdict is Verdict.UNREADABLE


def test_a_release_is_always_admitted() -> None:
    log = Log()
    assert log.put(*control_records(Kind.RELEASED, {"member": "m"})).verdict is Verdict.ADMITTED


def test_a_record_with_headers_that_do_not_fit_is_refused_by_all() -> None:
    log = Log()
    for headers in ([], [("fa", b"")], [h for h in a_head(Kind.START) if h[0] != "ce_id"]):
        out = log.put(Record(b"r", b"", headers))
        assert (out.verdict, out.envelope) == (Verdict.UNREADABLE, None)
    assert log.fold.runs == {}


def test_log_time_never_goes_back() -> None:
    log = Log()
    log.now += 5000
    log.start()
    highest = log.now
    log.now -= 4000
    log.start(b"s")
    assert log.fold.log_time == highest
    assert log.run(b"s").touched == highest
    assert log.signal("S", not_after=highest - 1).verdict is Verdict.TOO_LATE
