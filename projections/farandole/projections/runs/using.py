"""What was used of models, as rows: one for each call, or for each group of calls, that a record tells of."""

from typing import Any

from farandole.schemas import Usage
from farandole.schemas.usage import picodollars


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
