"""A scenario: what is given is history, what happens has its consequences, and what is asserted is so."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.testing.shop import (
    Bank,
    Moved,
    Ordered,
    Packed,
    Paid,
    Refused,
    Shipped,
    bank,
    fails,
    pack,
    pay,
    refuse,
    ship,
    shop,
    thank,
)
from tests.typing.apps.a12_test import test_a_reactor_is_a_function as test_a_reactor_is_a_function
from tests.typing.apps.a12_test import test_a_refused_card_refuses_the_order as test_a_refused_card_refuses_the_order
from tests.typing.apps.a12_test import test_it_ships_to_the_newest_address as test_it_ships_to_the_newest_address

from farandole.projections.fold import Verdict
from farandole.reactors import Choreography, CommandRefused, RunExpired
from farandole.schemas import DeclarationError, Event, Start
from farandole.schemas.envelope import Kind
from farandole.testing import FailedAttempt, Scenario, ScenarioError
from farandole.testing import Refused as RefusedRecord


async def test_a_start_is_followed_to_the_end() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered())
        s.then(Paid(receipt="r-1"), Shipped())
        s.then(Packed)
        s.owes()
        assert s.status.status == "completed"
        assert s.history == [Ordered(), Paid(), Packed(), Shipped()]


async def test_what_is_given_owes_nothing() -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered(), Paid(receipt="given"))
        s.owes()
        assert s.history == [Ordered(), Paid(receipt="given")]
        await s.passes("1h")
        s.then_only()


async def test_what_is_given_fills_joins() -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered(), Packed())
        await s.when(Paid())
        s.then_only(Shipped())


async def test_what_is_given_can_be_looked_back_at() -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered(), Moved(to="Rome"), Paid())
        await s.when(Packed())
        s.then(Shipped(to="Rome"))


async def test_history_may_be_given_in_pieces_before_anything_happens() -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered())
        await s.given(Packed())
        await s.when(Paid())
        s.then(Shipped())
        with pytest.raises(ScenarioError, match="comes before the first when"):
            await s.given(Packed())


async def test_an_end_that_is_given_has_ended_the_run() -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered(), Shipped())
        assert s.status.status == "completed"
        await s.when(Moved(to="Rome"))
        assert s.refused() == [RefusedRecord(Kind.SIGNAL, "Moved", Verdict.NO_RUN)]


async def test_reactors_of_an_end_that_happens_are_set_to_work() -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered())
        await s.when(Shipped(to="Rome"))
        s.then_only()
        s.owes()
        assert "thank" in str(s)


async def test_events_need_a_run() -> None:
    async with Scenario(shop) as s:
        with pytest.raises(ScenarioError, match="Paid needs a run that is open, and run 'run' was not started"):
            await s.given(Paid())
    async with Scenario(shop) as s:
        with pytest.raises(ScenarioError, match="Paid needs a run that is open"):
            await s.when(Paid())
        await s.when(Ordered())
        s.then(Shipped)


async def test_a_run_is_started_once() -> None:
    async with Scenario(shop) as s:
        with pytest.raises(ScenarioError, match="run 'run' was started before"):
            await s.given(Ordered(), Ordered())
        await s.when(Ordered())
        assert s.refused() == [RefusedRecord(Kind.START, "Ordered", Verdict.RUN_EXISTS)]


async def test_nothing_happens_in_a_run_that_is_at_its_end() -> None:
    async with Scenario(shop) as s:
        s.replace(bank, fails(1))
        await s.given(Ordered())
        await s.when(Shipped())
        with pytest.raises(ScenarioError, match="was not started, or is closed"):
            await s.when(Paid())


async def test_a_provider_is_replaced() -> None:
    asked = Bank()
    async with Scenario(shop) as s:
        s.replace(bank, asked)
        await s.when(Ordered())
    assert len(asked.keys) == 1


async def test_a_provider_is_replaced_before_it_is_used() -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered())
        with pytest.raises(ScenarioError, match=r"shop\.bank: replace it before the first given or when"):
            s.replace(bank, Bank())


async def test_a_provider_of_others_cannot_be_replaced() -> None:
    async with Scenario(Choreography("others")) as s:
        with pytest.raises(ScenarioError, match=r"shop\.bank is a provider of no choreography of this scenario"):
            s.replace(bank, Bank())


async def test_a_step_has_the_same_key_each_time() -> None:
    banks = [Bank(), Bank()]
    for each in banks:
        async with Scenario(shop) as s:
            s.replace(bank, each)
            await s.when(Ordered())
    assert banks[0].keys == banks[1].keys != []


async def test_attempts_that_fail_are_told() -> None:
    async with Scenario(shop) as s:
        s.replace(bank, fails(3))
        await s.when(Ordered())
        s.owes(pay)
        assert s.failures() == [FailedAttempt("pay", 1, "ConnectionError", "no answer", last=False)]
        await s.passes("3s")
        assert [(f.attempt, f.last) for f in s.failures()] == [(2, False), (3, True)]
        s.then_only(Refused(why="no answer"))


async def test_commands_are_those_of_a_client() -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered(), Packed())
        await s.pause("lunch", by="ann")
        await s.when(Paid())
        s.then_only()
        s.owes(ship)
        assert s.status.paused
        await s.resume()
        s.then_only(Shipped())
        with pytest.raises(CommandRefused, match="there is no such open run"):
            await s.cancel("too late")


async def test_a_run_is_cancelled() -> None:
    async with Scenario(shop) as s:
        s.replace(bank, fails(1))
        await s.when(Ordered())
        await s.cancel("no tea left", by="ann")
        assert s.status.status == "cancelled"
        s.owes()
        assert "cancel: no tea left" in str(s)


async def test_parked_steps_are_retried() -> None:
    tea = Choreography("tea")
    broken = [True]

    @tea.reactor
    async def brew(ordered: Ordered) -> Paid:
        if broken:
            raise TypeError("no kettle")
        return Paid()

    async with Scenario(tea) as s:
        await s.when(Ordered(), after="1h")
        s.owes("brew")
        assert s.status.status == "failed"
        broken.clear()
        assert await s.retry("mended", by="ann", reactor="brew") == 1
        s.then_only(Paid())


async def test_the_last_event_of_a_type_is_at_hand() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered())
        assert s.last(Shipped).to == "home"
        assert s.last(Paid).receipt == "r-1"


async def test_other_runs_are_beside_it() -> None:
    async with Scenario(shop, run_id="order-1") as s:
        other = s.run("order-2")
        await s.given(Ordered(), Packed())
        await other.given(Ordered(what="coffee"))
        await s.when(Paid())
        s.then_only(Shipped())
        other.then_only()
        await other.when(Paid())
        other.then_not(Shipped)
        s.then_only()
        assert other.history == [Ordered(what="coffee"), Paid()]
        assert other.status.status == "waiting"
        assert s.run("order-3").status.status == "absent"


async def test_anything_else_is_done_with_a_client() -> None:
    async with Scenario(shop) as s:
        handle = await s.use(lambda client: client.start(Ordered(), run_id="by hand"))
        assert handle.id == "by hand"
        s.run("by hand").then(Shipped())
        found = await s.use(lambda client: client.runs())
        assert [run.status.run_id for run in found.runs] == ["by hand"]


async def test_services_share_a_log() -> None:
    payments, packing = Choreography("tea", service="payments"), Choreography("tea", service="packing")

    @payments.reactor
    async def paid(ordered: Ordered) -> Paid:
        return Paid()

    @packing.reactor
    async def packed(paid: Paid) -> Shipped:
        return Shipped()

    async with Scenario(payments, packing) as s:
        await s.when(Ordered())
        s.then_only(Paid(), Shipped())


async def test_choreographies_have_logs_of_their_own() -> None:
    tea = Choreography("tea")

    @tea.reactor
    async def brew(ordered: Ordered) -> Packed:
        return Packed(box="pot")

    async with Scenario(shop, tea) as s:
        await s.when(Ordered())
        brewing = s.run("run", tea)
        assert brewing.history == []
        await brewing.when(Ordered())
        brewing.then_only(Packed(box="pot"))
        s.then_only()


async def test_several_workers_share_the_partitions() -> None:
    async with Scenario(shop, workers=3) as s:
        for n in range(12):
            await s.run(f"run-{n}").when(Ordered())
            s.run(f"run-{n}").then(Paid, Shipped)


async def test_settings_are_those_of_the_log() -> None:
    tea = Choreography("tea")

    @tea.reactor
    async def brew(ordered: Ordered) -> None: ...

    async with Scenario(tea, settings={"expire_after": 3_600_000}) as s:
        await s.when(Ordered())
        await s.passes("1h")
        await s.passes("2m")
        assert s.status.status == "expired"
        with pytest.raises(RunExpired):
            await s.use(lambda client: client.run("run").result())


async def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"there is no setting expires_after; there are .*expire_after"):
        Scenario(shop, settings={"expires_after": 1})
    with pytest.raises(ScenarioError, match="a scenario needs a choreography"):
        Scenario()


async def test_it_begins_when_it_is_told_to() -> None:
    dawn = datetime(2030, 3, 31, 1, 30, tzinfo=UTC)
    async with Scenario(shop, at=dawn) as s:
        assert s.now == dawn
        await s.when(Ordered(), after="90m")
        assert s.now == dawn + timedelta(minutes=90)
        assert s.status.touched == dawn.timestamp() * 1000
    assert s.now == dawn + timedelta(minutes=90)


async def test_a_mistake_in_the_program_is_told_at_the_first_event() -> None:
    tea = Choreography("tea")

    @tea.reactor
    async def brew(ordered: Ordered, bank: Bank) -> None: ...

    async with Scenario(tea) as s:
        with pytest.raises(DeclarationError, match="nothing provides Bank"):
            await s.given(Ordered())
        with pytest.raises(DeclarationError, match="nothing provides Bank"):
            await s.when(Ordered())


async def test_a_worker_that_breaks_down_fails_the_command() -> None:
    one, two = Choreography("tea", service="one"), Choreography("tea", service="two")
    for each in (one, two):

        @each.reactor
        async def brew(ordered: Ordered) -> None: ...

    async with Scenario(one, two) as s:
        with pytest.raises(DeclarationError, match="reactor 'brew' is served by service 'one'"):
            await s.when(Ordered())


async def test_what_providers_opened_is_closed() -> None:
    tea, seen = Choreography("tea"), list[str]()

    @tea.provide
    async def kettle() -> AsyncIterator[Bank]:
        seen.append("open")
        yield Bank()
        seen.append("closed")

    @tea.reactor
    async def brew(ordered: Ordered, kettle: Bank) -> None:
        seen.append("brew")

    async with Scenario(tea) as s:
        await s.when(Ordered())
    assert seen == ["open", "brew", "closed"]


async def test_a_reactor_may_have_the_name_that_the_test_writes_under() -> None:
    tea = Choreography("tea")

    @tea.reactor
    async def scenario(ordered: Ordered) -> Paid:
        return Paid()

    async with Scenario(tea) as s:
        await s.when(Ordered())
        s.then_only(Paid())
        await s.when(Packed())
        assert s.last(Packed) == Packed()


async def test_events_that_no_reactor_names_may_happen() -> None:
    class Sung(Event):
        song: str

    async with Scenario(shop) as s:
        await s.given(Ordered(), Sung(song="la"))
        await s.when(Sung(song="li"))
        assert s.history == [Ordered(), Sung(song="la"), Sung(song="li")]
        assert s.status.status == "unserved"
        s.then_only()


async def test_a_scenario_plays_within_its_block() -> None:
    s = Scenario(shop)
    with pytest.raises(ScenarioError, match="plays while its block runs"):
        await s.when(Ordered())


async def test_reactors_are_named_by_function_or_by_name() -> None:
    async def stranger(ordered: Ordered) -> None: ...

    async with Scenario(shop) as s:
        s.replace(bank, fails(9))
        await s.when(Ordered())
        s.owes("pay")
        s.owes(pay)
        with pytest.raises(ScenarioError, match="stranger is a reactor of no choreography"):
            s.owes(stranger)
        assert {pack, refuse, ship, thank} <= {r.fn for r in shop.reactors}


async def test_a_choreography_without_reactors_has_events() -> None:
    class Begun(Start): ...

    async with Scenario(Choreography("empty")) as s:
        await s.when(Begun())
        assert s.history == [Begun()]
        s.then_only()
