"""The approval of the examples, on virtual time."""

from examples.approval import (
    Approved,
    Document,
    DocumentPublished,
    DocumentRefused,
    DocumentSubmitted,
    Escalated,
    Rejected,
    documents,
)

from farandole.testing import Scenario

NEWS = DocumentSubmitted(document=Document(title="News", text="..."), manager="ann")


async def test_the_manager_approves() -> None:
    async with Scenario(documents) as s:
        await s.when(NEWS, after="1d")
        assert s.status.status == "waiting"
        await s.when(Approved(by="ann"))
        s.then_only(DocumentPublished(by="ann"))


async def test_the_manager_rejects() -> None:
    async with Scenario(documents) as s:
        await s.when(NEWS)
        await s.when(Rejected(by="ann", reason="dull"))
        s.then_only(DocumentRefused(reason="dull"))


async def test_a_silent_manager_is_passed_over_to_the_director() -> None:
    async with Scenario(documents) as s:
        await s.when(NEWS, after="2d")
        s.then_only(Escalated())
        await s.when(Approved(by="dora"))
        s.then_only(DocumentPublished(by="dora"))


async def test_nobody_answers() -> None:
    async with Scenario(documents) as s:
        await s.when(NEWS, after="4d")
        s.then_only(Escalated(), Rejected(reason="nobody answered"), DocumentRefused(reason="nobody answered"))
