"""What can be declared but not run yet. To support a form, take it out of the table."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from farandole.schemas import DeclarationError

from .reactor import Reactor

UNSUPPORTED: Final[Mapping[str, str]] = {
    "Child[...]": "until child runs are there, start the other run with a client",
    "ChildDone[...]": "until child runs are there, let a client send the result as a Signal",
    "ChildFailed[...]": "until child runs are there, let a client send the failure as a Signal",
    "schedule(...)": "until schedules are there, start the run from cron with `farandole start`",
}

_SHAPES = {"child": "Child[...]"}
_FORMS = {"child_done": "ChildDone[...]", "child_failed": "ChildFailed[...]"}


def refuse_unsupported(where: str, used: Iterable[str]) -> None:
    """Refuse what the table names.

    Args:
        used: what a declaration uses, in the words of the table; other words are passed over.

    Raises:
        DeclarationError: it uses what is not supported yet.
    """
    for form in used:
        if form in UNSUPPORTED:
            raise DeclarationError(f"{where}: {form} is not supported yet; {UNSUPPORTED[form]}")


def forms_of(reactor: Reactor) -> Iterator[str]:
    """What a reactor uses, in the words of the table."""
    for trigger in reactor.signature.triggers:
        for element in trigger.elements:
            if element.form in _FORMS:
                yield _FORMS[element.form]
    shapes = reactor.signature.gives.shapes()
    yield from (name for shape, name in _SHAPES.items() if shape in shapes)
    yield from reactor.options.used()
