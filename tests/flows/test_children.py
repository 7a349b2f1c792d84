"""Child runs, as users write and test them."""

from tests.flows.family import (
    Asked,
    Detached,
    Found,
    Heard,
    Hint,
    Ordered,
    Reported,
    ask_elsewhere,
    gone,
    named,
    orders,
    research,
    twice,
)

from farandole.reactors import Child, ChildDone, ChildFailed, Choreography, GiveUp
from farandole.schemas import Encrypt
from farandole.testing import Scenario


def child_of(s: Scenario) -> str:
    (child,) = s.status.children
    return child.run_id


async def test_a_child_runs_beside_its_parent_which_hears_of_its_end() -> None:
    async with Scenario(orders) as s:
        await s.when(Ordered(topics=["tea"]))
        s.then(Reported(said="tea: 1 by orders"))
        assert s.status.status == "completed"


async def test_the_story_of_a_scenario_tells_of_children() -> None:
    async with Scenario(orders) as s:
        await s.when(Ordered(topics=["tea"]))
        assert "ChildDone[Found] of run '" in str(s)
    async with Scenario(orders) as s:
        await s.when(Ordered(topics=["nonsense"]))
        assert "ChildFailed[Asked] of run '" in str(s)


async def test_a_parent_waits_for_its_child() -> None:
    async with Scenario(orders) as s:
        await s.when(Ordered(topics=["wait"]))
        assert s.status.status == "waiting"
        (child,) = s.status.children
        assert (child.type, child.choreography) == ("orders.Asked", "")
        assert s.run(child.run_id).history == [Asked(topic="wait")]
        await s.run(child.run_id).when(Hint(pages=3))
        s.then(Reported(said="hinted: 3 by orders"))


async def test_a_parked_step_of_a_child_is_news_where_a_reactor_takes_it() -> None:
    async with Scenario(orders) as s:
        await s.when(Ordered(topics=["nonsense"]))
        s.then(Reported(said="nonsense: GiveUp: nobody knows"))


async def test_an_event_for_which_a_join_of_a_child_has_no_room_is_news_too() -> None:
    hoard = Choreography("hoard")

    @hoard.reactor
    async def ask(order: Ordered) -> Child[Asked]:
        return Child(Asked(topic="tea"), run_id="child")

    @hoard.reactor
    async def pair(hint: Hint, heard: Heard) -> Found:
        return Found(topic="both")

    @hoard.reactor
    async def regret(failed: ChildFailed[Asked]) -> Reported:
        return Reported(said=failed.error)

    async with Scenario(hoard, settings={"join_most": 1}) as s:
        await s.when(Ordered())
        for pages in (1, 2):
            await s.run("child").when(Hint(pages=pages))
        assert s.last(Reported).said == "a join holds too many events that wait for others"


async def test_a_cancelled_child_is_news() -> None:
    async with Scenario(orders) as s:
        await s.when(Ordered(topics=["wait"]))
        await s.run(child_of(s)).cancel("no time")
        s.then(Reported(said="wait: no time (cancelled)"))


async def test_a_child_that_failed_and_was_told_stays_until_somebody_closes_it() -> None:
    async with Scenario(orders) as s:
        await s.when(Ordered(topics=["nonsense"]))
        (child,) = (s.run(id) for _, id in s._stage.chronicle.runs if id != s.id)
        assert (s.status.status, child.status.status) == ("completed", "failed")
        await child.cancel("it was too much to ask")
        assert child.status.status == "cancelled"


async def test_a_failure_that_nobody_takes_holds_the_parent_and_a_cancel_lets_it_go() -> None:
    deaf = Choreography("deaf")

    @deaf.reactor
    async def ask(order: Ordered) -> Child[Asked]:
        return Child(Asked(topic="tea"), run_id="child")

    @deaf.reactor
    async def look(asked: Asked) -> Found:
        raise GiveUp("nothing there")

    for close_parent in (False, True):
        async with Scenario(deaf) as s:
            await s.when(Ordered())
            child = s.run("child")
            assert (s.status.status, child.status.status) == ("waiting", "failed")
            assert [known.run_id for known in s.status.children] == ["child"]
            await (s if close_parent else child).cancel("enough")
            assert (child.status.status, s.status.children) == ("cancelled", ())


async def test_a_cancel_goes_down() -> None:
    async with Scenario(orders) as s:
        await s.when(Ordered(topics=["wait"]))
        child = s.run(child_of(s))
        await s.cancel("never mind")
        assert (s.status.status, child.status.status) == ("cancelled", "cancelled")


async def test_an_end_of_the_parent_cancels_what_is_left_of_its_children() -> None:
    async with Scenario(orders) as s:
        await s.when(Ordered(topics=["wait"]))
        child = s.run(child_of(s))
        await s.when(Reported())
        assert (s.status.status, child.status.status) == ("completed", "cancelled")


async def test_a_child_in_another_choreography() -> None:
    async with Scenario(ask_elsewhere, research) as s:
        await s.when(Ordered(topics=["tea"]))
        s.then(Reported(said="tea: 9 by research"))
        assert s.status.status == "completed"


async def test_a_child_in_another_choreography_that_fails() -> None:
    async with Scenario(ask_elsewhere, research) as s:
        await s.when(Ordered(topics=["nonsense"]))
        s.then(Reported(said="nonsense: GiveUp: not here either"))


async def test_a_choreography_that_is_not_there_is_waited_for_and_then_told_of_as_a_failure() -> None:
    async with Scenario(ask_elsewhere) as s:
        await s.when(Ordered(topics=["tea"]), after="30m")
        (said,) = [event.said for event in s.history if isinstance(event, Reported)]
        assert "research" in said


async def test_a_detached_child_goes_its_own_way() -> None:
    async with Scenario(orders) as s:
        await s.when(Detached(topic="wait"))
        assert s.status.children == ()
        (child,) = {run_id for _, run_id in s._stage.chronicle.runs} - {s.id}
        await s.cancel()
        assert s.run(child).status.status == "waiting"
        await s.run(child).when(Hint(pages=1))
        assert s.run(child).status.status == "completed"


async def test_a_given_run_id_that_exists_is_told_as_a_failure() -> None:
    async with Scenario(named, run_id="one") as s:
        await s.run("r-1").when(Asked(topic="wait"))
        await s.when(Ordered())
        s.then(Reported(said="tea: a run of this id exists"))


async def test_a_child_of_a_given_run_id() -> None:
    async with Scenario(named, run_id="one") as s:
        await s.when(Ordered())
        s.then(Reported(said="tea from r-1"))


async def test_children_are_heard_one_by_one() -> None:
    async with Scenario(twice) as s:
        await s.when(Ordered(topics=["a", "b"]))
        assert sorted(event.said for event in s.history if isinstance(event, Heard)) == ["a", "b"]


async def test_a_run_that_bears_itself_over_and_over_is_stopped_by_the_depth() -> None:
    async with Scenario(gone, settings={"depth": 3}) as s:
        await s.when(Ordered())
        assert s.refused() == []
        runs = s._stage.chronicle.runs
        assert len(runs) == 1 + 3, "three below the first; the next was refused"
        s.then(Reported(said="too many runs lie above it (setting `depth`)"))


async def test_where_parents_and_children_are_on_different_partitions() -> None:
    async with Scenario(orders, workers=4) as s:
        for run_id in "abcdefgh":
            run = s.run(run_id)
            await run.when(Ordered(topics=[run_id]))
            run.then(Reported(said=f"{run_id}: 1 by orders"))


async def test_what_is_told_passes_through_a_payload_codec_that_binds_it_to_its_place() -> None:
    codec = Encrypt({"one": bytes(range(32))}, active="one")
    asking, there = Choreography("asking", codec=codec), Choreography("there", codec=codec)

    @asking.reactor
    async def ask(ordered: Ordered) -> Child[Asked]:
        return Child(Asked(topic=ordered.topics[0]), choreography="there")

    @asking.reactor
    async def hear(news: ChildDone[Found] | ChildFailed[Asked]) -> Reported:
        if isinstance(news, ChildFailed):
            return Reported(said=f"{news.start.topic}: {news.error}")
        return Reported(said=f"{news.end.topic}: {news.end.pages}")

    @there.reactor
    async def search(asked: Asked) -> Found:
        if asked.topic == "nonsense":
            raise GiveUp("a secret reason")
        return Found(topic=asked.topic, pages=7)

    async with Scenario(asking, there) as s:
        await s.when(Ordered(topics=["tea"]))
        s.then(Reported(said="tea: 7"))
    async with Scenario(asking, there) as s:
        await s.when(Ordered(topics=["nonsense"]))
        (reported,) = [event for event in s.history if isinstance(event, Reported)]
        assert reported.said.startswith("nonsense: ")
        assert "secret" not in reported.said, "why a step failed is for those who may read the child"
