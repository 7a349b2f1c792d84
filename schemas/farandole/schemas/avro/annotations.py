"""Seeing through annotations: ``Annotated``, type aliases of either kind, `NewType`."""

import sys
from typing import Annotated, Any, NewType, NotRequired, Required, get_args, get_origin, get_type_hints

from pydantic import JsonValue
from pydantic.fields import FieldInfo
from typing_extensions import ReadOnly, TypeAliasType

_QUALIFIERS = (Required, NotRequired, ReadOnly)


def peel(annotation: Any, metadata: tuple[Any, ...] = ()) -> tuple[Any, tuple[Any, ...]]:
    """The type under all wrappers, and what they said about it, the innermost first."""
    while True:
        if annotation is JsonValue:
            return annotation, metadata
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *inner = get_args(annotation)
            metadata = (*_flat(inner), *metadata)
        elif isinstance(annotation, NewType):
            annotation = annotation.__supertype__
        elif is_alias(annotation):
            annotation = _value(annotation)
        elif is_alias(origin):
            annotation = _value(origin)[get_args(annotation)]
        elif origin in _QUALIFIERS:
            (annotation,) = get_args(annotation)
        else:
            return (type(None) if annotation is None else annotation), metadata


def _value(alias: Any) -> Any:
    # Aliases may be written as text, or name what is defined below them.
    holder = type("holder", (), {"__annotations__": {"value": alias.__value__}})
    scope = vars(sys.modules[alias.__module__]) if alias.__module__ in sys.modules else None
    return get_type_hints(holder, scope, include_extras=True)["value"]


def is_alias(annotation: Any) -> bool:
    """Whether it is a ``type X = …`` (PEP 695), by the standard library or by typing_extensions."""
    return isinstance(annotation, TypeAliasType) or type(annotation).__name__ == "TypeAliasType"


def _flat(metadata: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in metadata:
        found.extend(item.metadata if isinstance(item, FieldInfo) else [item])
    return found


def said(metadata: tuple[Any, ...], name: str) -> Any:
    """The last value that the metadata give a constraint such as ``max_digits``, or None."""
    found = None
    for item in metadata:
        value = getattr(item, name, None)
        found = found if value is None else value
    return found


def show(annotation: Any) -> str:
    """An annotation as its author would write it."""
    if annotation is Any:
        return "Any"
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "")
