"""Document approval; escalates to the director after two days; answers are typed."""

from pydantic import BaseModel

from farandole.reactors import Ask, Choreography, Run
from farandole.schemas import Answer, End, Event, Start

docs = Choreography("docs")


class Document(BaseModel):
    title: str
    text: str


class DocumentSubmitted(Start):
    document: Document
    manager: str


class Approved(Answer): ...


class Rejected(Answer):
    reason: str


class Escalated(Event):
    level: int


class DocumentPublished(End):
    by: str


class DocumentRefused(End):
    reason: str


@docs.reactor
async def ask_manager(doc: DocumentSubmitted) -> Ask[Approved | Rejected | Escalated]:
    return Ask(
        f"Publish {doc.document.title}?",
        Approved,
        Rejected,
        about=doc.document,
        to=[doc.manager],
        within="2d",
        otherwise=Escalated(level=1),
    )


@docs.reactor
async def ask_director(up: Escalated, run: Run[DocumentSubmitted]) -> Ask[Approved | Rejected]:
    return Ask(
        "Publish? The manager did not answer",
        Approved,
        Rejected,
        about=run.start.document,
        to=["role:director"],
        within="5d",
        otherwise=Rejected(reason="nobody answered"),
    )


@docs.reactor
async def publish(yes: Approved) -> DocumentPublished:
    return DocumentPublished(by=yes.by)


@docs.reactor
async def refuse(no: Rejected) -> DocumentRefused:
    return DocumentRefused(reason=no.reason or no.comment)
