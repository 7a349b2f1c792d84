"""`on`: marks the methods of a `State`, a projection or a memory that take events. What they take is their annotation."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from farandole.schemas import DeclarationError

from .annotations import resolve
from .remembering.facts import Told

M = TypeVar("M", bound=Callable[..., "Awaitable[None] | Told"])
_MARK: Final = "__farandole_on__"
_GIVEN: Final = "__farandole_given__"


def on(method: M) -> M:
    """Mark a method as the one that takes the events of its first annotation, ``A`` or ``A | B``.

    Raises:
        DeclarationError: it takes nothing, or its first parameter has no annotation, or one that is not defined yet.
    """
    where = ".".join(method.__qualname__.split(".")[-2:])
    parameters = [*inspect.signature(inspect.unwrap(method)).parameters][1:]
    if not parameters:
        raise DeclarationError(f"{where}: takes no event; write it as def {method.__name__}(self, event: A) -> None")
    found = resolve(method, where).parameters
    annotation = found[parameters[0]].annotation
    if annotation is inspect.Parameter.empty:
        raise DeclarationError(f"{where}: parameter '{parameters[0]}' has no annotation")
    setattr(method, _MARK, annotation)
    setattr(method, _GIVEN, tuple(found[name] for name in parameters[1:]))
    return method


def taken_by(method: object) -> Any:
    """The annotation of what a method marked with `on` takes; None if it is not marked."""
    return getattr(method, _MARK, None)


def given_to(method: object) -> tuple[inspect.Parameter, ...]:
    """What a marked method takes besides."""
    found: tuple[inspect.Parameter, ...] = getattr(method, _GIVEN, ())
    return found
