"""Who is in a group, as its coordinator says: an answer, no answer, or an error that names the cause."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import errors as kafka

from farandole.eventstore import StoreUnavailable
from farandole.eventstore.kafka.members import members
from farandole.eventstore.kafka.settings import read_settings


class Coordinator:
    """A link to a broker that answers as told, the last time over and over."""

    def __init__(self, *answers: Any) -> None:
        self.settings = read_settings("kafka://localhost:9092?patience=0.3")
        self.answers = list(answers)

    async def coordinator(self, group: str) -> int:
        return 1

    async def refresh(self) -> bool:
        return True

    async def send(self, node: int, request: Any) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(groups=[answer])


def described(code: int, *ids: str) -> tuple[Any, ...]:
    return (code, "dance.floor", "Stable", "consumer", "sticky", [(each, "client", "host", b"", b"") for each in ids])


async def asked(*answers: Any) -> frozenset[str] | None:
    return await members(Coordinator(*answers), "dance.floor")  # type: ignore[arg-type]


async def test_all_members_are_told() -> None:
    assert await asked(described(0, "a", "b")) == {"a", "b"}


@pytest.mark.parametrize("code", [0, 69])
async def test_a_group_that_never_was_has_none(code: int) -> None:
    assert await asked(described(code)) == frozenset()


@pytest.mark.parametrize("denied", [described(30), kafka.GroupAuthorizationFailedError("dance.floor")])
async def test_who_may_not_describe_the_group_gets_no_answer(denied: Any) -> None:
    assert await asked(denied) is None


@pytest.mark.parametrize(
    "passing", [described(14), described(16), kafka.GroupCoordinatorNotAvailableError(), TimeoutError()]
)
async def test_what_passes_is_waited_for(passing: Any) -> None:
    assert await asked(passing, described(0, "a")) == {"a"}


async def test_a_coordinator_that_never_answers_is_an_error() -> None:
    with pytest.raises(StoreUnavailable, match=r"describing the group dance\.floor"):
        await asked(described(15))
