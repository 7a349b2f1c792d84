"""Messages with what they refer to, as a model is sent them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    TextContent,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)

from .errors import ContentLost
from .items import together
from .large import ALONE, NOTE, REST, Kept, Large, told_in_short


def refers(part: ModelRequestPart) -> bool:
    """Whether the whole of a part is elsewhere."""
    match part:
        case ToolReturnPart():
            return _kept(part.metadata) is not None
        case UserPromptPart(content=content) if not isinstance(content, str):
            return any(isinstance(item, TextContent) and _kept(item.metadata) is not None for item in content)
        case _:
            return False


async def with_wholes(messages: Sequence[ModelMessage], large: Large | None, agent: str) -> list[ModelMessage]:
    """Messages with the whole of what they refer to, or with what stands for it.

    Args:
        large: of the agent that is to be sent them.

    Raises:
        ContentLost: something is gone, is something else by now, or nobody knows where it is kept.
    """
    return await asyncio.to_thread(_with_wholes, messages, large, agent)


def _with_wholes(messages: Sequence[ModelMessage], large: Large | None, agent: str) -> list[ModelMessage]:
    def part_of(part: ModelRequestPart) -> ModelRequestPart:
        match part:
            case ToolReturnPart() if kept := _kept(part.metadata):
                return replace(part, content=_told(large, kept, part.content, agent))
            case UserPromptPart(content=content) if refers(part) and not isinstance(content, str):
                items: list[UserContent] = [_item(large, item, agent) for item in content]
                return replace(part, content=str(items[0]) if _alone(content) else items)
            case _:
                return part

    return [
        replace(message, parts=[part_of(part) for part in message.parts])
        if isinstance(message, ModelRequest) and any(refers(part) for part in message.parts)
        else message
        for message in messages
    ]


def _item(large: Large | None, item: UserContent, agent: str) -> UserContent:
    kept = _kept(item.metadata) if isinstance(item, TextContent) else None
    if kept is None or not isinstance(item, TextContent):
        return item
    rest = (_note(item.metadata) or {}).get(REST)
    if rest is not None:
        where = _where(large, kept, agent)
        return together(where.written(kept), rest) if where.whole else told_in_short(kept, item.content)
    told = _told(large, kept, item.content, agent)  # noted by an earlier release
    return BinaryContent(told, media_type=kept.media_type) if isinstance(told, bytes) else str(told)


def _alone(content: Sequence[UserContent]) -> bool:
    """Whether the prompt was no list, but a text that is large."""
    first = content[0]
    return isinstance(first, TextContent) and (_note(first.metadata) or {}).get(ALONE) is True


def _told(large: Large | None, kept: Kept, head: Any, agent: str) -> Any:
    where = _where(large, kept, agent)
    return where.read(kept) if where.whole else told_in_short(kept, head)


def _where(large: Large | None, kept: Kept, agent: str) -> Large:
    if large is None:
        raise ContentLost(
            f"agent {agent} was told what is kept as {kept.reference}, and has no large= any longer that says where: "
            "give it back, and retry the step"
        )
    return large


def _note(metadata: Any) -> Any:
    return metadata.get(NOTE) if isinstance(metadata, dict) else None


def _kept(metadata: Any) -> Kept | None:
    note = _note(metadata)
    return None if note is None else Kept.model_validate(note)
