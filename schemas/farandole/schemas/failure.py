"""What is kept of an exception: enough to tell what went wrong, in a record of bounded size."""

import traceback
from hashlib import blake2b
from typing import Any, Final

from pydantic import ValidationError

MAX_BYTES: Final = 8 * 1024
_MAX_NAME: Final = 256
_MAX_MESSAGE: Final = 2 * 1024
_OVERHEAD: Final = 128


def failure_fields(error: BaseException) -> dict[str, Any]:
    """The fields of a `FAILURE` record for an exception, which encode to at most 8 KiB.

    Of a long traceback the beginning and the end are kept, the end longer: it says where the error was raised. The
    fingerprint is of the error's class and the functions it passed, and so survives other lines, values and messages.
    """
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    name = _cut(kind, _MAX_NAME)
    message = _cut(error_text(error), _MAX_MESSAGE)
    left = MAX_BYTES - _OVERHEAD - len(name.encode()) - len(message.encode())
    return {
        "error": name,
        "message": message,
        "traceback": _cut(_formatted(error), left),
        "fingerprint": _fingerprint(kind, error),
    }


def error_text(error: BaseException) -> str:
    """An error's message; of pydantic's, which quote what they were given, only the kinds and places of what is wrong."""
    try:
        return _without_input(error) if isinstance(error, ValidationError) else str(error)
    except Exception:
        return "(its message could not be made)"


def _without_input(error: ValidationError) -> str:
    wrong = error.errors(include_input=False, include_url=False, include_context=False)
    lines = [f"{len(wrong)} validation error{'s'[: len(wrong) != 1]} for {error.title}"]
    for each in wrong:
        # This message alone quotes a part of the input.
        said = "Input tag is none of those expected" if each["type"] == "union_tag_invalid" else each["msg"]
        lines += [".".join(map(str, each["loc"])), f"  {said} [type={each['type']}]"]
    return "\n".join(line for line in lines if line)


def _formatted(error: BaseException) -> str:
    told = traceback.TracebackException.from_exception(error, compact=True)
    _reword(told, error)
    return "".join(told.format())


def _reword(told: traceback.TracebackException, error: BaseException) -> None:
    """Take the input out of all of pydantic's errors among an error, its causes and its parts."""
    pending: list[tuple[Any, BaseException | None]] = [(told, error)]
    while pending:
        each, its = pending.pop()
        if each is None or its is None:
            continue
        if isinstance(its, ValidationError):
            each._str = error_text(its)
        pending += [(each.__cause__, its.__cause__), (each.__context__, its.__context__)]
        if isinstance(its, BaseExceptionGroup) and each.exceptions:
            pending += zip(each.exceptions, its.exceptions, strict=False)


def _fingerprint(kind: str, error: BaseException) -> str:
    digest = blake2b(kind.encode("utf-8", "replace"), digest_size=8)
    for frame, _ in traceback.walk_tb(error.__traceback__):
        place = f"\0{frame.f_globals.get('__name__', '')}.{frame.f_code.co_qualname}"
        digest.update(place.encode("utf-8", "replace"))
    return digest.hexdigest()


def _cut(text: str, size: int) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= size:
        return data.decode()
    mark = "\n[…]\n"
    room = max(size - len(mark.encode()), 0)
    head = data[: room // 4].decode(errors="ignore")
    tail = data[len(data) - (room - room // 4) :].decode(errors="ignore")
    return head + mark + tail
