"""Questions that put runs, events and people together."""

import asyncio

from tests.projections.runs.test_real_runs import Applied, Closed, Granted, at_the_desk

from farandole.projections.runs.query import compare_payloads
from farandole.projections.sql import Database

QUERY = "by=bob&via=token&ip=10.1.2.3&why=the%20queue%20is%20long"


async def test_every_run_of_a_family_tells_the_whole_of_it(database: Database) -> None:
    async with at_the_desk(database) as (client, runs):
        await client.start(Applied(customer="ann", wish="check"), run_id="r")
        await client.run("r").result(Closed)
        while len((await runs.list()).found) < 4 or any(run.closed is None for run in (await runs.list()).found):
            await asyncio.sleep(0.01)
        children = [child.child for child in (await runs.children("r")).found]
        for run_id in ("r", *children):
            family = (await runs.family(run_id)).found
            assert family is not None
            assert (family.root, family.parent, family.whole) == ("r", None, True)
            assert [(m.run_id, m.depth, m.status) for m in family.members] == [
                ("r", 0, "completed"),
                *((child, 1, "completed") for child in children),
            ]
        assert (await runs.family("nobody")).found is None


async def test_what_came_of_what_is_a_graph_with_what_is_still_owed(database: Database) -> None:
    async with at_the_desk(database) as (client, runs):
        await client.start(Applied(customer="ann", wish="break"), run_id="broken")
        await client.start(Applied(customer="ann"), run_id="well")
        while (run := (await runs.get("broken")).found) is None or run.status != "failed":
            await asyncio.sleep(0.01)
        await client.run("well").result(Closed)
        graph = (await runs.graph("broken")).found
        assert graph is not None
        assert [(n.kind, n.reactor) for n in graph.nodes] == [
            ("start", ""),
            ("failure", "handle"),
            ("parked", "handle"),
        ]
        start, failure, parked = graph.nodes
        assert {(e.source, e.target) for e in graph.edges} == {(start.id, failure.id), (start.id, parked.id)}
        while (run := (await runs.get("well")).found) is None or run.closed is None:
            await asyncio.sleep(0.01)
        graph = (await runs.graph("well")).found
        assert graph is not None
        assert [n.type.rpartition(".")[2] for n in graph.nodes] == ["Applied", "Closed"]
        assert [(e.source, e.target, e.reactor) for e in graph.edges] == [
            (graph.nodes[0].id, graph.nodes[1].id, "handle")
        ]


async def test_two_runs_are_compared_up_to_where_they_went_apart(database: Database) -> None:
    async with at_the_desk(database) as (client, runs):
        await client.start(Applied(customer="ann", wish="ask"), run_id="a")
        await client.start(Applied(customer="bob"), run_id="b")
        for run_id in ("a", "b"):
            while (await runs.get(run_id)).found is None:
                await asyncio.sleep(0.01)
        await client.run("b").result(Closed)
        while not (await runs.decisions()).found or (await runs.list()).found[0].closed is None:
            await asyncio.sleep(0.01)
            if (
                (run := (await runs.get("b")).found) is not None
                and run.closed is not None
                and (await runs.decisions()).found
            ):
                break
        diff = (await runs.diff("a", "b")).found
        assert diff is not None
        assert diff.events[0].kind == "changed"
        assert {path: (x, y) for path, x, y in diff.events[0].fields} == {
            "customer": ("ann", "bob"),
            "wish": ("ask", ""),
        }
        assert diff.first == 1
        same = (await runs.diff("a", "a")).found
        assert same is not None
        assert {each.kind for each in same.events} == {"same"}
        assert (await runs.diff("a", "nobody")).found is None


def test_fields_that_differ_are_named_by_their_paths() -> None:
    a = {"x": 1, "y": {"z": [1, {"w": 2}]}, "gone": True}
    b = {"x": 1.0, "y": {"z": [1, {"w": 3}]}, "new": None}
    assert compare_payloads(a, b) == (("x", 1, 1.0), ("y.z[1].w", 2, 3), ("gone", True, None))


async def test_what_people_did_is_found_by_who_it_was(database: Database) -> None:
    async with at_the_desk(database) as (client, runs):
        behalf = client.of(f"/desk/dashboard?{QUERY}")
        await behalf.start(Applied(customer="ann", wish="ask"), run_id="r")
        (asked,) = [await client.run("r").decision()]
        await behalf.run("r").decide(asked, Granted(comment="fine"), by="ann")
        await client.start(Applied(customer="ann", wish="later"), run_id="s")
        await client.run("s").cancel("no more", by="ann")
        while len((await runs.acts()).found) < 3:
            await asyncio.sleep(0.01)
        found = (await runs.acts()).found
        assert [(act.kind, act.by, act.why, act.via, act.ip, act.run_id) for act in found] == [
            ("cancel", "ann", "no more", None, None, "s"),
            ("answer", "ann", "fine", "token", "10.1.2.3", "r"),
            ("start", "bob", "the queue is long", "token", "10.1.2.3", "r"),
        ]
        assert [act.kind for act in (await runs.acts(by="bob")).found] == ["start"]
        assert [act.kind for act in (await runs.acts(kind=["cancel"])).found] == ["cancel"]
        assert [act.kind for act in (await runs.acts(run_id="r")).found] == ["answer", "start"]
        paged, cursor = [], None
        while cursor is not None or not paged:
            page = await runs.acts(limit=1, cursor=cursor)
            paged, cursor = [*paged, *page.found], page.next
            if cursor is None:
                break
        assert tuple(paged) == found


async def test_what_is_due_and_who_serves_are_told_over_all_runs(database: Database) -> None:
    async with at_the_desk(database) as (client, runs):
        for n in range(3):
            await client.start(Applied(customer="ann", wish="later"), run_id=f"r-{n}")
        while len((await runs.due()).found) < 3:
            await asyncio.sleep(0.01)
        found = (await runs.due()).found
        assert {due.run_id for due in found} == {"r-0", "r-1", "r-2"}
        assert [due.due for due in found] == sorted(due.due for due in found)
        first = await runs.due(limit=2)
        rest = await runs.due(limit=2, cursor=first.next)
        assert (*first.found, *rest.found) == found
        assert rest.next is None
        (service,) = (await runs.services()).found
        assert service.service == client.scribe.choreography
        assert set(service.reactors) == {"handle", "check", "gather", "grant", "refuse", "remind"}


async def test_lists_of_one_run_come_in_pages(database: Database) -> None:
    async with at_the_desk(database) as (client, runs):
        await client.start(Applied(customer="ann", wish="check"), run_id="r")
        await client.run("r").result(Closed)
        while (run := (await runs.get("r")).found) is None or run.closed is None:
            await asyncio.sleep(0.01)
        for ask in (runs.steps, runs.children):
            whole = (await ask("r")).found
            paged, cursor = list((first := await ask("r", limit=1)).found), first.next
            while cursor is not None:
                page = await ask("r", limit=1, cursor=cursor)
                paged, cursor = [*paged, *page.found], page.next
            assert tuple(paged) == whole
