"""A start that reactors only look at, as `Run[S]`, is no finding; by the log it is taken by none, unless it says so."""

from farandole.reactors import Choreography, Run
from farandole.reactors.graph import findings_in, graph_of
from farandole.schemas import End, Signal, Start
from farandole.testing import Scenario


class Asked(Start): ...


class AskedQuietly(Start, wants_reactor=False): ...


class Nudged(Signal): ...


class Done(End): ...


asking, quiet = Choreography("asking"), Choreography("quiet")


@asking.reactor
async def end(nudged: Nudged, run: Run[Asked]) -> Done:
    return Done()


@quiet.reactor(name="end")
async def end_quietly(nudged: Nudged, run: Run[AskedQuietly]) -> Done:
    return Done()


def test_check_finds_nothing_amiss() -> None:
    assert [*findings_in(graph_of(asking)), *findings_in(graph_of(quiet))] == []


async def test_a_run_waits_if_its_start_wants_no_reactor() -> None:
    for choreography, start, status in ((asking, Asked(), "unserved"), (quiet, AskedQuietly(), "waiting")):
        async with Scenario(choreography) as s:
            await s.when(start)
            assert s.status.status == status
            await s.when(Nudged())
            s.then(Done())
