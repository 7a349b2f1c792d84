"""The desk of the examples: it remembers over runs, workers and projectors that are killed, and forgets when it is told."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from examples.agents.memory import (
    Answered,
    Asked,
    Customers,
    ErasureAsked,
    OrderLost,
    Settled,
    desk,
)

from farandole.projections.custom import Log, types_of
from farandole.projections.custom.verifying import verify_projection
from farandole.projections.runs.tablespace import schema_of
from farandole.projections.sql import Database
from farandole.reactors import Client
from farandole.testing import Scenario

ROOT = Path(__file__).parents[2]
APP = "examples.agents.memory:desk"


async def test_the_desk_remembers_what_it_was_told_and_what_else_happened() -> None:
    async with Scenario(desk) as s:
        for run_id, event in {
            "one": Asked(customer="ann", question="Write to me, please."),
            "two": OrderLost(customer="ann", order="7"),
            "three": Asked(customer="ann", question="How do you reach me?"),
            "four": Asked(customer="ann", question="Which orders were lost?"),
        }.items():
            await s.run(run_id).when(event)
            await s.passes("1s")
        assert "prefers letters" in s.run("three").last(Answered).text
        assert "order 7 was lost and paid back" in s.run("four").last(Answered).text
        await s.run("five").when(ErasureAsked(customer="ann"))
        await s.run("six").when(Asked(customer="ann", question="How do you reach me?"))
        s.run("six").then(Answered(text="I know nothing of you."))


@contextmanager
def a_process(*words: str, **env: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A command in a process of its own. It is killed, whatever happens."""
    path = os.pathsep.join([str(ROOT), *sys.path])
    process = subprocess.Popen(
        [sys.executable, "-m", "farandole.cli", *words], env={**os.environ, "PYTHONPATH": path, **env}, cwd=ROOT
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def at(url: str) -> AsyncIterator[Client]:
    async with desk.connect(url, partitions=2) as client:
        yield client


async def answer(client: Client, run_id: str, question: str) -> str:
    run = await client.start(Asked(customer="ann", question=question), run_id=run_id)
    return (await run.result(Answered, timeout="100s")).text


@pytest.mark.slow
async def test_killed_workers_and_projectors_lose_nothing_of_it(tmp_path: Path, database_url: str) -> None:
    url, words = f"sqlite:///{tmp_path}/desk.db", ("--store", f"sqlite:///{tmp_path}/desk.db")
    env = {"FARANDOLE_DB": database_url}
    async with at(url) as client:
        with a_process("project", APP, *words, **env), a_process("work", APP, *words, **env):
            await answer(client, "one", "Write to me, please.")
            lost = await client.start(OrderLost(customer="ann", order="7"), run_id="two")
            await lost.result(Settled, timeout="60s")
        # Both are gone, and what is begun now waits for others.
        waiting = await client.start(Asked(customer="ann", question="How do you reach me?"), run_id="three")
        with a_process("work", APP, *words, **env), a_process("project", APP, *words, **env):
            text = (await waiting.result(Answered, timeout="100s")).text
            assert text.index("lost and paid back") < text.index("prefers letters")
        database = Database(database_url, schema_of(desk.name))
        ((name, types),) = types_of(Customers, [desk]).items()
        assert (await verify_projection(Customers, [Log(name, client.store, types)], database)).differences == ()
        database.close()
