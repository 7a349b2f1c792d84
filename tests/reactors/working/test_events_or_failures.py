"""A reactor that takes an event or a failure is given whichever its step is owed for."""

from tests.reactors.working.controls import Begun, Done, Went, a_stage, virtual

from farandole.reactors import Choreography, Failed, GiveUp, Retry


def dance(given: list[object]) -> Choreography:
    choreography = Choreography("dance")

    @choreography.reactor(retry=Retry(attempts=1))
    async def go(begun: Begun) -> Went:
        if begun.n == 1:
            raise GiveUp("no")
        return Went()

    @choreography.reactor
    async def go_on(of: Went | Failed[Begun]) -> Done:
        given.append(of)
        return Done()

    return choreography


@virtual
async def test_it_is_given_the_event_if_all_went_well_and_else_the_failure() -> None:
    given: list[object] = []
    async with a_stage(dance(given)) as (_, client, _worker):
        await (await client.start(Begun(n=0))).result(Done)
        await (await client.start(Begun(n=1))).result(Done)
    went, failed = given
    assert isinstance(went, Went)
    assert isinstance(failed, Failed)
    assert (failed.event, failed.reactor, failed.error) == (Begun(n=1), "go", "no")
