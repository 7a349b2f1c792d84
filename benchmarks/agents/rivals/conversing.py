"""The scripted model, for systems whose agents are Pydantic AI's."""

from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, UserPromptPart

from benchmarks.agents.script import ANSWER, Script


async def response(script: Script, messages: list[ModelMessage]) -> ModelResponse:
    """What the model replies to a conversation."""
    asked = next(part for message in messages for part in message.parts if isinstance(part, UserPromptPart))
    replies = sum(isinstance(message, ModelResponse) for message in messages)
    words = await script.says(str(asked.content), replies)
    if words is None:
        return ModelResponse([TextPart(ANSWER)])
    return ModelResponse([ToolCallPart("look_up", {"words": words}, f"call-{replies}")])
