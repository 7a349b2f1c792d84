"""Copies of records that cannot be read: one of each for whoever reads them, though two keepers made one at once."""

import pytest

from farandole.eventstore import Stored
from farandole.eventstore.kafka import rejected
from farandole.eventstore.rejection import OFFSET

from .conftest import Open

pytestmark = pytest.mark.kafka


def unreadable(offset: int) -> Stored:
    return Stored(0, offset, 0, b"run", b"value", [("fa", b"\x07nonsense")])


async def test_of_two_copies_made_at_the_same_moment_the_first_counts(
    opened: Open, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Neither looks at the topic again after its first copy: both believe that nobody else has copied the second.
    monkeypatch.setattr(rejected, "_FRESH", 1e9)
    one, other = await opened(kafka), await opened(kafka)
    await one.reject(unreadable(0), "why")
    await other.reject(unreadable(0), "why")
    await one.reject(unreadable(1), "the first")
    await other.reject(unreadable(1), "the second")
    assert (one.stats.rejected, other.stats.rejected) == (2, 1)
    for store in (one, other, await opened(kafka)):
        copies = [dict(copy.headers) async for copy in store.rejected()]
        assert [(copy[OFFSET], copy["fa_rejected_reason"]) for copy in copies] == [(b"0", b"why"), (b"1", b"the first")]


async def test_what_others_have_copied_is_known_when_the_next_is_copied(opened: Open, kafka: str) -> None:
    one, other = await opened(kafka), await opened(kafka)
    for n in range(5):
        await one.reject(unreadable(n), "why")
    for n in range(5):
        await other.reject(unreadable(n), "why")
    assert (one.stats.rejected, other.stats.rejected) == (5, 0)
