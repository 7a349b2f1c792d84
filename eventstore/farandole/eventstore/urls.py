"""Reading store URLs: their options, and what of them may be shown."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from .errors import StoreMisconfigured


def without_secrets(url: str) -> str:
    """The URL without user, password, query and fragment, however badly it is formed."""
    scheme, colon, rest = url.partition(":")
    body = re.split(r"[?#]", rest, maxsplit=1)[0]
    if not colon or scheme.lower() == "sqlite":
        return (scheme.rpartition("@")[2] if not colon else scheme) + colon + body
    host = body.rpartition("@")[2].lstrip("/")
    if "@" in rest[len(body) :] and "@" not in body and not re.fullmatch(r"/*[^:/]*(:\d+)?(,[^:/]*(:\d+)?)*/?", body):
        host = "…"  # a password with an unescaped ? or # was cut in two, and its first half stands where hosts do
    lead = rest[: len(rest) - len(rest.lstrip("/"))]
    return f"{scheme}:{lead if len(lead) != 1 else '//'}{host}"


def options(url: str, known: Mapping[str, str]) -> dict[str, str]:
    """The options after ``?``.

    Args:
        url: a store URL.
        known: the options that this kind of store has, and what each takes, for the message.

    Raises:
        StoreMisconfigured: an option is unknown, without a value, or given twice.
    """
    found: dict[str, str] = {}
    for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        if name not in known:
            takes = ", ".join(f"{k} ({v})" for k, v in known.items()) or "none"
            raise StoreMisconfigured(f"{without_secrets(url)} has no option {name!r}; it knows: {takes}")
        if not value or name in found:
            raise StoreMisconfigured(f"{without_secrets(url)}: give option {name!r} once, as {known[name]}")
        found[name] = value
    return found


def seconds(url: str, found: Mapping[str, str], name: str, default: float) -> float:
    """An option that is a number of seconds above 0.

    Raises:
        StoreMisconfigured: it is not.
    """
    text = found.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not 0 < value < 86_400:
        raise StoreMisconfigured(f"{without_secrets(url)}: option {name!r} is {text!r}; give seconds, as {name}=10")
    return value
