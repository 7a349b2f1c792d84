"""Admission settings and the fold version of a log: read, and changed in every partition by compare and set."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from farandole.projections.fold import KNOWN_VERSION, Fold, Settings
from farandole.schemas.envelope import Kind

from .errors import SettingRefused

if TYPE_CHECKING:
    from .client import Client

NAMES: Final = tuple(field.name for field in fields(Settings))
TIMES: Final = frozenset(("dedup_window", "settle", "expire_after", "ahead", "lease_most"))
"""Settings that are times, in milliseconds."""
_ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class InForce:
    """What a log goes by.

    Attributes:
        settings: the values of each name; of partitions that differ, more than one.
        defaults: what the names are without a record.
        versions: fold versions.
    """

    settings: Mapping[str, tuple[int, ...]]
    defaults: Mapping[str, int]
    versions: tuple[int, ...]


async def in_force(client: "Client") -> InForce:
    """What is in force now.

    Raises:
        StoreError: the log cannot be read.
    """
    folds = await _folds(client)
    return InForce(
        {name: tuple(sorted({getattr(fold.settings, name) for fold in folds})) for name in NAMES},
        {name: getattr(Settings(), name) for name in NAMES},
        tuple(sorted({fold.version for fold in folds})),
    )


async def put_in_force(client: "Client", name: str, value: int, *, why: str = "", by: str = "") -> int:
    """Change a setting in every partition, and see it in force.

    Returns:
        In how many partitions it was another one before.

    Raises:
        ValueError: there is no such setting, or its value cannot be so.
        SettingRefused: others kept changing it.
        AppendError: a record could not be appended within half a minute; setting it again is safe.
    """
    if name not in NAMES:
        raise ValueError(f"there is no setting '{name}'; there are {', '.join(NAMES)}")
    if not 0 <= value < 1 << 63:
        raise ValueError(f"{name}={value}: a setting is a number that is not negative")

    def wanted(fold: Fold) -> dict[str, Any] | None:
        now = getattr(fold.settings, name)
        return None if now == value else {"name": name, "value": value, "replaces": now, "reason": why, "by": by}

    return await _write(client, Kind.SETTING, wanted, f"setting {name}")


async def raise_version(client: "Client", version: int, *, why: str = "", by: str = "") -> int:
    """Raise the fold version in every partition, and see it in force. Workers that do not know it stop.

    Returns:
        In how many partitions it was raised.

    Raises:
        ValueError: this release does not know it.
        SettingRefused: it did not come into force.
    """
    if not 1 <= version <= KNOWN_VERSION:
        raise ValueError(f"this release knows fold versions up to {KNOWN_VERSION}; upgrade it first")

    def wanted(fold: Fold) -> dict[str, Any] | None:
        return None if fold.version >= version else {"version": version, "reason": why, "by": by}

    return await _write(client, Kind.VERSION, wanted, f"fold version {version}")


async def _write(client: "Client", kind: Kind, wanted: Any, what: str) -> int:
    written = set[int]()
    for _ in range(_ROUNDS):
        left = {fold.partition: content for fold in await _folds(client) if (content := wanted(fold)) is not None}
        if not left:
            return len(written)
        written |= left.keys()
        writes = [client.append_to(p, client.scribe.control(kind, [content])) for p, content in left.items()]
        for failed in await asyncio.gather(*writes, return_exceptions=True):
            if failed is not None:
                raise failed
    raise SettingRefused(f"{what} did not come into force in {len(left)} partitions: others keep changing it")


async def _folds(client: "Client") -> list[Fold]:
    partitions = range(client.store.partitions)
    await client.follower.up_to_date(partitions)
    return [client.follower.fold(p) for p in partitions]
