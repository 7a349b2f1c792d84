"""The index of a run's history is the same whether it is held in memory or on disk."""

import random

import pytest

from farandole.reactors.history import HistoryIndex


@pytest.mark.parametrize("most_bytes", [1 << 20, 3000, 0])
def test_offsets_by_type_up_to_an_offset(most_bytes: int) -> None:
    index, truth = HistoryIndex(most_bytes=most_bytes), dict[bytes, list[tuple[int, bytes]]]()
    rng = random.Random(7)
    for offset in range(2000):
        run = b"run-%d" % rng.randrange(40)
        match rng.random():
            case chance if chance < 0.05:
                index.forget(run)
                truth.pop(run, None)
            case chance if chance < 0.2:
                types = rng.choice([None, {b"a"}, {b"a", b"c"}, {b"none"}])
                expected = truth.get(run)
                upto = rng.choice([o for o, _ in expected or [(-1, b"")]])
                found = index.offsets(run, types, (upto,))
                assert found == (
                    None
                    if expected is None
                    else [o for o, t in expected if o <= upto and (types is None or t in types)]
                )
            case _:
                type = rng.choice([b"a", b"b", b"c"])
                index.add(run, offset, type)
                truth.setdefault(run, []).append((offset, type))
    for run in list(truth):
        index.forget(run)
    assert index.bytes == 0
    index.close()


def test_the_runs_that_were_quiet_for_longest_go_to_disk() -> None:
    index = HistoryIndex(most_bytes=2000)
    index.add(b"busy", 0, b"a")
    for n in range(1, 50):
        index.add(b"quiet-%d" % n, 2 * n, b"a")
        index.add(b"busy", 2 * n + 1, b"a")
    assert b"busy" in index._runs
    assert index.bytes <= 2000
    assert index.offsets(b"quiet-1", None, (2,)) == [2]
    assert len(index.offsets(b"busy", None, (99,)) or ()) == 50


def test_a_closed_index_knows_no_run() -> None:
    index = HistoryIndex(most_bytes=300)
    for n in range(5):
        index.add(b"run-%d" % n, n, b"a")
    index.close()
    assert index.offsets(b"run-0", None, (0,)) is None
    assert index.offsets(b"run-4", None, (4,)) is None
    assert index.bytes == 0


def test_what_was_admitted_after_the_trigger_is_left_out_whatever_its_offset() -> None:
    index = HistoryIndex()
    for offset in (1, 6, 5, 7):  # the outcome at 5 and 7 became whole when the event at 6 was there already
        index.add(b"run", offset, b"a")
    assert index.offsets(b"run", None, (6,)) == [1, 6]
    assert index.offsets(b"run", None, (6, 5)) == [1, 6, 5]
    assert index.offsets(b"run", None, (1,)) == [1]
