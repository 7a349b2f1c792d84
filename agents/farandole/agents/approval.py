"""Which calls a person must allow, and who."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel

from farandole.reactors import Ask
from farandole.schemas import Duration, Json

from .events import ToolApproved, ToolDenied, ToolProposed

Arguments: TypeAlias = Mapping[str, Any]
Needs: TypeAlias = "bool | Approval | Callable[[Arguments], bool | Approval]"
"""Whether calls of a tool need approval, in general or by their arguments, as the model gave them."""


class ToolUse(BaseModel):
    """What is decided on: one call, exactly. An answer holds its hash, so it counts for this call alone."""

    agent: str
    tool: str
    args: Json
    call: str


@dataclass(frozen=True, kw_only=True)
class Approval:
    """How a person is asked.

    Attributes:
        to: who may answer, as in `Ask`; nobody named: anybody.
        within: how long; then the call is denied. None: for ever.
        question: what is asked; None: whether the agent may call the tool.
        quorum: how many must allow it.
    """

    to: Sequence[str] = ()
    within: Duration | None = None
    question: str | None = None
    quorum: int = 1


def approval_for(needs: Needs, args: Arguments) -> Approval | None:
    """How a person is asked about a call with these arguments; None if nobody is."""
    found = needs(args) if callable(needs) else needs
    if isinstance(found, Approval):
        return found
    return Approval() if found else None


def ask(
    approval: Approval, proposed: ToolProposed, approved: type[ToolApproved], denied: type[ToolDenied]
) -> Ask[ToolApproved | ToolDenied]:
    """The question about a call."""
    question = approval.question or f"May {proposed.agent} call {proposed.tool}?"
    about = ToolUse(agent=proposed.agent, tool=proposed.tool, args=proposed.args, call=proposed.call)
    otherwise = None if approval.within is None else denied(comment="nobody answered in time")
    return Ask(
        question,
        approved,
        denied,
        about=about,
        to=approval.to,
        within=approval.within,
        otherwise=otherwise,
        quorum=approval.quorum,
    )
