"""Durations are read as people write them."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farandole.schemas import DeclarationError, parse_duration
from farandole.schemas.durations import in_short


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("10m", timedelta(minutes=10)),
        ("1h30m", timedelta(minutes=90)),
        ("30s", timedelta(seconds=30)),
        ("2d", timedelta(days=2)),
        ("1w", timedelta(days=7)),
        ("250ms", timedelta(milliseconds=250)),
        ("5us", timedelta(microseconds=5)),
        (" 1d2h3m4s5ms ", timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5)),
        ("0s", timedelta(0)),
        (90, timedelta(seconds=90)),
        (0.25, timedelta(milliseconds=250)),
        (timedelta(days=3), timedelta(days=3)),
    ],
)
def test_a_duration_is_read(written: Any, meant: timedelta) -> None:
    assert parse_duration(written) == meant


@pytest.mark.parametrize(
    "written", ["", "10", "m", "10 m", "1.5h", "-5s", "10x", "5s!", None, True, float("nan"), b"5s"]
)
def test_what_is_no_duration_says_how_to_write_one(written: Any) -> None:
    with pytest.raises(DeclarationError, match=r'cannot be read; write "250ms", "30s", "10m", "1h30m", "2d"'):
        parse_duration(written)


@pytest.mark.parametrize("written", [-1, -0.5, timedelta(seconds=-1)])
def test_a_negative_duration_is_refused(written: Any) -> None:
    with pytest.raises(DeclarationError, match="is negative"):
        parse_duration(written)


@pytest.mark.parametrize("written", ["999999999999w", 1e300])
def test_a_duration_beyond_all_time_is_refused(written: Any) -> None:
    with pytest.raises(DeclarationError, match="is too long"):
        parse_duration(written)


@given(st.integers(0, 10**12))
def test_a_duration_in_short_is_read_as_it_was(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(in_short(duration)) == duration


def test_durations_in_short() -> None:
    assert [in_short(timedelta(minutes=n)) for n in (0, 90, 2880)] == ["0s", "1h30m", "2d"]
    assert in_short(timedelta(seconds=1.5)) == "1s500ms"
