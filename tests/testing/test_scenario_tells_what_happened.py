"""Assertions of a scenario that fail say what happened instead, and why."""

import re
from collections.abc import Callable

import pytest
from tests.testing.shop import Moved, Ordered, Packed, Paid, Refused, Shipped, bank, fails, pack, pay, ship, shop

from farandole.reactors import Choreography, Retry
from farandole.schemas import End
from farandole.testing import Scenario


def said(assertion: Callable[[], None]) -> str:
    with pytest.raises(AssertionError) as raised:
        assertion()
    return str(raised.value)


async def test_an_event_that_did_not_happen() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered())
        told = said(lambda: s.then(Refused(why="no tea")))
    assert told == (
        "expected Refused(why='no tea'), and it did not happen.\n"
        "\n"
        "run 'run' of shop is completed, 0s after the beginning:\n"
        "       0s  the test  Ordered(what='tea')\n"
        "       0s  pay       Paid(receipt='r-1')\n"
        "       0s  pack      Packed(box='b-1')\n"
        "       0s  ship      Shipped(to='home')\n"
        "       0s  thank     nothing"
    )


async def test_an_event_that_was_a_little_different() -> None:
    class Served(End):
        pot: str
        cups: int
        milk: bool = False

    tea = Choreography("tea")

    @tea.reactor
    async def serve(ordered: Ordered) -> Served:
        return Served(pot="blue", cups=2)

    async with Scenario(tea) as s:
        await s.when(Ordered())
        told = said(lambda: s.then(Served(pot="blue", cups=4, milk=True)))
        assert "Served happened with cups=2 instead of 4, milk=False instead of True." in told
        assert "expected any Paid, and it did not happen." in said(lambda: s.then(Paid))


async def test_events_in_another_order() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered())
        told = said(lambda: s.then(Shipped(), Paid))
        assert told.startswith("expected any Paid after Shipped(to='home'), and it happened before that.")


async def test_an_event_that_happened_before_the_last_command() -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered(), Paid())
        await s.when(Packed())
        told = said(lambda: s.then(Paid()))
        assert told.startswith(
            "expected Paid(receipt='r-1'), and it did not happen since the last command, but before."
        )
        assert re.search(r"the test +Paid.*\n +· · ·\n.*the test +Packed", told)


async def test_more_than_was_expected() -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered(), Packed())
        await s.when(Paid())
        told = said(s.then_only)
        assert told.startswith("expected nothing, but this happened too:\n  Shipped(to='home')\n\nrun 'run'")
        assert said(lambda: s.then_not(Paid, Shipped)).startswith("Shipped(to='home') happened.")
        assert "expected any Refused" in said(lambda: s.then_only(Refused))
        await s.run("other").when(Ordered())
        told = said(lambda: s.run("other").then_only(Paid, Shipped()))
        assert told.startswith(
            "expected only any Paid, Shipped(to='home'), but this happened too:\n  Packed(box='b-1')"
        )
        assert "other runs: 'run' of shop" in told


async def test_an_assertion_of_nothing_is_a_mistake() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered())
        with pytest.raises(TypeError, match=r"then_only\(\)"):
            s.then()


async def test_what_is_owed_otherwise() -> None:
    async with Scenario(shop) as s:
        s.replace(bank, fails(1))
        await s.when(Ordered())
        told = said(s.owes)
        assert told.startswith("expected run 'run' to owe nothing, but it owes pay.")
        assert "  owes pay, since 0s; attempt 2 in 1s" in told
        assert "  waits for Paid for ship" in told
        assert said(lambda: s.owes(pay, "pack")).startswith("expected run 'run' to owe pack, pay, but it owes pay.")
        await s.passes("1s")
        assert "expected run 'run' to owe pack, but it owes nothing" in said(lambda: s.owes(pack))


async def test_a_handler_that_failed() -> None:
    tea = Choreography("tea")

    @tea.reactor(retry=Retry(attempts=2, first="90m", most="1d"))
    async def brew(ordered: Ordered) -> Paid:
        return Paid(receipt={}[ordered.what])

    async with Scenario(tea) as s:
        await s.when(Ordered())
        told = said(lambda: s.then(Paid))
        assert "0s  brew      attempt 1 failed, again after 1h30m: KeyError: 'tea'" in told
        assert "brew failed:\n  Traceback (most recent call last):" in told
        assert "return Paid(receipt={}[ordered.what])" in told
        await s.passes("1d")
        assert "attempt 2 failed, for good" in str(s)
        assert "owes brew, since 1d; parked after 2 attempts" in str(s)
        await s.passes("1d")
        assert "Traceback" not in str(s)


async def test_what_was_refused() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered())
        await s.when(Moved(to="Rome"))
        assert "the test  Moved was refused: NO_RUN" in said(lambda: s.then(Shipped(to="Rome")))


async def test_commands_and_steps_that_gave_nothing() -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered(), Packed())
        await s.pause("lunch")
        await s.when(Paid())
        assert "the test  pause: lunch" in str(s)
        assert "owes ship" in str(s)
        await s.resume()
        assert re.search(r"thank +nothing", str(s))


async def test_nobody_serves_it() -> None:
    async with Scenario(Choreography("empty")) as s:
        await s.when(Ordered())
        assert "holds 1 event that no reactor takes" in said(lambda: s.then(Paid))


async def test_a_run_that_was_not_started() -> None:
    async with Scenario(shop) as s:
        assert str(s) == "run 'run' of shop is absent, 0s after the beginning:\n  nothing happened"
        await s.passes("1m")
        assert said(lambda: s.last(Shipped)).startswith("no Shipped happened.\n\nrun 'run' of shop is absent, 1m")
        assert repr(s) == "<Scenario 'run' of shop>"
        assert repr(s.run("other")) == "<ScenarioRun 'other' of shop>"


async def test_long_events_are_cut_short() -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered(what="t" * 5000))
        assert len(str(s)) < 1000


async def test_it_is_told_after_the_end_too() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered(), after="1h")
    s.then(Paid, Shipped)
    s.owes()
    assert "1h after the beginning" in said(lambda: s.then(Refused))
    assert ship in {r.fn for r in shop.reactors}
