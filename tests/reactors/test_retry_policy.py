"""When a failed attempt is tried again: a pure function of policy, error, attempt and chance."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farandole.reactors import GiveUp, Retry, RetryAfter, UndeclaredOutcome
from farandole.reactors.options import ReactorOptions
from farandole.reactors.retry import STANDARD, GiveUpNow, RetryIn, decide
from farandole.schemas import DeclarationError, EncodingError, UndecodableValue

chances = st.floats(0, 1, exclude_max=True)
attempts = st.integers(1, 10_000)
policies = st.builds(
    lambda attempts, first, factor, more, jitter: Retry(
        attempts=attempts, first=first, factor=factor, most=first + more, jitter=jitter
    ),
    st.integers(1, 10_000),
    st.floats(0, 1e4),
    st.floats(1, 100),
    st.floats(0, 1e6),
    st.booleans(),
)


def unlucky() -> float:
    raise AssertionError("drawn from")


@given(policies, attempts, chances)
def test_a_wait_is_never_longer_than_most_nor_shorter_than_half_of_what_is_due(
    retry: Retry, attempt: int, chance: float
) -> None:
    match decide(retry, OSError(), attempt, lambda: chance):
        case RetryIn(delay):
            assert attempt < retry.attempts
            assert retry.wait(attempt) / 2 - timedelta(microseconds=1) <= delay <= retry.wait(attempt)
        case GiveUpNow():
            assert attempt >= retry.attempts


@given(policies, attempts)
def test_waits_never_shrink(retry: Retry, attempt: int) -> None:
    assert retry.wait(attempt) <= retry.wait(attempt + 1)


@given(policies, attempts, chances)
def test_jitter_only_ever_shortens(retry: Retry, attempt: int, chance: float) -> None:
    delay = decide(retry, OSError(), attempt, lambda: chance)
    if isinstance(delay, RetryIn) and not retry.jitter:
        assert delay.delay == retry.wait(attempt)


def test_waits_grow_by_the_factor_up_to_the_cap() -> None:
    retry = Retry(first="1s", factor=3, most="10s", jitter=False)
    assert [retry.wait(n).total_seconds() for n in (1, 2, 3, 4, 1000, 10**9)] == [1, 3, 9, 10, 10, 10]


def test_the_last_attempt_is_final() -> None:
    assert decide(Retry(attempts=3), OSError(), 3, unlucky) == GiveUpNow("attempt 3 of 3")
    assert decide(Retry(attempts=1), OSError(), 1, unlucky) == GiveUpNow("attempt 1 of 1")


def test_chance_is_not_asked_without_jitter() -> None:
    assert decide(Retry(jitter=False), OSError(), 1, unlucky) == RetryIn(timedelta(seconds=1))


@pytest.mark.parametrize(
    "error",
    [GiveUp("stolen"), UndeclaredOutcome(), DeclarationError(), EncodingError(), UndecodableValue()],
    ids=lambda e: type(e).__name__,
)
def test_what_no_attempt_can_cure_is_final(error: Exception) -> None:
    assert decide(STANDARD, error, 1, unlucky) == GiveUpNow(f"{type(error).__name__} is final")


def test_only_the_named_exceptions_are_tried_again() -> None:
    retry = Retry(on=(ConnectionError, TimeoutError))
    assert decide(retry, ValueError(), 1, unlucky) == GiveUpNow("ValueError is not retried")
    assert isinstance(decide(retry, ConnectionResetError(), 1, lambda: 0), RetryIn)


def test_a_handler_chooses_its_next_attempt() -> None:
    retry = Retry(attempts=3, most="1m", on=ConnectionError)
    assert decide(retry, RetryAfter("2h"), 2, unlucky) == RetryIn(timedelta(hours=2))
    assert decide(retry, RetryAfter("2h"), 3, unlucky) == GiveUpNow("attempt 3 of 3")


def test_what_a_handler_says_is_the_error() -> None:
    assert str(GiveUp("the card is stolen")) == "the card is stolen"
    assert str(RetryAfter("30s", "rate limit")) == "rate limit"
    assert str(RetryAfter("30s")) == "asks for another attempt after 30s"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attempts": 0}, r"Retry\(attempts=0\): there is at least one attempt"),
        ({"factor": 0.5}, r"Retry\(factor=0.5\): a factor is 1 or more"),
        ({"factor": float("nan")}, r"Retry\(factor=nan\)"),
        ({"first": "soon"}, "'soon'"),
        ({"first": "10m"}, "the longest wait is shorter than the first"),
        ({"on": "OSError"}, r"Retry\(on='OSError'\): name exception classes"),
        ({"on": (OSError, 3)}, r"Retry\(on=3\): name exception classes"),
        ({"on": KeyboardInterrupt}, "name exception classes"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        Retry(**options)


def test_of_several_policies_the_first_that_names_the_error_decides() -> None:
    told = (Retry(on=TimeoutError, attempts=5, first="10s", jitter=False), Retry(on=OSError, attempts=2, jitter=False))
    assert decide(told, TimeoutError(), 4, unlucky) == RetryIn(timedelta(seconds=80))
    assert decide(told, OSError(), 1, unlucky) == RetryIn(timedelta(seconds=1))
    assert isinstance(decide(told, OSError(), 2, unlucky), GiveUpNow)
    assert isinstance(decide(told, ValueError(), 1, unlucky), GiveUpNow)
    assert decide(told, RetryAfter("3s"), 4, unlucky) == RetryIn(timedelta(seconds=3))
    assert isinstance(decide(told, RetryAfter("3s"), 5, unlucky), GiveUpNow)


def test_an_error_that_asks_for_a_time_is_bound_by_the_policy_that_names_it() -> None:
    class Busy(RetryAfter): ...

    told = (Retry(on=Busy, attempts=3), Retry(attempts=9))
    assert decide(told, Busy("7s"), 2, unlucky) == RetryIn(timedelta(seconds=7))
    assert isinstance(decide(told, Busy("7s"), 3, unlucky), GiveUpNow)


@pytest.mark.parametrize("wrong", [(), "often", (3,)])
def test_what_are_no_policies_is_told(wrong: Any) -> None:
    with pytest.raises(DeclarationError, match="is no Retry"):
        ReactorOptions(name="pay", retry=wrong)
