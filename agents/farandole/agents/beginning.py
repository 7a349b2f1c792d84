"""The first step of an agent: from what it takes to the first request."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic_ai.messages import ModelRequestPart, UserPromptPart

from farandole.reactors import Step

from .conversations import Conversations, as_recorded
from .guards import guarded
from .remembering import told

if TYPE_CHECKING:
    from .agent import Agent

_DIGITS = 16
"""Of the step's key, which name a conversation within its run."""


def begin(agent: "Agent") -> Any:
    """The reactor that opens a conversation. What the model is told is recorded: it is what it was told."""
    where = f"agent {agent.name}"

    async def handle(taken: Any, state: Conversations, step: Step, memories: Any = None) -> Any:
        instead = await guarded(agent.before, taken, agent.gives, where)
        if instead is not None:
            return instead
        instructions = agent.instructions(taken) if callable(agent.instructions) else agent.instructions
        about = agent.memory.about(taken) if agent.memory is not None else ""
        remembered = await told(agent.memory, memories, about) if agent.memory is not None else ()
        parts: Sequence[ModelRequestPart] = [*remembered, UserPromptPart(agent.prompt(taken))]
        if agent.large is not None:
            parts = await asyncio.to_thread(agent.large.keep_said, parts)
        before = agent.name if agent.continues == "self" else getattr(agent.continues, "name", "")
        return agent.events.ModelRequested(
            agent=agent.name,
            conversation=step.key[:_DIGITS],
            turn=1,
            parts=as_recorded(parts),
            instructions=instructions,
            about=about,
            continues=state.latest.get(before, ""),
        )

    return handle
