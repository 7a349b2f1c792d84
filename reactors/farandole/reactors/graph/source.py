"""What only the text of a handler says: how long it waits. A hint, for code can be written in ways not seen here."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from types import CodeType
from typing import Any

from farandole.reactors.outputs import After, Ask
from farandole.schemas import DeclarationError, parse_duration


def waits_in(fn: Callable[..., Any]) -> Iterator[timedelta]:
    """The durations written out in ``After("10m", ...)`` and ``Ask(..., within="2d")``."""
    for call in _calls(fn, After):
        if call.args:
            yield from _duration(call.args[0])
    for call in _calls(fn, Ask):
        for keyword in call.keywords:
            if keyword.arg == "within":
                yield from _duration(keyword.value)


def asks_for_ever(fn: Callable[..., Any]) -> bool:
    """Whether it asks a question without ``within=``."""
    return any(all(k.arg not in ("within", None) for k in call.keywords) for call in _calls(fn, Ask))


def _calls(fn: Callable[..., Any], wanted: type) -> Iterator[ast.Call]:
    """The calls of a class in a function, as far as its source can be found."""
    inner = inspect.unwrap(fn)
    code, known = getattr(inner, "__code__", None), getattr(inner, "__globals__", {})
    for name, call in _calls_by_name(code) if isinstance(code, CodeType) else ():
        if known.get(name) is wanted:
            yield call


@lru_cache(maxsize=4096)
def _calls_by_name(code: CodeType) -> Sequence[tuple[str, ast.Call]]:
    """What a function calls by a plain name; found once, for to find and read its text takes a millisecond or more."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, TypeError, SyntaxError):
        return ()
    return tuple(
        (node.func.id, node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    )


def _duration(node: ast.expr) -> Iterator[timedelta]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float):
        try:
            yield parse_duration(node.value)
        except DeclarationError:
            return
