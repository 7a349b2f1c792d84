"""Starting a run twice makes one run, while it is open or remembered."""

from hashlib import blake2b

import pytest
from tests.projections.fold.log import END, Log

from farandole.eventstore import partition_of
from farandole.projections.fold import RunState, Verdict
from farandole.projections.fold.closed import Bucket, ClosedIds


def closed_run(log: Log, run: bytes = b"r") -> None:
    log.start(run)
    log.cancel(run)


def test_a_start_opens_a_run() -> None:
    log = Log()
    assert log.start().verdict is Verdict.ADMITTED
    assert log.run().state is RunState.OPEN


def test_a_second_start_of_an_open_run_is_refused_and_tells_which_start_opened_it() -> None:
    log = Log()
    log.start(id=b"x-first")
    out = log.start(id=b"x-second")
    assert out.verdict is Verdict.RUN_EXISTS
    assert out.run is not None
    assert out.run.start == b"x-first"


def test_a_start_of_a_closed_run_is_refused_while_it_is_remembered() -> None:
    log = Log(dedup_window=1000)
    closed_run(log)
    log.now += 1000
    assert log.start().verdict is Verdict.RUN_REMEMBERED


def test_a_closed_run_can_be_started_anew_after_the_window() -> None:
    log = Log(dedup_window=1000)
    closed_run(log)
    log.now += 1001
    assert log.start().verdict is Verdict.ADMITTED


def test_a_start_after_its_time_is_refused() -> None:
    log = Log()
    assert log.start(not_after=log.now - 1).verdict is Verdict.TOO_LATE
    assert log.start(not_after=log.now).verdict is Verdict.ADMITTED


def test_a_start_without_a_run_id_is_refused() -> None:
    assert Log().start(b"").verdict is Verdict.UNREADABLE


def test_a_start_in_the_wrong_partition_is_refused() -> None:
    log = Log(partition=0, partitions=2)
    elsewhere = next(key for i in range(99) if partition_of(key := b"r%d" % i, 2) == 1)
    assert log.start(elsewhere).verdict is Verdict.MISROUTED
    assert log.signal("S", elsewhere).verdict is Verdict.MISROUTED


def test_a_start_whose_id_no_outcome_could_name_is_refused() -> None:
    log = Log()
    assert log.start(id=b"x" * 256).verdict is Verdict.UNREADABLE
    assert log.start(id=b"x" * 255).verdict is Verdict.ADMITTED


def test_a_start_that_is_an_end_closes_its_run_at_once() -> None:
    log = Log()
    out = log.start(flags=END)
    assert [run.id for run in out.closed] == [b"r"]
    assert log.start().verdict is Verdict.RUN_REMEMBERED


def test_the_oldest_closed_runs_are_forgotten_a_bucket_at_a_time_when_there_are_too_many() -> None:
    log = Log(dedup_most=48)
    for i in range(49):
        closed_run(log, b"r%d" % i)
    assert len(log.fold.closed) == 47  # buckets hold two: the first of them went when the 49th came
    assert log.start(b"r1").verdict is Verdict.ADMITTED
    assert log.start(b"r2").verdict is Verdict.RUN_REMEMBERED


def test_a_new_bucket_begins_when_the_first_id_of_the_last_is_a_24th_of_the_window_old() -> None:
    closed = ClosedIds(b"key")
    for time in (0, 9, 10, 19, 20):
        closed.add(b"%d" % time, time, 240, 1000)
    assert [(b.opened, b.newest, len(b)) for b in closed] == [(0, 9, 2), (10, 19, 2), (20, 20, 1)]


def test_a_bucket_is_forgotten_once_its_last_id_is_older_than_the_window() -> None:
    closed = ClosedIds(b"key")
    closed.add(b"early", 0, 240, 1000)
    closed.add(b"late", 9, 240, 1000)
    closed.forget(249, 240)
    assert b"early" in closed
    closed.forget(250, 240)
    assert b"early" not in closed
    assert len(closed) == 0


def test_a_window_that_grows_again_brings_nothing_back() -> None:
    log = Log(dedup_window=1000)
    closed_run(log)
    log.now += 500
    log.setting("dedup_window", 100)
    log.setting("dedup_window", 1000)
    assert log.start().verdict is Verdict.ADMITTED


@pytest.mark.parametrize("settings", [{"dedup_most": 0}, {"dedup_window": 0}])
def test_settings_that_remember_nothing_remember_nothing(settings: dict[str, int]) -> None:
    log = Log(**settings)
    closed_run(log)
    log.now += 1
    assert log.start().verdict is Verdict.ADMITTED


def test_twenty_thousand_closed_runs_take_a_hundred_bytes_each_at_most() -> None:
    bucket = Bucket(0)
    hashes = [blake2b(b"%d" % i, digest_size=16).digest() for i in range(20_000)]
    assert all(bucket.add(h) for h in hashes)
    assert not bucket.add(hashes[7])
    assert set(bucket) == set(hashes)
    assert len(bucket) == 20_000
    assert len(bucket._table) + len(bucket.filter) <= 100 * 20_000


def test_ids_are_found_in_all_buckets_however_these_came_to_be() -> None:
    closed, restored = ClosedIds(b"log"), ClosedIds(b"log")
    runs = [b"run-%d" % i for i in range(3_000)]
    for run in runs:
        closed.add(run, 0, 240, 24 * 500)
    for bucket in closed:
        restored.restore(Bucket.of(bucket.opened, bucket.newest, b"".join(bucket.copy())))
    assert len(list(closed)) == 6
    for ids in (closed, restored):
        assert all(run in ids for run in runs)
        assert not any(b"other-%d" % i in ids for i in range(3_000))
