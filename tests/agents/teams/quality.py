"""The team that looks after quality. It has read in the catalogue that refunds are proposed, and takes what it needs of that."""

from farandole.agents import Agent, scripted
from farandole.reactors import Choreography
from farandole.schemas import Event

shop = Choreography("shop", service="quality")


class RefundProposed(Event):
    order: str


class CauseFound(Event):
    text: str


inspector = Agent(
    "inspector",
    takes=RefundProposed,
    gives=CauseFound,
    prompt=lambda proposed: f"Why was order {proposed.order} paid back?",
    model=scripted(lambda messages: f"{messages[0].parts[0].content} A parcel was lost."),  # type: ignore[union-attr]
)
inspector.serve(shop)
