"""How a signature is read, when `@reactor` runs. Five rules; each error begins with the reactor's name:

1. Names resolve in the module and in what encloses the function; aliases and ``@wraps`` are seen through.
2. Every parameter is annotated and can be passed by keyword; a reactor is a function.
3. ``Step``, ``Run``, ``State`` are context; events and what is about them are triggers; the rest is provided.
4. Triggers are concrete events, each in one parameter, never optional, and there is at least one.
5. The return annotation is there, and names only what a reactor may emit.
"""

import inspect
from collections.abc import Callable

from farandole.projections.annotations import resolve
from farandole.schemas import DeclarationError

from .kinds import kind_of
from .parameters import read_parameters
from .parts import Signature
from .returns import awaited, read_returns

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def read_signature(fn: Callable[..., object], where: str) -> Signature:
    """What ``fn`` subscribes to and may return.

    Args:
        where: the name that begins each error, such as ``orders.take_payment``.

    Raises:
        DeclarationError: the signature breaks one of the five rules.
    """
    check_callable(fn, where, "reactor")
    resolved = resolve(fn, where)
    returns, awaitable = awaited(resolved.returns, where)
    triggers, context, provided = read_parameters(resolved.parameters, where)
    gives = read_returns(returns, where)
    if not gives.nothing:
        for trigger in triggers:
            for element in trigger.elements:
                for event in element.events:
                    if element.form == "event" and kind_of(event) == "end":
                        raise DeclarationError(f"{where}: takes {event.__name__}, an End, so it may only return None")
    return Signature(triggers, context, provided, gives, awaitable or is_coroutine_function(fn))


def check_callable(fn: object, where: str, what: str) -> None:
    """Rule 2, for reactors and providers alike.

    Args:
        what: ``reactor`` or ``provider``.

    Raises:
        DeclarationError: ``fn`` is no function, or a parameter has no annotation or cannot be passed by keyword.
    """
    inner = inspect.unwrap(fn) if callable(fn) else fn
    if inspect.ismethod(inner) or isinstance(inner, staticmethod | classmethod) or _in_class(inner):
        raise DeclarationError(f"{where}: a {what} is a function, not a method")
    if not inspect.isfunction(inner):
        raise DeclarationError(f"{where}: a {what} is a function, not a {type(inner).__name__}")
    if what == "reactor" and (inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner)):
        raise DeclarationError(f"{where}: a reactor returns its events all at once; it has no yield")
    for name, parameter in inspect.signature(inner).parameters.items():
        if parameter.kind in _BY_POSITION:
            raise DeclarationError(f"{where}: {what}s are called by keyword; no *args, **kwargs or /")
        if parameter.annotation is inspect.Parameter.empty:
            raise DeclarationError(f"{where}: parameter '{name}' has no annotation")


def is_coroutine_function(fn: Callable[..., object]) -> bool:
    """Whether calling ``fn`` gives something to await; a plain wrapper around a coroutine function passes it on."""
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(inspect.unwrap(fn))


def _in_class(fn: object) -> bool:
    around = getattr(fn, "__qualname__", "").split(".")[:-1]
    return bool(around) and around[-1] != "<locals>"
