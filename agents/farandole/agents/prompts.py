"""What a model is told of the event that its agent takes."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from farandole.reactors import ChildDone, ChildFailed, Failed
from farandole.schemas import Event


def prompt_of(taken: object) -> str:
    """The text of an event that has one field, a text; of anything else its fields, as JSON."""
    if isinstance(taken, Event) and (text := only_text(type(taken))) is not None:
        return str(getattr(taken, text))
    return json.dumps(_shown(taken), ensure_ascii=False)


def only_text(event: type[BaseModel]) -> str | None:
    """The name of an event's one field, if that is a text."""
    fields = list(event.model_fields.items())
    return fields[0][0] if len(fields) == 1 and fields[0][1].annotation is str else None


def _shown(taken: object) -> Any:
    match taken:
        case ChildDone():
            return _shown(taken.end)
        case ChildFailed():
            return {"failed": taken.error, "asked": _shown(taken.start)}
        case Failed():
            return {"failed": taken.error, "asked": _shown(taken.event)}
        case BaseModel():
            return to_jsonable_python(taken)
        case Sequence() if not isinstance(taken, str | bytes):
            return [_shown(each) for each in taken]
        case _:
            return to_jsonable_python(taken)
