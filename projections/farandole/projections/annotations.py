"""What the annotations of a function mean: names resolved, aliases seen through, unions spread.

Reactors, providers and `@on` methods are all read with these. Names resolve in the function's module and in the
functions and classes that enclose it, as long as those are being run; with ``from __future__ import annotations`` or
without.
"""

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import typing_extensions

from farandole.schemas.errors import DeclarationError

_ALIASES: tuple[type, ...] = tuple(
    {cls for module in (typing, typing_extensions) if isinstance(cls := getattr(module, "TypeAliasType", None), type)}
)


class Resolved(NamedTuple):
    """A function's parameters and return, as types.

    ``parameters`` keeps their order; one without an annotation has `inspect.Parameter.empty`, and so has ``returns``.
    """

    parameters: Mapping[str, inspect.Parameter]
    returns: Any


def resolve(fn: Callable[..., object], where: str) -> Resolved:
    """Read the annotations of ``fn`` as types, below any decorators that used `functools.wraps`.

    Args:
        where: the name that begins each error, such as ``orders.take_payment``.

    Raises:
        DeclarationError: an annotation names what is not defined yet, or is no type.
    """
    inner = inspect.unwrap(fn)
    signature = inspect.signature(inner)
    try:
        hints = typing.get_type_hints(inner, None, _enclosing(inner), include_extras=True)
    except NameError as e:
        raise _undefined(where, e) from e
    except (TypeError, SyntaxError, AttributeError) as e:
        raise DeclarationError(f"{where}: an annotation cannot be read as a type: {e}") from e
    return Resolved(
        {
            name: parameter.replace(annotation=hints.get(name, inspect.Parameter.empty))
            for name, parameter in signature.parameters.items()
        },
        hints.get("return", inspect.Parameter.empty),
    )


def expand(annotation: Any, where: str) -> Any:
    """See through ``Annotated`` and aliases (``type X = ...``, generic ones too) at the top of ``annotation``.

    Raises:
        DeclarationError: an alias names what is not defined yet.
    """
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation = annotation.__origin__
        elif isinstance(annotation, _ALIASES):
            annotation = _value(annotation, where)
        elif isinstance(origin, _ALIASES):
            annotation = _value(origin, where)[typing.get_args(annotation)]
        else:
            return annotation


def members(annotation: Any, where: str) -> tuple[Any, ...]:
    """The members of a union, aliases seen through and each once; of anything else, itself alone.

    ``A | B``, ``Union[A, B]``, ``Optional[A]`` are unions; None stands as ``type(None)``.
    """
    annotation = expand(annotation, where)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        found: dict[Any, None] = {}
        for member in typing.get_args(annotation):
            found |= dict.fromkeys(members(member, where))
        return tuple(found)
    return (type(None) if annotation is None else annotation,)


def shown(annotation: Any) -> str:
    """The annotation as its author would write it: no module names."""
    if annotation is type(None) or annotation is None:
        return "None"
    if annotation is ...:
        return "..."
    args = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(shown(a) for a in args)
    if origin is typing.Annotated:
        return shown(annotation.__origin__)
    if origin is typing.Literal or isinstance(annotation, list | str):
        return repr(annotation).removeprefix("typing.")
    name = getattr(origin or annotation, "__name__", None) or repr(annotation)
    return f"{name}[{', '.join(shown(a) for a in args)}]" if args else str(name)


def _value(alias: Any, where: str) -> Any:
    try:
        return alias.__value__
    except NameError as e:
        raise _undefined(where, e) from e


def _undefined(where: str, error: NameError) -> DeclarationError:
    return DeclarationError(
        f"{where}: annotation '{error.name}' is not defined here yet; declare events above the reactors that use "
        f"them, and import them outside `if TYPE_CHECKING:`"
    )


def _enclosing(fn: Callable[..., object]) -> dict[str, Any]:
    """The local names of the functions and classes around ``fn`` that are being run now, inner ones first."""
    module = getattr(fn, "__globals__", None)
    name = getattr(fn, "__qualname__", "")
    found: dict[str, Any] = {}
    frame = inspect.currentframe()
    while frame is not None:
        around = frame.f_code.co_qualname
        if frame.f_globals is module and name.startswith((f"{around}.<locals>.", f"{around}.")):
            found = {**frame.f_locals, **found}
        frame = frame.f_back
    return {**found, **_closure(fn)}


def _closure(fn: Callable[..., object]) -> dict[str, Any]:
    if not isinstance(fn, types.FunctionType):
        return {}
    found: dict[str, Any] = {}
    for name, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue  # not assigned yet
    return found
