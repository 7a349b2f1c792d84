"""What an agent may spend in one run, and how long it may go on: asked before each call of the model."""

from dataclasses import dataclass
from decimal import Decimal

from farandole.schemas import DeclarationError

from .billing import Spending
from .conversations import Talk
from .errors import BudgetSpent, ModelMisbehaved, TurnsSpent
from .retries import Retries


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What an agent may spend in one run. Reached is spent: what the last call cost beyond it cannot be taken back.

    Attributes:
        usd: US dollars. A model whose price nobody knows is called once and no more.
        tokens: in and out together.
        calls: of the model.
        tool_calls: of tools.
    """

    usd: Decimal | str | None = None
    tokens: int | None = None
    calls: int | None = None
    tool_calls: int | None = None

    def __post_init__(self) -> None:
        if self.usd is not None and not isinstance(self.usd, Decimal | str):
            raise DeclarationError(f"Budget(usd={self.usd!r}): money is a Decimal, or text, as usd='0.50'")

    def check(self, spent: Spending) -> None:
        """Let the next call pass.

        Raises:
            BudgetSpent: nothing is left.
        """
        if self.usd is not None:
            usd = Decimal(self.usd)
            if spent.unpriced:
                raise BudgetSpent(
                    f"nobody knows what {spent.unpriced} costs, so that it cannot be held to {usd} USD; give the agent price="
                )
            if spent.cost + spent.set_aside >= usd:
                aside = f", and {_said(spent.set_aside)} set aside for runs that it started" if spent.set_aside else ""
                raise BudgetSpent(f"{_said(spent.cost)} of {usd} USD are spent in this run{aside}")
        for name, most, used in (
            ("tokens", self.tokens, spent.tokens),
            ("calls of the model", self.calls, spent.calls),
            ("calls of tools", self.tool_calls, spent.tool_calls),
        ):
            if most is not None and used >= most:
                raise BudgetSpent(f"{used} of {most} {name} are spent in this run")

    def has_room(self, spent: Spending) -> bool:
        """Whether what is set aside, and what was spent, is within it."""
        return self.usd is None or spent.cost + spent.set_aside <= Decimal(self.usd)


def _said(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def check_limits(turn: int, talk: Talk, turns: int, retries: Retries) -> None:
    """Let a call pass that a conversation may still make.

    Raises:
        TurnsSpent: it has had all its turns.
        ModelMisbehaved: the model was told often enough.
    """
    if turn > turns:
        raise TurnsSpent(f"the conversation has had its {turns} turns")
    if talk.corrections > retries.malformed:
        raise ModelMisbehaved(f"the reply did not fit {talk.corrections} times in a row")
    if talk.refusals > retries.refusal:
        raise ModelMisbehaved(f"the model refused {talk.refusals} times in a row")
