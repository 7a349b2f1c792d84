"""Items of a prompt, taken apart: what may be large of one, and the rest, with which the same item is made of it again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_ai.messages import BinaryContent, StructuredContent, TextContent, UserContent
from pydantic_core import from_json, to_json

TEXT: Final = "text/plain"
JSON: Final = "application/json"
_ITEM: Final[TypeAdapter[Any]] = TypeAdapter(UserContent)
_PLAIN: Final = "text"
"""The kind of an item that is a text and nothing else."""


@dataclass(frozen=True)
class Apart:
    """An item, taken apart.

    Attributes:
        content: what may be large of it.
        media_type: of the content.
        size: bytes of the content as an event would hold it.
        head: stands in its place.
        rest: of the item, as JSON.
    """

    content: bytes
    media_type: str
    size: int
    head: str
    rest: Mapping[str, Any]


def apart(item: UserContent) -> Apart | None:
    """Take an item apart; None if nothing of it can be large."""
    match item:
        case str():
            return Apart(item.encode(), TEXT, _size(item), item, {"kind": _PLAIN})
        case StructuredContent():
            written = to_json(_ITEM.dump_python(item, mode="json"))
            return Apart(written, JSON, len(written), item.content, {"kind": item.kind})
        case TextContent():
            rest = _ITEM.dump_python(replace(item, content=""), mode="json", exclude_none=True)
            return Apart(item.content.encode(), TEXT, _size(item.content), item.content, rest)
        case BinaryContent(data=data, media_type=media_type):
            empty = BinaryContent(
                b"", media_type=media_type, identifier=item.identifier, vendor_metadata=item.vendor_metadata
            )
            rest = _ITEM.dump_python(empty, mode="json", exclude_none=True)
            return Apart(data, media_type, (len(data) + 2) // 3 * 4, f"[{media_type}]", rest)
        case _:
            return None


def together(content: bytes, rest: Mapping[str, Any]) -> Any:
    """The item again."""
    match rest["kind"]:
        case "text":
            return content.decode()
        case "structured-content":
            return _ITEM.validate_python(from_json(content))
        case "text-content":
            return _ITEM.validate_python({**rest, "content": content.decode()})
        case _:
            return _ITEM.validate_python({**rest, "data": content})


def _size(text: str) -> int:
    return len(to_json(text))
