"""What the history of each order must be, whatever became of the workers."""

from collections import Counter
from collections.abc import Iterable

from checker.state import Run

SHIPPED = Counter(
    {b"orders.OrderPlaced": 1, b"orders.PaymentTaken": 1, b"orders.OrderPacked": 1, b"orders.OrderShipped": 1}
)
REFUSED = Counter({b"orders.OrderPlaced": 1, b"orders.OrderPacked": 1, b"orders.OrderRefused": 1})
SHIPPED_STEPS = Counter({b"take_payment": 1, b"pack": 1, b"ship": 1, b"thank": 1})
REFUSED_STEPS = Counter({b"take_payment": 1, b"refuse": 1, b"pack": 1, b"restock": 1})
ADVISED = b"orders.Advised"
"""Of the signals that a load may send; nothing follows from them."""
DECLINED = "0000"
"""A card that the bank takes nothing from."""


def card(number: int) -> str:
    """What an order is paid with: one in ten is declined."""
    return DECLINED if number % 10 == 0 else "4242"


def wrong_histories(runs: Iterable[Run]) -> list[str]:
    """One line for each order that has not exactly the events and the steps that it must have."""
    wrong = []
    for run in runs:
        events = Counter(event.type for event in run.history if event.type != ADVISED)
        steps = Counter(debt.pair[1] for debt in run.debts if debt.settled in ("outcome", "handled"))
        declined = card(int(run.key.removeprefix(b"order-"))) == DECLINED
        expected = (REFUSED, REFUSED_STEPS) if declined else (SHIPPED, SHIPPED_STEPS)
        if (events, steps) != expected or len(run.debts) != 4:
            wrong.append(f"{run.key.decode()}: {dict(events)}, {dict(steps)}, owed {len(run.debts)} in all")
    return wrong
