"""The workflow patterns of docs/patterns.md, each by its example."""

from examples.patterns import (
    arbitrary_cycles,
    cancel_case,
    deferred_choice,
    exclusive_choice,
    implicit_termination,
    interleaved_parallel_routing,
    milestone,
    multi_choice,
    multi_merge,
    parallel_split,
    sequence,
    simple_merge,
    synchronization,
)

from farandole.testing import Scenario


async def test_sequence() -> None:
    async with Scenario(sequence.claims) as s:
        await s.when(sequence.ClaimFiled(damage=100))
        s.then_only(sequence.ClaimAssessed(payable=90), sequence.ClaimPaid(amount=90))


async def test_parallel_split() -> None:
    async with Scenario(parallel_split.alarms) as s:
        await s.when(parallel_split.AlarmRaised(street="Elm Street"))
        s.then(parallel_split.PoliceSent(to="Elm Street"))
        s.then(parallel_split.AmbulanceSent(to="Elm Street"))


async def test_synchronization() -> None:
    p = synchronization
    async with Scenario(p.orders) as s:
        await s.when(p.OrderPlaced(goods="tea"))
        s.then(p.OrderShipped(box="box of tea", receipt="paid for tea"))


async def test_synchronization_waits_for_both() -> None:
    p = synchronization
    async with Scenario(p.orders) as s:
        await s.given(p.OrderPlaced(goods="tea"), p.OrderPacked(box="b"))
        assert s.status.status == "waiting"
        await s.when(p.OrderPaid(receipt="r"))
        s.then(p.OrderShipped(box="b", receipt="r"))


async def test_exclusive_choice() -> None:
    p = exclusive_choice
    async with Scenario(p.loans) as s:
        await s.when(p.LoanAsked(amount=999))
        s.then_only(p.SmallLoan(amount=999), p.LoanGranted(by="the counter"))
    async with Scenario(p.loans) as s:
        await s.when(p.LoanAsked(amount=1_000))
        s.then_only(p.LargeLoan(amount=1_000), p.LoanGranted(by="the board"))


async def test_simple_merge() -> None:
    for cash, paid in ((True, "in cash"), (False, "by card")):
        async with Scenario(simple_merge.shop) as s:
            await s.when(simple_merge.BasketFilled(cash=cash))
            s.then(simple_merge.GoodsDelivered(paid=paid))


async def test_multi_choice() -> None:
    p = multi_choice
    async with Scenario(p.alarms) as s:
        await s.when(p.AlarmRaised(hurt=2))
        s.then(p.AmbulancesSent(count=2))
        s.then(p.Logged())
        s.then_not(p.EnginesSent)
        s.owes()


async def test_multi_merge() -> None:
    async with Scenario(multi_merge.exams) as s:
        await s.when(multi_merge.PaperHandedIn(student="ann"))
        s.then(multi_merge.PointsEntered(points=3))
        s.then(multi_merge.PointsEntered(points=5))


async def test_arbitrary_cycles() -> None:
    p = arbitrary_cycles
    async with Scenario(p.workshop) as s:
        await s.when(p.CarBroughtIn(faults=["tyre", "stubborn", "light"]))
        s.then_only(
            p.Diagnosed, p.Repaired, p.WrongDiagnosis,
            p.Diagnosed, p.StillBroken, p.Repaired, p.WrongDiagnosis,
            p.Diagnosed, p.Repaired, p.CarReturned,
        )  # fmt: skip


async def test_implicit_termination() -> None:
    p = implicit_termination
    async with Scenario(p.parties, settings={"expire_after": 3_600_000}) as s:
        await s.when(p.PartyPlanned(guests=8))
        s.then(p.CakeOrdered(pieces=8), p.CakeEaten)
        assert s.status.status == "idle"
        await s.passes("2h")
        assert s.status.status == "expired"


async def test_deferred_choice() -> None:
    p = deferred_choice
    async with Scenario(p.rides) as s:
        await s.when(p.RideWanted(to="Arles"))
        assert s.status.status == "waiting"
        await s.when(p.BikeCame(colour="red"))
        s.then_only(p.RodeOff(colour="red"))
    async with Scenario(p.rides) as s:
        await s.given(p.RideWanted(to="Arles"), p.CarCame(plate="13"))
        await s.when(p.BikeCame(colour="red"))
        s.then_only()


async def test_interleaved_parallel_routing() -> None:
    p = interleaved_parallel_routing
    async with Scenario(p.clinic) as s:
        await s.when(p.PatientArrived(), after="90s")
        s.then(p.Examined)
        s.owes(p.examine)
        await s.passes("30s")
        s.then(p.Examined, p.PatientDischarged)
        assert sorted(s.last(p.PatientDischarged).examined) == ["blood", "x-ray"]


async def test_milestone() -> None:
    p = milestone
    async with Scenario(p.orders) as s:
        await s.when(p.OrderPlaced(goods="tea"))
        await s.when(p.ChangeAsked(goods="coffee"))
        s.then_only(p.OrderChanged(goods="coffee"))
        await s.when(p.PackingBegan())
        await s.when(p.ChangeAsked(goods="cocoa"))
        s.then_only(p.ChangeRefused(why="it is being packed"))


async def test_cancel_case() -> None:
    p = cancel_case
    async with Scenario(p.moves) as s:
        await s.when(p.MoveBooked(boxes=10), after="1m")
        s.owes(p.load)
        await s.cancel("they stay", after="1h")
        s.then_only()
        s.owes()
        assert s.status.status == "cancelled"
