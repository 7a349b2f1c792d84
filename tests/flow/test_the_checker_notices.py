"""A judge that finds nothing wrong must be one that would: logs with something wrong in them, one fault each."""

import secrets
from collections.abc import Sequence

import pytest

from checker import Catalogue, Examination, Raw, examine
from farandole.eventstore import Record, partition_of
from farandole.projections.fold import Pair
from farandole.reactors.genesis import genesis_of
from farandole.reactors.scribe import Scribe
from farandole.schemas import End, Event, EventTypes, Start, system_records
from farandole.schemas.envelope import Header, Kind


class Begun(Start):
    x: int = 1


class Done(End):
    pass


TYPES = EventTypes("dance", [Begun, Done])
SCRIBE = Scribe("dance", "steps", TYPES, lambda: 0)
TABLE = {
    b"schema/%d" % n: b'{"fingerprint":"%s","schema":%s}' % (fingerprint.hex().encode(), json.encode())
    for n, (fingerprint, json) in enumerate(
        [*TYPES.own_schemas().items(), *((s.fingerprint, s.schema_json) for s in system_records.SYSTEM_RECORDS)]
    )
}
RUN = next(key for n in range(99) if partition_of(key := b"run-%d" % n, 1) == 0)


def a_contract(**more: object) -> list[Record]:
    content = {"reactor": "dance", "service": "steps", "takes": [["dance.Begun"]], "forms": ["event"], "gives": []}
    return SCRIBE.control(Kind.CONTRACT, [{**content, **more}])


def a_log(*records: Record) -> list[Raw]:
    """One partition, a millisecond a record."""
    return [Raw(0, offset, 1000 + offset, *record) for offset, record in enumerate(records)]


def a_run(events: Sequence[Event] = (Done(),)) -> tuple[Record, list[Record]]:
    start = SCRIBE.start(RUN, Begun())
    trigger = dict(start.headers)["ce_id"]
    return start, list(SCRIBE.outcome(RUN, Pair(trigger, b"dance", b"", (1,), (b"dance.Begun",), 0), events).records)


def examined(*records: Record) -> Examination:
    return examine([a_log(*records)], TABLE)


def with_header(record: Record, name: str, value: bytes) -> Record:
    headers: list[Header] = [(n, value if n == name else v) for n, v in record.headers]
    return record._replace(headers=headers)


def test_a_whole_run_has_nothing_wrong() -> None:
    start, outcome = a_run()
    assert examined(*a_contract(), start, *outcome).problems == []


def test_a_step_that_was_never_done_is_noticed() -> None:
    start, _ = a_run()
    (problem,) = examined(*a_contract(), start).problems
    assert "is open, and owes dance of x" in problem


def test_contracts_of_one_append_are_expected_to_come_into_force_together() -> None:
    one, other = SCRIBE.control(
        Kind.CONTRACT,
        [
            {"reactor": reactor, "service": "steps", "takes": [["dance.Begun"]], "forms": ["event"], "gives": []}
            for reactor in ("late", "later")
        ],
    )
    (genesis,) = genesis_of(1, SCRIBE, log_id="l")
    start, outcome = a_run()
    # A start between the two pieces, in a log that keeps no event for reactors to come, is owed to neither.
    log = [
        raw._replace(time=raw.time + (raw.offset > 1) * 10**9)
        for raw in a_log(genesis, *a_contract(), one, start, other, *outcome)
    ]
    assert examine([log], TABLE).problems == []


def test_a_torn_outcome_is_noticed() -> None:
    start, outcome = a_run([Done(), Done()])
    assert examined(*a_contract(), start, outcome[0]).problems


def test_an_outcome_with_another_id_than_the_derived_one_is_noticed() -> None:
    start, outcome = a_run()
    problems = examined(*a_contract(), start, with_header(outcome[0], "ce_id", secrets.token_hex(16).encode())).problems
    assert any("has not the id that derives" in problem for problem in problems)


def test_a_value_that_its_schema_does_not_explain_is_noticed() -> None:
    start, outcome = a_run()
    spoilt = start._replace(value=(start.value or b"") + b"!")
    (problem,) = examined(*a_contract(), spoilt, *outcome).problems
    assert "bytes are left over" in problem


def test_a_value_of_another_type_than_the_header_says_is_noticed() -> None:
    start, outcome = a_run()
    (problem,) = examined(*a_contract(), start, outcome[0]._replace(value=start.value)).problems
    assert "the header names the schema" in problem


def test_a_schema_under_another_s_fingerprint_is_noticed() -> None:
    (fingerprint, json), *_ = TYPES.own_schemas().items()
    table = {b"schema/a": b'{"fingerprint":"%s","schema":%s}' % (fingerprint[::-1].hex().encode(), json.encode())}
    assert "the fingerprint is" in Catalogue(table).wrong[0]


@pytest.mark.parametrize("times", [2, 3])
def test_second_copies_of_an_outcome_are_refused_and_counted(times: int) -> None:
    start, outcome = a_run()
    found = examined(*a_contract(), start, *outcome * times)
    assert found.problems == []
    assert {verdict.name: count for verdict, count in found.verdicts.items()} == {"ADMITTED": 3, "NO_RUN": times - 1}
