"""Whoever may write the topic may write anything: no record stops a reader, and none costs more than its bytes."""

import random
import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.projections.fold.log import (
    END,
    Log,
    a_catcher,
    a_contract,
    a_failure,
    a_head,
    an_outcome,
    control_records,
)
from tests.projections.fold.snapshot import snapshot

from farandole.eventstore import Record, Stored
from farandole.projections.fold import KNOWN_VERSION, Fold, UnknownFoldVersion, Verdict, awaited, status_of
from farandole.schemas import system_records
from farandole.schemas.envelope import Header, Kind, unpack


def valid_records() -> tuple[Log, list[Record]]:
    """A log with something of everything in it, and records of every kind that could come next."""
    log = Log(settle=500, expire_after=10, kept=3, join_most=2)
    log.contracts(a_contract("pay", "A"), a_contract("join", "B", "C"), a_catcher("refuse", of=["none"]))
    for run in (b"a", b"b", b"c"):
        log.start(run)
    log.failure(log.pair("pay", b"a"), run=b"a")
    log.outcome(log.pair("pay", b"b"), "A", "B", "Odd", run=b"b")
    log.now += 1
    pair, parked = log.pair("pay", b"c"), log.pair("pay", b"a")
    soon = {"not_after": log.now + 1000}
    owe = {"causation": pair.trigger, "reactor": b"pay", "extra": bytes(8) + b"t.A"}
    return log, [
        *an_outcome(b"c", pair, "A", "B", flags=END),
        *an_outcome(b"c", pair),
        a_failure(b"c", pair, last=False),
        a_failure(b"c", pair),
        Record(b"d", b"", a_head(Kind.START)),
        Record(b"a", b"", a_head(Kind.RETRY, causation=parked.parked, **soon)),
        Record(b"b", b"", a_head(Kind.OWE, **owe, **soon)),
        *(Record(b"b", b"", a_head(kind, **soon)) for kind in (Kind.SIGNAL, Kind.PAUSE, Kind.RESUME, Kind.CANCEL)),
        Record(b"a", b"", a_head(Kind.EXPIRE)),
        *control_records(Kind.CONTRACT, log.replacing(a_contract("pay", "A|B")), a_contract("new", "Odd")),
        *control_records(Kind.CONTRACT, log.replacing(a_contract("knot", "C", "B", "D", renames="join"))),
        *control_records(Kind.CONTRACT, log.replacing(a_contract("pay", "A", state="retired_drop"))),
        *control_records(Kind.SETTING, {"name": "kept", "value": 1, "replaces": 3}),
        *control_records(Kind.GENESIS, {"log_id": "z", "partitions": 1, "fold_version": 1, "settings": {"kept": 2}}),
        *control_records(Kind.VERSION, {"version": 1}),
        *control_records(Kind.RELEASED, {"member": "m"}),
    ]


def apply(fold: Fold, record: Record, offset: int, time: int) -> None:
    """Fold one record, which may raise only where the log goes by rules that are not known."""
    stored = Stored(0, offset, time, record.key, record.value, record.headers)
    before = (fold.position, fold.log_time, fold.digest)
    try:
        out = fold.apply(stored)
    except UnknownFoldVersion:
        kind = unpack(record.headers).kind
        schema = system_records.VERSION if kind == Kind.VERSION else system_records.GENESIS
        content = schema.decode(record.value)
        assert content["version" if kind == Kind.VERSION else "fold_version"] > KNOWN_VERSION
        assert (fold.position, fold.log_time, fold.digest) == before
        return
    assert isinstance(out.verdict, Verdict)
    for run in fold.runs.values():
        assert run.parked == sum(bool(pair.parked) for pair in run.owed.values())
        status_of(fold, run)
        awaited(fold, run)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The bytes with something changed, cut out, put in, cut off or added."""
    at = rng.randrange(len(data) + 1)
    choice = rng.randrange(6)
    if choice == 0:
        return data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at:]
    if choice == 1:
        return data[:at] + data[at + rng.randrange(1, 9) :]
    if choice == 2:
        return data[:at]
    if choice == 3:
        return data + rng.randbytes(rng.randrange(1, 40))
    some = rng.choice([b"\xff", b"\x00", b"\x7f", b"\x80", b"\x01", rng.randbytes(1)]) * rng.choice([1, 1, 1, 4, 8])
    return data[:at] + some + data[at + len(some) :]


def a_mutant(records: Sequence[Record], rng: random.Random) -> Record:
    key, value, headers = rng.choice(records)
    headers = list(headers)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        choice = rng.randrange(10)
        if choice == 0 and headers:
            del headers[rng.randrange(len(headers))]
        elif choice == 1 and headers:
            headers.append(rng.choice(headers))
        elif choice < 4 and value is not None:
            value = mutated(value, rng)
        elif headers:
            at = (
                rng.randrange(len(headers))
                if choice == 4
                else max(range(len(headers)), key=lambda i: len(headers[i][1]))
            )
            headers[at] = (headers[at][0], mutated(headers[at][1], rng))
    if rng.randrange(8) == 0:
        key = rng.choice([None, b"", b"a", b"b", b"c", rng.randbytes(rng.randrange(300))])
    if rng.randrange(20) == 0:
        value = rng.choice([None, b"", rng.randbytes(rng.randrange(200))])
    return Record(key, value, headers)


@pytest.mark.parametrize("seed", range(20))
def test_ten_thousand_mutants_of_valid_records_stop_no_reader(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(10):
        log, records = valid_records()
        fold, time = log.fold, log.now
        for i in range(50):
            time += rng.choice([0, 0, 1, 100, -50])
            apply(fold, a_mutant(records, rng), len(log.stored) + i, time)


a_name = st.sampled_from(["ce_id", "ce_type", "ce_source", "fa", "ce_specversion", "traceparent"])
some_headers: st.SearchStrategy[list[Header]] = st.lists(st.tuples(a_name, st.binary(max_size=120)), max_size=8)


@settings(max_examples=1000, deadline=None, print_blob=True)
@given(
    headers=some_headers,
    packed=st.binary(min_size=62, max_size=140),
    kind=st.sampled_from([int(kind) for kind in Kind]),
    key=st.one_of(st.none(), st.binary(max_size=4), st.sampled_from([b"a", b"b", b"c"])),
    value=st.one_of(st.none(), st.binary(max_size=60)),
)
def test_no_bytes_stop_a_reader(
    headers: list[Header], packed: bytes, kind: int, key: bytes | None, value: bytes | None
) -> None:
    log = Log(genesis=False)
    log.start(b"a")
    apply(log.fold, Record(key, value, headers), 1, log.now)
    whole = [("ce_id", b"x1"), ("ce_type", b"t.A"), ("ce_source", b"/"), ("fa", b"\x01" + bytes([kind]) + packed)]
    apply(log.fold, Record(key, value, whole), 2, log.now)
    short = bytes([1, kind]) + packed[:62] + bytes(7)
    apply(log.fold, Record(key, value, [*whole, ("fa", short)]), 3, log.now)


def test_what_is_refused_costs_no_memory() -> None:
    rng = random.Random(1)
    log, records = valid_records()
    fold = log.fold
    refused: list[Stored] = []
    while len(refused) < 2000:
        record = a_mutant(records, rng)
        stored = Stored(0, fold.position, log.now, record.key, record.value, record.headers)
        before = snapshot(fold)
        try:
            verdict = fold.apply(stored).verdict
        except UnknownFoldVersion:
            continue
        if verdict.refused:
            refused.append(stored)
            of_no_matter = {"digest": 0, "position": 0, "frames": 0}
            assert {**snapshot(fold), **of_no_matter} == {**before, **of_no_matter}
    tracemalloc.start()
    try:
        for stored in refused:
            fold.apply(stored)
        assert tracemalloc.get_traced_memory()[0] < 200_000
    finally:
        tracemalloc.stop()


def test_a_reader_goes_on_after_all_that() -> None:
    log, records = valid_records()
    rng = random.Random(7)
    for _ in range(300):
        record = a_mutant(records, rng)
        if record.key not in (b"c", None):
            apply(log.fold, record, log.fold.position, log.now)
    assert log.fold.apply(
        Stored(0, log.fold.position, log.now, *an_outcome(b"c", log.pair("pay", b"c"), "Done", flags=END)[0])
    ).closed


@pytest.mark.parametrize("size", [1, 1000, 100_000])
def test_long_lists_in_control_records_are_read_in_the_time_of_their_bytes(size: int) -> None:
    log = Log()
    many = {**a_contract("pay", "A"), "takes": [[f"t.{i}" for i in range(size)]]}
    value = system_records.CONTRACT.encode(many)
    out = log.put(Record(None, value, a_head(Kind.CONTRACT)))
    assert out.verdict in (Verdict.ADMITTED, Verdict.UNREADABLE)
