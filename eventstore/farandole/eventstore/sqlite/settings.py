"""What a ``sqlite:`` URL says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from farandole.eventstore.errors import StoreMisconfigured
from farandole.eventstore.urls import options, seconds, without_secrets

OPTIONS: Final = {
    "synchronous": "full (the default: survives power loss) or normal (survives kill -9 only)",
    "session": "seconds until a silent member of a service is taken for dead, 10",
    "patience": "seconds to wait for other processes' writes, 5",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """One SQLite file and how to use it."""

    url: str
    path: Path
    synchronous: Literal["full", "normal"]
    session: float
    """Seconds until a member that does not renew its lease loses its partitions."""
    patience: float
    """Seconds to wait while another process holds the write lock."""


def read_url(url: str) -> Settings:
    """Read ``sqlite:///relative.db`` or ``sqlite:////absolute.db``, with options.

    Raises:
        StoreMisconfigured: it is none of these.
    """
    parts = urlsplit(url)
    shown = without_secrets(url)
    if parts.netloc or not parts.path.startswith("/") or parts.path.endswith("/"):
        raise StoreMisconfigured(
            f"{shown} does not name a file; write sqlite:///relative.db or sqlite:////absolute.db (mind the slashes)"
        )
    name = unquote(parts.path[1:])
    if name == ":memory:":
        raise StoreMisconfigured(f"{shown}: for a store in memory use memory://")
    found = options(url, OPTIONS)
    durability: dict[str, Literal["full", "normal"]] = {"full": "full", "normal": "normal"}
    synchronous = durability.get(found.get("synchronous", "full").lower())
    if synchronous is None:
        raise StoreMisconfigured(f"{shown}: synchronous is {OPTIONS['synchronous']}, not {found['synchronous']!r}")
    return Settings(
        shown,
        Path(name).absolute(),
        synchronous,
        seconds(url, found, "session", 10),
        seconds(url, found, "patience", 5),
    )
