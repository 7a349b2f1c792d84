"""What was used of models, as rows: one for each call, or for each group of calls, that a record tells of."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from farandole.schemas import Usage

PICO: Final = 10**12
_MOST: Final = 10**17
"""Of one row, so that a sum over many is a number that databases have."""


def usage_row(
    partition: int, offset: int, number: int, run: int, at: int, reactor: str, used: Usage, admitted: bool
) -> list[Any]:
    """A row of the table ``usage``.

    Args:
        number: of the usage among those of its record.
        at: log time.
        admitted: whether the record counts already.
    """
    return [
        partition, offset, number, run, at, reactor, used.agent or reactor, used.model, used.calls, used.input_tokens,
        used.output_tokens, used.cache_read_tokens, used.cache_write_tokens, picodollars(used.cost), admitted,
    ]  # fmt: skip


def picodollars(cost: Decimal | None) -> int | None:
    """US dollars as a whole number, exact to twelve places."""
    if cost is None:
        return None
    if abs(cost) >= _MOST // PICO:
        return _MOST if cost > 0 else -_MOST
    return int((cost * PICO).to_integral_value(ROUND_HALF_EVEN))


def dollars(pico: int) -> Decimal:
    """The number as US dollars."""
    return (Decimal(pico) / PICO).normalize() + 0
