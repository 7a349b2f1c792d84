"""What other frameworks say hello with: each row of docs/patterns.md by its example."""

import logging

import pytest
from examples.hello import (
    activity,
    activity_method,
    activity_multiprocess,
    activity_retry,
    activity_threaded,
    async_activity_completion,
    change_log_level,
    exception,
    exec,
    multiple_workers,
    patched,
    query,
    signal,
    update,
)

from farandole.reactors import RunFailed
from farandole.testing import Scenario


async def test_activity() -> None:
    async with Scenario(activity.greetings) as s:
        await s.when(activity.GreetingWanted(greeting="Hello", name="World"))
        s.then_only(activity.Greeted(text="Hello, World!"))


async def test_activity_method() -> None:
    async with Scenario(activity_method.greetings) as s:
        await s.when(activity_method.GreetingWanted(customer=7))
        s.then(activity_method.Greeted(text="Bonjour, customer 7!"))


async def test_activity_multiprocess() -> None:
    async with activity_multiprocess.greetings.work("memory://hello-multiprocess") as client:
        run = await client.start(activity_multiprocess.GreetingWanted(name="World"))
        assert await run.result(timeout="60s") == activity_multiprocess.Greeted(text="Hello, World!")


async def test_activity_retry() -> None:
    p = activity_retry
    async with Scenario(p.greetings) as s:
        await s.when(p.GreetingWanted(name="World"), after="13s")
        assert [each.attempt for each in s.failures()] == [1, 2, 3]
        s.owes(p.greet)
        await s.passes("1s")
        s.then_only(p.Greeted(text="Hello, World!", attempts=4))


async def test_activity_threaded() -> None:
    async with Scenario(activity_threaded.greetings) as s:
        await s.when(activity_threaded.GreetingWanted(name="World"))
        s.then_only(activity_threaded.Greeted(text="Hello, World!"))


async def test_async_activity_completion() -> None:
    p = async_activity_completion
    async with Scenario(p.greetings, run_id="run-1") as s:
        await s.when(p.GreetingWanted(name="World"), after="1d")
        s.then_only(p.ComposerAsked(ticket="run-1"))
        assert s.status.status == "waiting"
        await s.when(p.Composed(text="Hello at last"))
        s.then_only(p.Greeted(text="Hello at last"))


async def test_change_log_level(caplog: pytest.LogCaptureFixture) -> None:
    p = change_log_level
    logger = logging.getLogger("farandole.greetings.greet")
    async with Scenario(p.greetings) as s:
        await s.when(p.GreetingWanted(name="World"))
        assert "composing" not in caplog.text
        try:
            p.tell_all()
            await s.run("another").when(p.GreetingWanted(name="Moon"))
        finally:
            logger.setLevel(logging.NOTSET)
        assert "composing for Moon" in caplog.text


async def test_exception() -> None:
    p = exception
    async with Scenario(p.greetings) as s:
        await s.when(p.GreetingWanted(name="World"), after="1m")
        s.owes(p.greet)
        assert s.status.status == "failed"
        with pytest.raises(RunFailed, match="I do not know World"):
            await s.use(lambda client: client.run(s.id).result())


async def test_exec() -> None:
    async with Scenario(exec.sandbox) as s:
        await s.when(exec.CodeWritten(code="result = sum(range(5))"))
        s.then_only(exec.CodeRan(result="10"))
    async with Scenario(exec.sandbox) as s:
        await s.when(exec.CodeWritten(code="open('/etc/passwd')"))
        assert [each.error for each in s.failures()] == ["NameError"]


async def test_multiple_workers() -> None:
    p = multiple_workers
    async with Scenario(p.desk, p.choir) as s:
        await s.when(p.GreetingWanted(name="World"))
        s.then_only(p.Composed(text="Hello, World!"), p.Greeted(text="HELLO, WORLD!"))


async def test_patched() -> None:
    p, url = patched, "memory://hello-patched"
    async with p.before.connect(url, partitions=1) as client:
        async with p.before.work(url):
            old = await client.start(p.GreetingWanted(), run_id="old")
            async for recorded in old.events():
                if isinstance(recorded.event, p.ComposedBefore):
                    break
        async with p.after.work(url):
            new = await client.start(p.GreetingWanted(), run_id="new")
            for run in (old, new):
                await run.send(p.NameGiven(name="World"))
            assert await old.result(timeout="60s") == p.Greeted(text="Hello, World?")
            assert await new.result(timeout="60s") == p.Greeted(text="Bonjour, World!")


async def test_query() -> None:
    p = query
    async with Scenario(p.greetings) as s:
        await s.when(p.GreetingWanted(name="World"), after="1s")
        assert s.status.status == "running"
        assert await s.use(lambda client: p.greeting_of(client, s.id)) == "Hello, World!"
        s.then_only(p.Greeted(text="Goodbye, World!"))


async def test_signal() -> None:
    p = signal
    async with Scenario(p.greetings) as s:
        await s.when(p.DoorOpened())
        for name in ("Ann", "Ben"):
            await s.when(p.GuestCame(name=name), after="1h")
        await s.when(p.DoorShut())
        s.then_only(p.AllGreeted(texts=["Hello, Ann!", "Hello, Ben!"]))


async def test_update() -> None:
    p = update
    async with Scenario(p.carts) as s:
        await s.when(p.CartOpened())
        added = await s.use(lambda client: p.ask_for(client.run(s.id), "1", "tea"))
        assert added == p.ItemAdded(request="1", item="tea")
        refused = await s.use(lambda client: p.ask_for(client.run(s.id), "2", ""))
        assert refused == p.ItemRefused(request="2", why="name the item")
