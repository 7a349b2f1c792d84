"""The approval program of the design, as it stands, on every store; and its two days and a week on virtual time."""

from typing import Any

import pytest
from tests.programs import program as load_program

from farandole.testing import Scenario


@pytest.fixture
def program() -> Any:
    """The program, under a name of its own, so that no run of it meets the log of another."""
    return load_program("a02_approval")[0]


async def test_a_document_is_published(program: Any, url: str) -> None:
    p = program
    async with p.docs.work(url, partitions=2), p.docs.connect(url) as client:
        run = await client.start(p.DocumentSubmitted(document=p.Document(title="News", text="x"), manager="ann"))
        while not (asked := await client.decisions(to="ann")):
            await client.follower.progress()
        assert asked[0].about == {"title": "News", "text": "x"}
        await run.decide(asked[0], p.Approved(comment="ok"), by="ann")
        assert await run.result(p.DocumentPublished, timeout="60s") == p.DocumentPublished(by="ann")


async def test_a_document_on_which_nobody_decides_is_refused_by_the_clock(program: Any) -> None:
    p = program
    async with Scenario(p.docs) as s:
        await s.when(p.DocumentSubmitted(document=p.Document(title="News", text="x"), manager="ann"), after="2d")
        s.then_only(p.Escalated(level=1))
        await s.passes("5d")
        s.then(p.Rejected(reason="nobody answered"), p.DocumentRefused(reason="nobody answered"))
