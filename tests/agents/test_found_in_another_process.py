"""The supervisor of the examples finds the library of another process, on a real broker, though the library's worker is killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from examples.agents.supervisor import Answered, Asked, office, supervisor
from examples.research.events import ResearchAsked, Researched
from examples.research.finding import library

from flow.fresh_topics import forget_topics

ROOT = Path(__file__).parents[2]


@contextmanager
def a_worker(app: str, url: str, member: str) -> "Iterator[subprocess.Popen[bytes]]":
    """``farandole work`` in a process of its own. It is killed, whatever happens."""
    words = [
        sys.executable,
        "-m",
        "farandole.cli",
        "work",
        app,
        "--store",
        url,
        "--member",
        member,
        "--partitions",
        "4",
    ]
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    process = subprocess.Popen(words, env={**os.environ, "PYTHONPATH": path}, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_an_agent_has_its_answer_from_a_service_of_another_process_that_is_killed_meanwhile(kafka: str) -> None:
    url, finding = f"kafka://{kafka}", "examples.research.finding:library"
    for name in (library.name, office.name):
        await forget_topics(kafka, name)
    with a_worker(finding, url, "library-a") as killed:
        async with library.connect(url, partitions=4) as client:
            # Who finds others starts after them.
            run = await client.start(ResearchAsked(question="pears"))
            assert (await run.result(Researched, timeout="100s")).finding == "Pears are sweet."
        with a_worker("examples.agents.supervisor:office", url, "office-a"):
            async with office.connect(url, partitions=4) as client:
                asked = await client.start(Asked(question="figs and plums"))
                async for recorded in asked.events():
                    if isinstance(recorded.event, supervisor.events.called["library"]):
                        killed.kill()
                        killed.wait()
                        break
                with a_worker(finding, url, "library-a"):
                    answer = await asked.result(Answered, timeout="100s")
    assert answer.text == "Figs are sweet. / Plums are sweet."
