"""Who is in a consumer group, as its coordinator says."""

import asyncio
import time
from typing import Final

from aiokafka import errors as kafka
from aiokafka.protocol.admin import DescribeGroupsRequest

from .failures import unreachable
from .link import FIRST_BACKOFF, LAST_BACKOFF, Link

_UNKNOWN_GROUP: Final = 69
"""GROUP_ID_NOT_FOUND; older brokers answer with a group that is dead."""


async def members(link: Link, group: str) -> frozenset[str] | None:
    """The ids of a group's members; None if this user may not describe the group.

    Raises:
        StoreUnavailable: no coordinator answered within the settings' patience.
        StoreMisconfigured: this user may do nothing here.
    """
    deadline = time.monotonic() + link.settings.patience
    backoff = FIRST_BACKOFF
    while True:
        try:
            async with asyncio.timeout(link.settings.request_timeout):
                response = await link.send(await link.coordinator(group), DescribeGroupsRequest([group]))
            ((code, _, _, _, _, found, *_),) = response.groups
            if code in (0, _UNKNOWN_GROUP):
                return frozenset(member[0] for member in found)
            raise kafka.for_code(code)(group)
        except kafka.GroupAuthorizationFailedError:
            return None
        except (kafka.KafkaError, OSError, TimeoutError) as e:
            error = unreachable(f"describing the group {group}", link.settings.url, e)
            if time.monotonic() > deadline:
                raise error from e
        await asyncio.sleep(backoff)
        backoff = min(2 * backoff, LAST_BACKOFF)
        await link.refresh()
