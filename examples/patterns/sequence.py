"""Sequence: a step begins once the one before it is done. The event between them is the arrow."""

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

claims = Choreography("claims")


class ClaimFiled(Start):
    damage: int


class ClaimAssessed(Event):
    payable: int


class ClaimPaid(End):
    amount: int


@claims.reactor
async def assess(claim: ClaimFiled) -> ClaimAssessed:
    return ClaimAssessed(payable=claim.damage * 9 // 10)


@claims.reactor
async def pay(assessed: ClaimAssessed) -> ClaimPaid:
    return ClaimPaid(amount=assessed.payable)
