"""The rows of a log are the same however it is cut into batches, and whoever begins anew in between.

Random logs hold records of every kind, many of which are to the point; a restart has the fold from a checkpoint.
"""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.flow.random_log import PARTITIONS
from tests.projections.fold.checkpointing import again
from tests.projections.runs.model import a_random_log, differences, open_in, open_in_fold, rows_of

from farandole.projections.fold import Fold

RECORDS = 250
SEEDS = range(24)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_batch_for_each_record_leaves_the_same_rows_as_one_for_all(seed: int) -> None:
    records = a_random_log(seed, RECORDS)
    assert differences(rows_of(records), rows_of(records, range(RECORDS))) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restart_from_a_checkpoint_after_any_batch_leaves_the_same_rows(seed: int) -> None:
    records = a_random_log(seed, RECORDS)
    cuts = Random(seed).sample(range(RECORDS), 30)
    assert differences(rows_of(records), rows_of(records, cuts, again)) == []


@given(seed=st.integers(100, 100_000), cuts=st.sets(st.integers(0, 119), max_size=12))
@settings(max_examples=30)
def test_any_cut_of_any_log_leaves_the_same_rows(seed: int, cuts: set[int]) -> None:
    records = a_random_log(seed, 120)
    assert differences(rows_of(records), rows_of(records, cuts, again)) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_open_by_the_fold_is_open_by_the_rows_and_nothing_else(seed: int) -> None:
    records, fold = a_random_log(seed, RECORDS), Fold(0, PARTITIONS)
    for number, record in enumerate(records, 1):
        fold.apply(record)
        if number % 50 == 0:
            assert open_in(rows_of(records[:number])) == open_in_fold(fold), f"after {number} records"


def test_random_logs_fill_every_table() -> None:
    filled = {table for seed in SEEDS for table, rows in rows_of(a_random_log(seed, RECORDS)).items() if rows}
    assert filled == {
        "runs", "records", "steps", "timers", "decisions", "children", "failures", "reactors", "policies", "schedules",
        "minutes",
    }  # fmt: skip
