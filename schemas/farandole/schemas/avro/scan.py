"""Walks the bytes of a value without building anything, to refuse what nests too deep.

fastavro recurses in C without a bound: 20,000 bytes of a type that contains itself end the process. So values of such
types pass here before they are read. The walk itself keeps its own stack.
"""

from collections.abc import Mapping
from typing import Any

from .limits import MAX_VALUE_DEPTH
from .node import Misfit, Schema

_SIZES = {"boolean": 1, "float": 4, "double": 8, "null": 0}


def scan(schema: Schema, definitions: Mapping[str, dict[str, Any]], data: bytes, at: int) -> None:
    """Check that the value that begins at ``at`` is whole and nests at most `MAX_VALUE_DEPTH` records.

    Raises:
        Misfit: it is not.
    """
    end = len(data)
    # What is still to be walked, the next one last: a schema and its depth, or a block of items.
    stack: list[tuple[Any, int]] = [(schema, 0)]
    while stack:
        part, depth = stack.pop()
        if isinstance(part, _Block):
            at = _next_item(part, depth, stack, data, at)
            continue
        kind = part if isinstance(part, str) else "union" if isinstance(part, list) else part["type"]
        if isinstance(part, str) and part in definitions:
            stack.append((definitions[part], depth))
            continue
        if kind == "record":
            if depth >= MAX_VALUE_DEPTH:
                raise Misfit(f"is nested more than {MAX_VALUE_DEPTH} deep")
            stack.extend((field["type"], depth + 1) for field in reversed(part["fields"]))
        elif kind == "union":
            index, at = _long(data, at)
            if not 0 <= index < len(part):
                raise Misfit("is no branch of its union")
            stack.append((part[index], depth))
        elif kind in ("array", "map"):
            stack.append((_Block(part), depth))
        elif kind in ("int", "long", "enum"):
            _, at = _long(data, at)
        elif kind in ("string", "bytes"):
            size, at = _long(data, at)
            at += _length(size, end - at)
        elif kind == "fixed":
            at += part["size"]
        else:
            at += _SIZES[kind]
        if at > end:
            raise Misfit("is cut short")


class _Block:
    """An array or a map in the middle of being walked: how many of the current block's items are left."""

    __slots__ = ("item", "keyed", "left")

    def __init__(self, schema: dict[str, Any]) -> None:
        self.keyed = schema["type"] == "map"
        self.item = schema["values" if self.keyed else "items"]
        self.left = 0


def _next_item(block: _Block, depth: int, stack: list[tuple[Any, int]], data: bytes, at: int) -> int:
    if not block.left:
        count, at = _long(data, at)
        if count < 0:
            _, at = _long(data, at)
        if count == 0:
            return at
        block.left = abs(count)
    block.left -= 1
    stack.append((block, depth))
    stack.append((block.item, depth))
    if block.keyed:
        size, at = _long(data, at)
        at += _length(size, len(data) - at)
    return at


def _long(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Misfit("is cut short")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7


def _length(size: int, left: int) -> int:
    if not 0 <= size <= left:
        raise Misfit("is cut short")
    return size
