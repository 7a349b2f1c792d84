"""What LangGraph writes in ways of its own, as JSON: results of tools, and what an interrupted graph goes on from."""

from base64 import b64decode, b64encode
from typing import Any, Final

from langchain_core.messages import ToolMessage
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

_SERDE: Final = JsonPlusSerializer()
_ALL: Final[Any] = {"configurable": {"thread_id": "leg"}}


def as_json(value: Any) -> Any:
    """A message of a tool as it stands; anything else, such as a command, as LangGraph writes it."""
    if isinstance(value, ToolMessage):
        return {"message": value.model_dump(mode="json", exclude_defaults=True)}
    kind, written = _SERDE.dumps_typed(value)
    return {"written": kind, "as": b64encode(written).decode()}


def from_json(value: Any) -> Any:
    """What `as_json` wrote."""
    if "message" in value:
        return ToolMessage.model_validate(value["message"])
    return _SERDE.loads_typed((value["written"], b64decode(value["as"])))


async def kept(saver: InMemorySaver) -> Any:
    """The newest checkpoint of the graph and of each graph within it, with what is pending there."""
    newest: dict[str, CheckpointTuple] = {}
    async for each in saver.alist(_ALL):
        where = each.config["configurable"]["checkpoint_ns"]
        if where not in newest or each.checkpoint["id"] > newest[where].checkpoint["id"]:
            newest[where] = each
    return [
        {"ns": where, "state": as_json((each.checkpoint, each.metadata, each.pending_writes or []))}
        for where, each in newest.items()
    ]


async def saver_with(before: Any) -> InMemorySaver:
    """A saver that has what was `kept`; an empty one for None."""
    saver = InMemorySaver()
    for each in before or ():
        checkpoint, metadata, pending = from_json(each["state"])
        config: Any = {"configurable": {"thread_id": "leg", "checkpoint_ns": each["ns"]}}
        at = await saver.aput(config, checkpoint, metadata, checkpoint["channel_versions"])
        tasks: dict[str, list[tuple[str, Any]]] = {}
        for task, channel, value in pending:
            tasks.setdefault(task, []).append((channel, value))
        for task, writes in tasks.items():
            await saver.aput_writes(at, writes, task)
    return saver
