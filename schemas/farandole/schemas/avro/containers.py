"""Lists, sets, tuples and maps."""

import collections
from collections import abc
from collections.abc import Callable, Collection
from typing import Any, Final

from .node import Convert, Misfit, Node

SEQUENCES: Final[dict[Any, type]] = {
    list: list,
    abc.Sequence: list,
    abc.MutableSequence: list,
    set: set,
    abc.Set: set,
    abc.MutableSet: set,
    frozenset: frozenset,
    collections.deque: collections.deque,
    tuple: tuple,
}
"""Annotated type to the type that is built when read."""
MAPPINGS: Final[dict[Any, type]] = {dict: dict, abc.Mapping: dict, abc.MutableMapping: dict}
_ALSO: Final[dict[Any, tuple[type, ...]]] = {abc.Sequence: (list, tuple), abc.Set: (set, frozenset)}


def within(error: Exception, step: str) -> Misfit:
    """What went wrong inside, told from one level up and without the value."""
    if isinstance(error, Misfit):
        return error.within(step)
    if isinstance(error, RecursionError):
        return Misfit("is nested too deeply", step)
    return Misfit(f"cannot be converted as its type says ({type(error).__name__})", step)


def array(kind: Any, item: Node, *, length: int | None = None) -> Node:
    """``list[X]`` and the like. A tuple of fixed length is an array of that length."""
    build = SEQUENCES[kind]
    schema: dict[str, Any] = {"type": "array", "items": item.schema}
    if length is not None:
        schema["farandole.length"] = length
    node = Node(schema, _ALSO.get(kind, (build,)), "array", list)
    copied = item.encode or (None if build is list and kind is list else _same)
    node.encode = _each(copied, list) if copied else None
    node.decode = _each(item.decode, build) if item.decode else (None if build is list else build)
    lifted = _each(item.lift or _same, build)
    node.lift = lambda value: lifted(value) if isinstance(value, list) else value
    return node


def mapping(kind: Any, value: Node) -> Node:
    """``dict[str, X]``."""
    node = Node({"type": "map", "values": value.schema}, (MAPPINGS[kind],), "map", dict)
    copied = value.encode or (None if kind is dict else _same)
    node.encode = _values(copied) if copied else None
    node.decode = _values(value.decode) if value.decode else None
    lifted = _values(value.lift or _same)
    node.lift = lambda found: lifted(found) if isinstance(found, dict) else found
    return node


def _same(value: Any) -> Any:
    return value


def _each(convert: Convert, build: Callable[[list[Any]], Any]) -> Convert:
    def each(values: Collection[Any]) -> Any:
        found: list[Any] = []
        try:
            for value in values:
                found.append(convert(value))  # noqa: PERF401 (the length so far tells which item failed)
        except Exception as e:
            raise within(e, f"[{len(found)}]") from e.__cause__
        return found if build is list else build(found)

    return each


def _values(convert: Convert) -> Convert:
    def values(found: dict[str, Any]) -> dict[str, Any]:
        try:
            return {key: convert(value) for key, value in found.items()}
        except Exception as e:
            # Keys are data too, and so are not named.
            raise within(e, "[…]") from e.__cause__

    return values
