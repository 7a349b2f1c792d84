"""A document that is published once its manager approves; a manager who is silent is passed over to the director.

farandole work examples.approval:documents --store kafka://localhost:9092
"""

from pydantic import BaseModel

from farandole.reactors import Ask, Choreography, Run, Step
from farandole.schemas import Answer, End, Event, Start

documents = Choreography("documents")


class Document(BaseModel):
    title: str
    text: str


class DocumentSubmitted(Start):
    document: Document
    manager: str
    patience: str = "2d"
    """How long each of those who are asked has."""


class Approved(Answer): ...


class Rejected(Answer):
    reason: str


class Escalated(Event): ...


class DocumentPublished(End):
    by: str


class DocumentRefused(End):
    reason: str


class Press:
    """Where documents are published. It knows each by its key, so that the same one twice is one."""

    async def publish(self, title: str, key: str) -> None: ...


@documents.provide
def press() -> Press:
    return Press()


@documents.reactor
async def ask_manager(it: DocumentSubmitted) -> Ask[Approved | Rejected | Escalated]:
    return Ask("Publish?", Approved, Rejected, about=it.document,
               to=[it.manager], within=it.patience, otherwise=Escalated())  # fmt: skip


@documents.reactor
async def ask_director(up: Escalated, run: Run[DocumentSubmitted]) -> Ask[Approved | Rejected]:
    it, silence = run.start, Rejected(reason="nobody answered")
    return Ask("Publish? The manager is silent", Approved, Rejected, about=it.document,
               to=["role:director"], within=it.patience, otherwise=silence)  # fmt: skip


@documents.reactor
async def publish(yes: Approved, step: Step, run: Run[DocumentSubmitted], press: Press) -> DocumentPublished:
    await press.publish(run.start.document.title, step.key)
    return DocumentPublished(by=yes.by)


@documents.reactor
async def refuse(no: Rejected) -> DocumentRefused:
    return DocumentRefused(reason=no.reason)
