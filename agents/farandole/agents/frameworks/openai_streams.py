"""Streams of the OpenAI Agents SDK: passed on as they come, and ended only once the reply is recorded."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseIncompleteEvent,
    ResponseOutputItem,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseTextDeltaEvent,
    ResponseUsage,
)

from agents import ModelResponse, Usage
from agents.items import TResponseStreamEvent
from farandole.agents.streaming import CALL

Record = Callable[[Callable[[], Awaitable[ModelResponse]]], Awaitable[ModelResponse]]


async def streamed(events: AsyncIterator[TResponseStreamEvent], record: Record) -> AsyncGenerator[TResponseStreamEvent]:
    """The events of a call that is made now; of one that is recorded the last alone, which holds the whole reply.

    Args:
        record: takes what makes the call, and gives the reply that counts.
    """
    passed: asyncio.Queue[TResponseStreamEvent | None] = asyncio.Queue()

    async def make() -> ModelResponse:
        last: ResponseCompletedEvent | None = None
        async for event in events:
            if isinstance(event, ResponseCompletedEvent):
                last = event
            else:
                passed.put_nowait(event)
        if last is None:
            raise ConnectionError("the stream ended in the midst of the reply")
        return _reply(last.response)

    async def whole() -> ModelResponse:
        try:
            return await record(make)
        finally:
            passed.put_nowait(None)

    recorded = asyncio.create_task(whole())
    try:
        number = 0
        while (event := await passed.get()) is not None:
            yield event
            number = event.sequence_number + 1
        yield completed(await recorded, number)
    finally:
        recorded.cancel()
        await asyncio.gather(recorded, return_exceptions=True)  # its name is free again for whatever is called next


async def heard(events: AsyncIterator[TResponseStreamEvent], hear: Callable[[str, str], None]) -> ModelResponse:
    """The reply of a call that is told live as it comes: its text, and the names of the tools that it calls.

    One that was cut off is a reply too, as it is where nothing is streamed.
    """
    last: ResponseCompletedEvent | ResponseIncompleteEvent | None = None
    items: list[ResponseOutputItem] = []
    async for event in events:
        match event:
            case ResponseTextDeltaEvent(delta=text):
                hear(text, "text")
            case ResponseOutputItemAddedEvent(item=ResponseFunctionToolCall(name=name)):
                hear(name, CALL)
            case ResponseOutputItemDoneEvent(item=item):
                items.append(item)
            case ResponseCompletedEvent():
                last = event
            case ResponseIncompleteEvent():
                last = event
                break  # what the SDK raises next
            case _:
                pass
    if last is None:
        raise ConnectionError("the stream ended in the midst of the reply")
    reply = _reply(last.response)
    # Some providers leave the last event empty.
    return reply if reply.output else ModelResponse(output=items, usage=reply.usage, response_id=reply.response_id)


def completed(reply: ModelResponse, number: int) -> ResponseCompletedEvent:
    """The event that ends a stream."""
    usage = reply.usage
    response = Response(
        id=reply.response_id or "",
        created_at=0,
        model="",
        object="response",
        output=reply.output,
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        status="completed",
        usage=ResponseUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            total_tokens=usage.total_tokens,
            input_tokens_details=usage.input_tokens_details,
            output_tokens_details=usage.output_tokens_details,
        ),
    )
    return ResponseCompletedEvent(response=response, sequence_number=number, type="response.completed")


def _reply(response: Response) -> ModelResponse:
    usage = response.usage
    counted = Usage() if usage is None else Usage(
        requests=1,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
        input_tokens_details=usage.input_tokens_details,
        output_tokens_details=usage.output_tokens_details,
    )  # fmt: skip
    return ModelResponse(output=response.output, usage=counted, response_id=response.id)
