"""Step, Run and the outcomes other than events, as handlers use them; and in unit tests, without a worker."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from farandole.reactors import After, Ask, Failed, Run, Step
from farandole.schemas import Answer, DeclarationError, Event, Start


class Placed(Start):
    address: str = ""


class Paid(Event): ...


class Packed(Event): ...


class Yes(Answer): ...


class No(Answer): ...


class TestStep:
    def test_a_handler_can_be_called_with_a_plain_step(self) -> None:
        step = Step()
        assert (step.key, step.attempt) == ("unit-test", 1)
        step.progress(0.5, "half")
        step.log.info("%d", 3)

    def test_log_records_say_which_step_they_belong_to(self, caplog: pytest.LogCaptureFixture) -> None:
        step = Step("k", 2, run_id="order-17", event_id="e1", offset=9, reactor="pay", choreography="orders")
        with caplog.at_level(logging.INFO):
            step.log.info("charged %s", "x", extra={"amount": 5})
        (record,) = caplog.records
        found: Any = record
        assert record.name == "farandole.orders.pay"
        assert record.getMessage() == "charged x"
        assert (found.run_id, found.event_id, found.reactor, found.offset, found.attempt, found.amount) == (
            "order-17", "e1", "pay", 9, 2, 5,
        )  # fmt: skip

    def test_progress_goes_to_whoever_watches(self) -> None:
        seen: list[tuple[float, str]] = []
        step = Step(report=lambda done, note: seen.append((done, note)))
        step.progress(0.4, "pages")
        step.progress(1)
        assert seen == [(0.4, "pages"), (1, "")]
        with pytest.raises(ValueError, match="progress goes from 0 to 1"):
            step.progress(40)

    async def test_a_sub_step_is_done_once(self) -> None:
        calls: list[int] = []

        async def double(x: int, *, by: int = 2) -> int:
            calls.append(x)
            return x * by

        step = Step()
        assert await step.once("a", double, 2) == 4
        assert await step.once("a", double, 2) == 4
        assert await step.once("b", double, 2, by=3) == 6
        assert calls == [2, 2]


class TestRun:
    async def test_it_gives_its_start_and_its_history(self) -> None:
        run = Run("order-17", Placed(address="x"), [Placed(address="x"), Paid(), Packed(), Paid()])
        assert (run.id, run.start.address) == ("order-17", "x")
        assert await run.events(Paid) == [Paid(), Paid()]
        assert await run.events(Packed, Paid) == [Paid(), Packed(), Paid()]
        assert len(await run.events()) == 4

    async def test_its_history_may_come_from_elsewhere(self) -> None:
        class Elsewhere:
            async def events(self, types: Any) -> list[Event]:
                assert types == (Paid,)
                return [Paid()]

        assert await Run("r", Placed(), Elsewhere()).events(Paid) == [Paid()]


class TestOutcomes:
    def test_a_timer_waits_or_fires_at_a_time(self) -> None:
        when = datetime(2026, 1, 1, tzinfo=UTC)
        assert After("10m", Paid()).when == timedelta(minutes=10)
        assert After(when, Paid()).when == when

    def test_a_time_has_a_zone(self) -> None:
        with pytest.raises(ValueError, match="the time has no time zone"):
            After(datetime(2026, 1, 1), Paid())

    def test_a_wait_can_be_read(self) -> None:
        with pytest.raises(DeclarationError, match="'soon'"):
            After("soon", Paid())

    def test_a_decision_says_all_it_needs(self) -> None:
        about = Placed(address="x")
        ask = Ask("Publish?", Yes, No, about=about, to=["ann"], within="2d", otherwise=No(), quorum=2)
        assert (ask.question, ask.answers, ask.about, ask.to) == ("Publish?", (Yes, No), about, ("ann",))
        assert (ask.within, ask.otherwise, ask.quorum) == (timedelta(days=2), No(), 2)

    @pytest.mark.parametrize(
        ("answers", "options", "message"),
        [
            ((), {}, "give the answers to choose from"),
            ((Yes,), {"within": "1d"}, "within= and otherwise= go together"),
            ((Yes,), {"otherwise": No()}, "within= and otherwise= go together"),
            ((Yes,), {"quorum": 0}, "a quorum is 1 to 65535"),
            ((Yes,), {"to": "ann"}, r"to= is a list, as to=\['ann'\]"),
        ],
    )
    def test_a_decision_that_cannot_be_is_refused(self, answers: Any, options: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            Ask("Publish?", *answers, **options)

    def test_a_failure_can_be_made_for_a_test(self) -> None:
        failed = Failed(Paid(), "pay", "broken")
        assert (failed.event, failed.reactor, failed.error, failed.attempts) == (Paid(), "pay", "broken", 1)
