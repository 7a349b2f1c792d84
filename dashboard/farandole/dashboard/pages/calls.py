"""What a step called while it ran: sub-steps that say what they are, as those of agents of other frameworks do. Pure."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from farandole.projections.runs.query import RecordRow

_GOES_ON: Final = ".turn"
"""Ends the name of what goes on with an agent after a question: its calls are the agent's."""


@dataclass(frozen=True, slots=True)
class Called:
    """A call, as a reactor of its own would be named.

    Attributes:
        name: ``helper.model``, ``helper.tools.look_up``.
        detail: which model, or what came of it.
    """

    name: str
    detail: str
    since: int
    until: int


def calls_in(records: Iterable[RecordRow]) -> Iterator[Called]:
    """The calls that records tell of: sub-steps of ``kind`` ``model`` or ``tool`` that say how long they took."""
    for record in records:
        if record.kind != "substep" or record.verdict != "admitted":
            continue
        match _said(record.payload):
            case {"kind": "model", "model": str(model), "took_ms": int(took)}:
                yield Called(f"{_agent(record)}.model", model, record.at - took, record.at)
            case {"kind": "tool", "tool": str(tool), "outcome": str(outcome), "took_ms": int(took)}:
                yield Called(f"{_agent(record)}.tools.{tool}", outcome, record.at - took, record.at)


def _agent(record: RecordRow) -> str:
    return record.reactor.removesuffix(_GOES_ON)


def _said(payload: Any) -> Any:
    result = payload.get("result") if isinstance(payload, dict) else None
    if not isinstance(result, str):
        return None
    try:
        return json.loads(result)
    except ValueError:  # cut short, or masked
        return None
