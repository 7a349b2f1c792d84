"""What `farandole doctor` says of the schema registry."""

from collections.abc import Mapping, Sequence
from typing import Final

from farandole.eventstore.errors import StoreError
from farandole.eventstore.finding import Finding
from farandole.schemas.catalogue import PREFIX, texts_in
from farandole.schemas.errors import RegistryError, RegistryUnavailable, UndecodableValue
from farandole.schemas.registry import ConfluentRegistry, RegistrySettings
from farandole.schemas.schema_numbers import NUMBERS, read_number

CHECK: Final = "registry"


async def look_at_registry(url: str, settings: RegistrySettings | None, choreography: str) -> Sequence[Finding]:
    """Whether it answers, and what the log has of it. Changes nothing.

    Args:
        url: of the store.
        settings: how the registry is reached; None: none is named.
    """
    catalogue = await _catalogue(url, choreography)
    numbers = {key: value for key, value in catalogue.items() if key.startswith(NUMBERS)}
    if settings is None:
        if not numbers:
            return []
        said = "values of this log are written for a schema registry, and none is named here"
        return [Finding(CHECK, "warning", said, "set FARANDOLE_REGISTRY, as for those who wrote them")]
    try:
        registry = ConfluentRegistry(settings)
    except RegistryError as e:
        return [Finding(CHECK, "error", str(e))]
    try:
        rule = await registry.compatibility()
    except RegistryUnavailable as e:
        # What has a number is written all the same.
        cure = "start it; until then steps that would write a new schema wait"
        return [Finding(CHECK, "warning" if numbers else "error", str(e), cure)]
    except RegistryError as e:
        return [Finding(CHECK, "error", str(e))]
    finally:
        await registry.close()
    without = len(texts_in(catalogue).keys() - _numbered(numbers))
    said = f"{settings.url} answers, compatibility {rule}; {len(numbers)} schemas of this log have numbers"
    if numbers and without:
        said += f", {without} are not written with one yet"
    return [Finding(CHECK, "ok", said)]


def _numbered(numbers: Mapping[bytes, bytes]) -> set[bytes]:
    found = set[bytes]()
    for key, value in numbers.items():
        try:
            found.add(read_number(key, value).fingerprint)
        except UndecodableValue:
            continue
    return found


async def _catalogue(url: str, choreography: str) -> Mapping[bytes, bytes]:
    """The schemas and numbers of a log; nothing of one that is not there."""
    from .store import open_kafka

    try:
        async with await open_kafka(url, choreography, create=False) as store:
            found = await store.catalogue.load()
    except StoreError:
        return {}
    return {key: value for key, value in found.items() if key.startswith((PREFIX, NUMBERS))}
