"""Events and functions that are made and not written: each says where it comes from, as if it stood there."""

import operator
import types
from collections.abc import Callable, Iterable
from functools import reduce
from inspect import Parameter, Signature
from typing import Any, TypeVar

from farandole.schemas import Event, Mark

from .marking import spoken_in

E = TypeVar("E", bound=Event)
F = TypeVar("F", bound=Callable[..., Any])


def event(base: type[E], name: str, module: str, owner: str, mark: Mark | None = None, **options: Any) -> type[E]:
    """A concrete event of an abstract one.

    Args:
        mark: what is said in it bears this one.
        module: where the agent is declared, so that two agents of one name are told apart.
        owner: begins the qualified name.
        options: of the class, such as ``wants_reactor=False``.
    """

    def body(namespace: dict[str, Any]) -> None:
        namespace.update(__module__=module, __qualname__=f"{owner}.{name}", __doc__=base.__doc__)
        namespace.update(spoken_in(base, mark))

    made: type[E] = types.new_class(name, (base,), options, body)
    return made


def signed(fn: F, name: str, module: str, owner: str, returns: Any, **parameters: Any) -> F:
    """Give a function the signature that it has for this agent. It is called by keyword.

    Args:
        returns: what it may return, as an annotation.
        parameters: what it takes.
    """
    signature = Signature(
        [Parameter(p, Parameter.KEYWORD_ONLY, annotation=annotation) for p, annotation in parameters.items()],
        return_annotation=returns,
    )
    told: Any = fn
    told.__signature__ = signature
    told.__annotations__ = {**parameters, "return": returns}
    told.__name__, told.__module__ = name, module
    told.__qualname__ = f"{owner}.<locals>.{name.replace('.', ' ')}"
    return fn


def union(members: Iterable[Any]) -> Any:
    """``A | B | C``, of members that are only known now."""
    return reduce(operator.or_, members)


def placed(*members: Any) -> Any:
    """``tuple[A, B]``, of members that are only known now."""
    return types.GenericAlias(tuple, members)


def listed(member: Any) -> Any:
    """``list[A]``, of an ``A`` that is only known now."""
    return types.GenericAlias(list, (member,))


def camel(name: str) -> str:
    """``look_up`` as it stands in the name of an event: ``LookUp``."""
    return "".join(part[:1].upper() + part[1:] for part in name.replace("-", "_").split("_"))
