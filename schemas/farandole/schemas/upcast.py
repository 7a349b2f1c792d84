"""Upcasters: how an event recorded under an older version becomes one of the next."""

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from .errors import DeclarationError

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
_U = TypeVar("_U", bound=Upcaster)
_MARK: Final = "__farandole_upcasts_from__"


def upcast(version: int, /) -> Callable[[_U], _U]:
    """Mark a static method of an event class as the upcaster from ``version`` to the one after it.

    The method gets the recorded fields by name, as an event of that version had them (nested models as dicts, enums as
    the symbols of their Avro schema), and returns those of the next version. It must be pure: no clock, no randomness,
    no I/O, for every reader has to make the same event of the same bytes.

        class PaymentTaken(Event, version=2):
            amount: Decimal
            currency: str

            @staticmethod
            @upcast(1)
            def all_were_euros(old: dict[str, Any]) -> dict[str, Any]:
                return {**old, "currency": "EUR"}
    """

    def mark(function: _U) -> _U:
        setattr(function, _MARK, version)
        return function

    return mark


def upcasters_of(cls: type, version: int) -> Mapping[int, Upcaster]:
    """The upcasters of an event class by the version that they start from, checked to lead from 1 to ``version``.

    Raises:
        DeclarationError: a step is missing, doubled, or beyond ``version``.
    """
    found: dict[int, tuple[str, Upcaster]] = {}
    members = {name: member for base in reversed(cls.__mro__) for name, member in vars(base).items()}
    for name, member in members.items():
        function = member.__func__ if isinstance(member, staticmethod) else member
        if not inspect.isfunction(function):
            continue
        start = vars(member).get(_MARK, vars(function).get(_MARK))
        if start is None:
            continue
        if not isinstance(start, int) or isinstance(start, bool) or not 1 <= start < version:
            raise DeclarationError(
                f"{cls.__name__}: upcaster '{name}' starts from version {start!r}, but the class is version {version}; "
                f"upcasters start from 1 to {version - 1}, so raise version= or change the upcaster"
            )
        if start in found:
            raise DeclarationError(
                f"{cls.__name__}: '{found[start][0]}' and '{name}' both upcast from version {start}; keep one of them"
            )
        found[start] = (name, function)
    missing = [v for v in range(1, version) if v not in found]
    if missing:
        raise DeclarationError(
            f"{cls.__name__}: version {version} has no upcaster from version {missing[0]}, so events recorded then "
            f"could not be read; add a static method with @upcast({missing[0]})"
        )
    return MappingProxyType({start: found[start][1] for start in sorted(found)})
