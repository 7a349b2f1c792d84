"""What is large of a call that was recorded stands beside the log, and its record says where."""

import asyncio
from typing import Any

from farandole.agents.errors import ContentLost, ContentNotKept
from farandole.agents.keeping import kept
from farandole.agents.large import Kept, Large

from .calls import CallNotKept, ModelCall, ToolCall


async def model_aside(call: ModelCall, large: Large | None) -> ModelCall:
    """The record of a model's call, with a reference in place of a large reply.

    Raises:
        CallNotKept: it could not be kept.
    """
    _, where = await _kept(large, call.reply, f"what {call.model} replied")
    return call if where is None else call.model_copy(update={"reply": None, "reply_kept": where})


async def tool_aside(call: ToolCall, large: Large | None) -> ToolCall:
    """The record of a tool's call, with references in place of a large result, and the head of what the model reads of it.

    Raises:
        CallNotKept: it could not be kept. The call took effect.
    """
    what = f"what {call.tool} returned, which took effect,"
    head, of_content = await _kept(large, call.content, what)
    _, of_result = await _kept(large, call.result, what)
    update: dict[str, Any] = {} if of_content is None else {"content": head, "kept": of_content}
    if of_result is not None:
        update |= {"result": None, "result_kept": of_result}
    return call.model_copy(update=update)


async def whole(held: Any, where: Kept | None, large: Large | None) -> Any:
    """What a record holds, or refers to.

    Raises:
        ContentLost: it is gone, is something else by now, or nobody knows where it is kept.
    """
    if where is None:
        return held
    if large is None:
        raise ContentLost(
            f"a recorded call refers to {where.reference}, and there is no large= any longer that says where it is kept: "
            "give it back, and retry the step"
        )
    return await asyncio.to_thread(large.read, where)


async def _kept(large: Large | None, content: Any, what: str) -> tuple[Any, Kept | None]:
    try:
        return await kept(large, content, patiently=True)
    except ContentNotKept as e:
        raise CallNotKept(f"{what} could not be kept, so that nothing of the call is recorded: {e}") from e
