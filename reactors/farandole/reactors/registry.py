"""Names within a choreography: each names one thing, and what is declared again replaces what it was."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from farandole.schemas import DeclarationError


class Named(Protocol):
    """A class or function: something with a module and a qualified name."""

    __module__: str
    __qualname__: str


T = TypeVar("T")


class Registry(Generic[T], Mapping[str, T]):
    """What is declared, by name, in the order of first declaration.

    The same class or function declared again (its module or notebook cell ran twice) replaces itself.

    Args:
        what: the plural that messages use, such as ``events``.
        code: the class or function behind an entry.
    """

    def __init__(self, what: str, code: Callable[[T], Any]) -> None:
        self._what = what
        self._code = code
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T, where: str) -> None:
        """Declare ``entry`` by ``name``.

        Raises:
            DeclarationError: another one has the name.
        """
        known = self._entries.get(name)
        if known is not None and known is not entry:
            old, new = _place(self._code(known)), _place(self._code(entry))
            if old != new:
                raise DeclarationError(
                    f"{where}: two {self._what} are named '{name}': {old} and {new}; give one of them name="
                )
        self._entries[name] = entry

    def __getitem__(self, name: str) -> T:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _place(declared: Any) -> str:
    return f"{declared.__module__}.{declared.__qualname__}"
