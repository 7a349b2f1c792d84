"""What is kept of an exception: enough to tell what went wrong, in a record of bounded size."""

import traceback
from hashlib import blake2b
from typing import Any, Final

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
    message = _cut(_text(error), _MAX_MESSAGE)
    left = MAX_BYTES - _OVERHEAD - len(name.encode()) - len(message.encode())
    return {
        "error": name,
        "message": message,
        "traceback": _cut("".join(traceback.format_exception(error)), left),
        "fingerprint": _fingerprint(kind, error),
    }


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its message could not be made)"


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
