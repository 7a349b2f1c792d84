"""Exclusive choice: one of several ways is taken. The union says which there are, the handler chooses."""

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

loans = Choreography("loans")


class LoanAsked(Start):
    amount: int


class SmallLoan(Event):
    amount: int


class LargeLoan(Event):
    amount: int


class LoanGranted(End):
    by: str


@loans.reactor
async def route(loan: LoanAsked) -> SmallLoan | LargeLoan:
    return SmallLoan(amount=loan.amount) if loan.amount < 1_000 else LargeLoan(amount=loan.amount)


@loans.reactor
async def grant(loan: SmallLoan) -> LoanGranted:
    return LoanGranted(by="the counter")


@loans.reactor
async def ask_the_board(loan: LargeLoan) -> LoanGranted:
    return LoanGranted(by="the board")
