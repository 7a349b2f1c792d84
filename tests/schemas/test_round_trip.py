"""What is written is what is read, to the microsecond, the type and the last digit."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from hypothesis import HealthCheck, given, settings
from pydantic import BaseModel
from tests.schemas.everything import Everything, everythings

from farandole.schemas import EventTypes

TYPES = EventTypes("shop", [Everything])


def exactly(value: Any) -> Any:
    """A value with its types, so that True is not 1, 1 is not 1.0, and 1.0 is not 1.00."""
    if isinstance(value, BaseModel):
        return type(value), {name: exactly(field) for name, field in vars(value).items()}
    if isinstance(value, Mapping):
        return type(value), {key: exactly(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return type(value), sorted(map(repr, value))
    if isinstance(value, list | tuple):
        return type(value), [exactly(item) for item in value]
    return type(value), repr(value.replace(fold=0) if isinstance(value, datetime | time) else value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(everythings())
def test_an_event_with_everything_is_read_as_it_was_written(event: Everything) -> None:
    read = TYPES.decode("shop.Everything", TYPES.encode(event).value)
    assert read == event
    assert exactly(read) == exactly(event)
