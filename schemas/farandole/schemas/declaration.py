"""Judges a class of events when it is made."""

import re
from datetime import timedelta
from typing import Final

from pydantic import BaseModel

from .avro import derive
from .durations import Duration, parse_duration
from .errors import DeclarationError
from .info import EventInfo, Kind, info_of, keep_info
from .upcast import upcasters_of

_ALL: Final = ("name", "version", "abstract", "wants_reactor")
_MORE: Final = {"start": ("deadline",), "end": ("final", "compensate")}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def declare(
    cls: type[BaseModel],
    *,
    name: str | None = None,
    version: int = 1,
    abstract: bool = False,
    wants_reactor: bool = True,
    final: bool = False,
    compensate: bool = False,
    deadline: Duration | None = None,
    **unknown: object,
) -> None:
    """Check a class of events that was just made, and keep what it says. The keywords are those of the class.

    Raises:
        DeclarationError: with the class and the cure.
    """
    generic = cls.__pydantic_generic_metadata__
    abstract = abstract or bool(generic["parameters"]) or generic["origin"] is not None
    _check_bases(cls)
    kind = _kind(cls)
    given = {"final": final, "compensate": compensate, "deadline": deadline is not None}
    _check_keywords(cls, kind, [*unknown, *(keyword for keyword, is_given in given.items() if is_given)])
    _check_config(cls)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DeclarationError(f"{cls.__name__}: version={version!r} is not a whole number from 1 on")
    if not abstract and not _NAME.fullmatch(name or cls.__name__):
        raise DeclarationError(
            f"{cls.__name__}: {name or cls.__name__!r} cannot be a name on the wire; "
            "give name= of ASCII letters, digits and _, not beginning with a digit"
        )
    info = EventInfo(
        name=name or cls.__name__,
        version=version,
        kind=kind,
        abstract=abstract,
        final=final,
        compensate=compensate,
        deadline=_deadline(cls, deadline),
        wants_reactor=wants_reactor,
        upcasters={} if abstract else upcasters_of(cls, version),
    )
    keep_info(cls, info)
    # A class that names one not defined yet is looked at when it is first used.
    if not abstract and cls.__pydantic_complete__:
        derive(cls, info.name, info.version)


def _check_bases(cls: type[BaseModel]) -> None:
    for base in cls.__mro__[1:]:
        info = info_of(base)
        if info is not None and not info.abstract:
            raise DeclarationError(
                f"{cls.__name__}: {base.__name__} is an event of its own and cannot be extended, for events are matched "
                "by name; share the fields through a base with abstract=True"
            )


def _check_keywords(cls: type[BaseModel], kind: Kind, given: list[str]) -> None:
    for keyword in given:
        if keyword not in _MORE.get(kind, ()):
            known = ", ".join(f"{name}=" for name in (*_ALL, *_MORE.get(kind, ())))
            raise DeclarationError(
                f"{cls.__name__}: {keyword}= is no keyword of a class of kind {kind}; it has {known}"
            )


def _check_config(cls: type[BaseModel]) -> None:
    if cls.model_config.get("extra") != "forbid" or not cls.model_config.get("frozen"):
        raise DeclarationError(
            f"{cls.__name__}: events are immutable and have the fields of their schema only; "
            "leave frozen and extra out of its model_config"
        )


def _kind(cls: type[BaseModel]) -> Kind:
    kinds = sorted({info.kind for info in map(info_of, cls.__mro__) if info is not None} - {"event"})
    if len(kinds) > 1:
        raise DeclarationError(f"{cls.__name__}: it cannot be {' and '.join(kinds)} at once; derive it from one kind")
    return kinds[0] if kinds else "event"


def _deadline(cls: type[BaseModel], deadline: Duration | None) -> timedelta | None:
    if deadline is None:
        return None
    try:
        found = parse_duration(deadline)
    except DeclarationError as e:
        raise DeclarationError(f"{cls.__name__}: deadline: {e}") from e
    if not found:
        raise DeclarationError(f"{cls.__name__}: a deadline of nothing would fail every run; leave it out for none")
    return found
