"""MCP servers as tools of an agent: a real server of the package ``mcp``, run as a process."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from mcp import MCPError
from pydantic_ai.models.function import AgentInfo
from tests.agents import mcp_server

from farandole.agents import Agent, Approval, Call, McpServer, scripted
from farandole.agents.connecting import Connection
from farandole.agents.errors import ServerUnreachable
from farandole.reactors import Choreography, Retry
from farandole.schemas import DeclarationError, End, Start

SHORT = 4
"""Seconds that a call may take, of a server one of whose tools is slow."""


class Asked(Start):
    question: str


class Answered(End):
    text: str


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


def shop(ledger: Path, **options: Any) -> McpServer:
    return McpServer("shop", [sys.executable, mcp_server.__file__, str(ledger)], **options)


def calls(ledger: Path) -> Sequence[str]:
    return [line.partition(" ")[2] for line in ledger.read_text().splitlines()]


def served(server: McpServer, *script: Any, **options: Any) -> tuple[Choreography, Agent]:
    desk = Choreography("desk")
    agent = Agent("helper", takes=Asked, gives=Answered, model=scripted(*script), tools=[server], **options)
    agent.serve(desk)
    return desk, agent


async def returned(desk: Choreography, agent: Agent) -> list[Any]:
    """What came of the calls of one run."""
    async with desk.work(f"memory://{id(desk)}") as client:
        run = await client.start(Asked(question="Where is order 7?"))
        await run.result(Answered, timeout="30s")
        return [r.event async for r in run.events(live=False) if isinstance(r.event, agent.events.ToolReturned)]


async def test_a_servers_tools_are_called_and_the_process_is_one_for_the_worker(ledger: Path) -> None:
    desk, agent = served(
        shop(ledger),
        [Call("shop_look_up", order="7"), Call("shop_look_up", order="8")],
        Call("shop_refund", order="7", usd=5),
        "Lost.",
    )
    first, second, third = await returned(desk, agent)
    assert (first.content, second.content) == ({"result": "order 7 was lost"}, {"result": "order 8 was lost"})
    assert third.content == {"order": "7", "usd": 5}
    assert calls(ledger)[0] == "started"
    assert sorted(calls(ledger)[1:3]) == ["look_up 7", "look_up 8"]
    name, order, key = calls(ledger)[3].split()
    assert (name, order, len(key)) == ("refund", "7", 32)


async def test_the_model_is_told_of_the_tools_that_the_server_has(ledger: Path) -> None:
    told: list[AgentInfo] = []
    from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
    from pydantic_ai.models.function import FunctionModel

    async def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        told.append(info)
        return ModelResponse([TextPart("Well.")])

    desk = Choreography("desk")
    server = shop(ledger, only=["look_up"])
    Agent("helper", takes=Asked, gives=Answered, model=FunctionModel(reply), tools=[server]).serve(desk)
    async with desk.work("memory://told") as client:
        run = await client.start(Asked(question="?"))
        await run.result(Answered, timeout="30s")
    (tool,) = told[0].function_tools
    assert (tool.name, tool.description) == ("shop_look_up", "What became of an order.")
    assert tool.parameters_json_schema["required"] == ["order"]


async def test_a_call_waits_for_people_by_the_rules_of_its_tool(ledger: Path) -> None:
    server = shop(ledger, needs_approval={"refund": Approval(to=["role:desk"], within="1d")})
    desk, agent = served(server, Call("shop_look_up", order="7"), Call("shop_refund", order="7", usd=5), "Paid.")
    async with desk.work("memory://approved") as client:
        run = await client.start(Asked(question="?"))
        decision = await run.decision(agent.events.ToolApproved, timeout="30s")
        assert decision.question == "May helper call shop_refund?"
        assert not [line for line in calls(ledger) if line.startswith("refund")]
        await run.decide(decision, agent.events.ToolApproved(), by="ann")
        await run.result(Answered, timeout="30s")
    assert len([line for line in calls(ledger) if line.startswith("refund")]) == 1


async def test_what_the_server_says_went_wrong_is_told_to_the_model(ledger: Path) -> None:
    script = (
        Call("shop_fails", why="no stock"),
        Call("shop_refund", order="7", usd="many"),
        Call("shop_nothing"),
        "Sorry.",
    )
    desk, agent = served(shop(ledger), *script)
    failed, unfit, unknown = await returned(desk, agent)
    assert failed.outcome == "failed"
    assert "no stock" in failed.content
    assert unfit.outcome == "failed"
    assert "usd" in unfit.content
    assert unknown.outcome == "failed"
    assert calls(ledger).count("fails") == 1


async def test_a_server_that_died_is_started_again_and_the_call_made_again(ledger: Path) -> None:
    desk, agent = served(shop(ledger, retry=Retry(attempts=3, first="50ms")), Call("shop_dies_once"), "Well.")
    (event,) = await returned(desk, agent)
    assert event.content == {"result": "alive"}
    assert [line for line in calls(ledger) if line != "started"] == ["dies_once"] * 2
    assert calls(ledger).count("started") == 2


async def test_a_call_that_is_not_to_be_repeated_is_not(ledger: Path) -> None:
    desk, agent = served(shop(ledger, repeat=False), Call("shop_dies_once"), "Nobody knows.")
    (event,) = await returned(desk, agent)
    assert event.outcome == "unknown"
    assert "Nobody knows whether this call took effect" in event.content
    assert calls(ledger).count("dies_once") == 1


async def test_nobody_knows_of_a_slow_call_that_is_not_to_be_repeated(ledger: Path) -> None:
    desk, agent = served(shop(ledger, repeat=False, timeout="1s"), Call("shop_slow"), "Nobody knows.")
    (event,) = await returned(desk, agent)
    assert event.outcome == "unknown"
    assert calls(ledger).count("slow") == 1


@pytest.mark.parametrize("bad", ["slow", "bends"])
async def test_a_call_that_goes_wrong_leaves_the_others_alone(ledger: Path, bad: str) -> None:
    connection = Connection(shop(ledger, timeout=f"{SHORT}s"))
    try:
        going_wrong = asyncio.create_task(connection.call(bad, {}, "1"))
        await until_called(ledger, bad)
        if bad == "slow":
            await asyncio.sleep(SHORT / 2)  # the others have time left when the slow call has none
        waiting = [asyncio.create_task(connection.call("waits", {"name": "go"}, str(n))) for n in range(2)]
        with pytest.raises((ServerUnreachable, MCPError)):
            await going_wrong
        (ledger.parent / "go").touch()
        for each in waiting:
            assert (await each).structured_content == {"result": "waited"}
    finally:
        await connection.close()
    assert calls(ledger).count("started") == 1


async def test_what_cannot_be_read_is_told_to_the_model_and_not_called_again(ledger: Path) -> None:
    desk, agent = served(shop(ledger), Call("shop_bends"), "Well.")
    (event,) = await returned(desk, agent)
    assert event.outcome == "failed"
    assert "what the server gave cannot be read" in event.content
    assert calls(ledger).count("bends") == 1


async def test_a_server_that_is_slow_for_all_is_started_again(ledger: Path) -> None:
    connection = Connection(shop(ledger, timeout="1s"))
    try:
        with pytest.raises(ServerUnreachable):
            await connection.call("slow", {}, "1")
        assert (await connection.call("look_up", {"order": "7"}, "2")).structured_content
    finally:
        await connection.close()
    assert calls(ledger).count("started") == 2


MUTE = "import pathlib, sys; sys.stdin.readline(); pathlib.Path(sys.argv[1]).write_text('1 asked'); sys.stdin.read()"


@pytest.mark.parametrize("asked", [False, True])
async def test_a_server_that_never_says_anything_holds_nobody_up(ledger: Path, asked: bool) -> None:
    connection = Connection(McpServer("mute", [sys.executable, "-c", MUTE, str(ledger)], timeout="10m"))
    asking = asyncio.create_task(connection.definitions())
    while connection._task is None:
        await asyncio.sleep(0)
    if asked:
        await until_called(ledger, "asked")
    async with asyncio.timeout(20):
        await connection.close()
        with pytest.raises(ServerUnreachable, match="cannot be connected to"):
            await asking


async def test_whoever_is_cancelled_while_a_server_starts_leaves_it_to_the_next(ledger: Path) -> None:
    heard: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    connection = Connection(shop(ledger))
    asking = asyncio.create_task(connection.definitions())
    while connection._task is None:
        await asyncio.sleep(0)
    task = connection._task
    asking.cancel()
    await asyncio.wait([asking])
    assert await connection.definitions()
    await connection.close()
    assert task.done()
    assert task.exception() is None
    assert calls(ledger).count("started") == 1
    assert heard == []


async def test_many_who_wait_for_a_server_that_does_not_start_wait_for_it_together(ledger: Path) -> None:
    connection = Connection(
        McpServer("mute", [sys.executable, "-c", f"open({str(ledger)!r}, 'a').write('1 begun\\n')"])
    )
    try:
        asked = [asyncio.create_task(connection.call("look_up", {}, str(n))) for n in range(20)]
        for each in asyncio.as_completed(asked):
            with pytest.raises(ServerUnreachable, match="cannot be connected to"):
                await each
    finally:
        await connection.close()
    assert calls(ledger) == ["begun"]


async def test_a_server_that_hangs_while_calls_queue_is_started_again(ledger: Path) -> None:
    connection = Connection(shop(ledger, timeout="2s"))
    try:
        hanging = asyncio.create_task(connection.call("hangs", {}, "1"))
        await until_called(ledger, "hangs")
        await asyncio.sleep(1)
        queueing = asyncio.create_task(connection.call("look_up", {"order": "7"}, "2"))
        with pytest.raises(ServerUnreachable):
            await hanging
        assert not queueing.done()
        assert (await connection.call("look_up", {"order": "8"}, "3")).structured_content
        with pytest.raises(ServerUnreachable):
            await queueing
    finally:
        await connection.close()
    assert calls(ledger).count("started") == 2


@pytest.mark.parametrize(("tool", "started"), [("hangs", 2), ("slow", 1)])
async def test_a_server_in_whose_call_a_step_was_cancelled_is_started_again_if_it_hangs(
    ledger: Path, tool: str, started: int
) -> None:
    connection = Connection(shop(ledger))
    try:
        calling = asyncio.create_task(connection.call(tool, {}, "1"))
        await until_called(ledger, tool)
        calling.cancel()
        await asyncio.wait([calling])
        async with asyncio.timeout(30):
            assert (await connection.call("look_up", {"order": "7"}, "2")).structured_content
    finally:
        await connection.close()
    assert calls(ledger).count("started") == started


async def test_a_server_has_its_time_to_start_however_soon_it_is_to_answer(ledger: Path) -> None:
    (ledger.parent / "slow_start").touch()
    server = shop(ledger, timeout="1s", retry=Retry(attempts=2, first="50ms"))
    desk, agent = served(server, Call("shop_dies_once"), "Well.")
    (event,) = await returned(desk, agent)
    assert event.content == {"result": "alive"}
    assert calls(ledger).count("started") == 2


async def test_a_server_that_reads_nothing_holds_nobody_up(ledger: Path) -> None:
    connection = Connection(shop(ledger, timeout="1s"))
    try:
        hanging = asyncio.create_task(connection.call("hangs", {}, "1"))
        await until_called(ledger, "hangs")
        more_than_a_pipe_holds = {"order": "7" * 1_000_000}
        asked = [asyncio.create_task(connection.call("look_up", more_than_a_pipe_holds, str(n))) for n in range(3)]
        async with asyncio.timeout(30):
            for each in (hanging, *asked):
                with pytest.raises(ServerUnreachable):
                    await each
    finally:
        await connection.close()


async def until_called(ledger: Path, tool: str) -> None:
    while not ledger.exists() or tool not in calls(ledger):
        await asyncio.sleep(0.02)


@pytest.fixture
async def port(ledger: Path) -> AsyncIterator[int]:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    yield port


async def test_a_server_over_http_that_is_away_is_waited_for(ledger: Path, port: int) -> None:
    server = McpServer("shop", f"http://127.0.0.1:{port}/mcp")
    desk = Choreography("desk")
    from farandole.agents import Retries

    agent = Agent(
        "helper",
        takes=Asked,
        gives=Answered,
        model=scripted(Call("shop_look_up", order="7"), "Lost."),
        tools=[server],
        retries=Retries(transport=Retry(attempts=100, first="100ms", most="200ms")),
    )
    agent.serve(desk)
    async with desk.work("memory://http") as client:
        run = await client.start(Asked(question="?"))
        await until_retried(run)
        process = await asyncio.create_subprocess_exec(
            sys.executable, mcp_server.__file__, str(ledger), str(port), stderr=asyncio.subprocess.DEVNULL
        )
        try:
            assert (await run.result(Answered, timeout="30s")).text == "Lost."
        finally:
            process.kill()
            await process.wait()
    assert "look_up 7" in calls(ledger)


async def until_retried(run: Any) -> None:
    while not any(owed.attempts for owed in (await run.status()).owed):
        await asyncio.sleep(0.02)


def test_a_name_that_would_not_tell_its_tools_apart_is_refused() -> None:
    with pytest.raises(DeclarationError, match="small letters and digits"):
        McpServer("the_shop", ["server"])


def test_an_agent_with_a_server_is_declared_without_it() -> None:
    desk, agent = served(McpServer("shop", "http://nowhere.invalid/mcp"), "Well.")
    assert "helper.tools.shop" in [reactor.name for reactor in desk.reactors]
    assert agent.events.called["shop"].__name__ == "HelperShopCalled"
