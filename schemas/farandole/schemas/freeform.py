"""`Json`, the type of fields whose shape nobody fixed: what a model said, what a foreign API returned."""

from typing import Annotated, Any, Final, TypeAlias

from pydantic import GetCoreSchemaHandler, JsonValue
from pydantic_core import CoreSchema


class _JsonMarker:
    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(JsonValue)

    def __repr__(self) -> str:
        return "Json"


JSON_MARKER: Final = _JsonMarker()

Json: TypeAlias = Annotated[Any, JSON_MARKER]
"""Free-form data: None, bool, int, float, str, and lists and dicts (with str keys) of these.

It travels as JSON text. Type checkers see ``Any``; the value is checked when the event is made.
"""
