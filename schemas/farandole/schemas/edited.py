"""An event with other values in some of its fields; what is not named stays what it was, secrets too."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence, Set
from typing import Any, TypeVar

from pydantic import BaseModel, SecretBytes, SecretStr

from .event import Event

E = TypeVar("E", bound=Event)


def with_fields(before: E, fields: Mapping[str, Any]) -> E:
    """An event with other values in some of its fields.

    Args:
        fields: as they come from JSON; of a field that is a model, those of its own fields that change.

    Raises:
        pydantic.ValidationError: they do not fit.
    """
    return type(before).model_validate_json(json.dumps(_merged(before, revealed(before), fields)))


def revealed(event: BaseModel) -> dict[str, Any]:
    """The fields of an event as in JSON, its secrets as they are: for the log alone, and under a mark."""
    said: dict[str, Any] = _revealed(event, json.loads(event.model_dump_json()))
    return said


def _revealed(value: object, said: Any) -> Any:
    """What pydantic says of a value in JSON, with the secrets for which it says asterisks."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case SecretBytes():
            return urlsafe_b64encode(value.get_secret_value()).decode()
        case BaseModel() if isinstance(said, dict):
            return {name: _revealed(getattr(value, name, None), each) for name, each in said.items()}
        case BaseModel():
            return _revealed(getattr(value, "root", None), said)
        case Mapping() if isinstance(said, dict):
            return {key: _revealed(each, said[key]) for key, each in zip(said, value.values(), strict=True)}
        case str() | bytes():
            return said
        case Sequence() | Set() if isinstance(said, list):
            return [_revealed(each, of) for each, of in zip(value, said, strict=True)]
    return said


def _merged(before: BaseModel, said: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**said, **fields}
    for name, new in fields.items():
        held = getattr(before, name, None) if name in said else None
        if isinstance(held, BaseModel) and isinstance(new, dict) and new.keys() <= type(held).model_fields.keys():
            merged[name] = _merged(held, said[name], new)
    return merged
