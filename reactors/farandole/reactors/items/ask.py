"""A question to people."""

from collections.abc import Sequence
from typing import Any

from farandole.projections.fold import Pair
from farandole.reactors.outputs import Ask
from farandole.reactors.scribe import Part, Scribe


def parts(scribe: Scribe, run_id: bytes, pair: Pair, index: int, item: Ask[Any]) -> Sequence[Part]:
    """Its records, the first of which is the one at ``index`` in its outcome."""
    raise NotImplementedError(item)
