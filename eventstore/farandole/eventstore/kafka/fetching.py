"""Fetch requests and their answers as bytes: version 11 of Kafka's fetch API, which brokers have since 2.3.

A reader names all of its partitions in each request, and each answer has all of them, most without a record. The
client packs and reads such messages field by field; for sixteen partitions that takes longer than the fold and the
handler of a step together. Here each partition is packed and read whole. Layouts: https://kafka.apache.org/protocol,
"Fetch API", version 11.
"""

from collections.abc import Iterable
from io import BytesIO
from struct import Struct, error
from typing import Final, NamedTuple, cast

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Schema

_FETCH, _VERSION = 1, 11
_READ_UNCOMMITTED: Final = 0
_NO_SESSION: Final = (0, -1)
"""Session id and epoch: every request stands for itself."""
_HEAD: Final = Struct(">iiiibiiih")
_PARTITIONS: Final = Struct(">i")
_ASKED: Final = Struct(">iiqqi")
_TAIL: Final = bytes(6)
"""No forgotten topics, and no rack."""
_UNKNOWN: Final = -1
"""The leader's epoch, and where the log begins: for the broker to know."""

_ANSWER: Final = Struct(">ihii")
_LENGTH: Final = Struct(">h")
_GIVEN: Final = Struct(">ihqqqi")
_ABORTED: Final = 16
_DATA: Final = Struct(">ii")


class Answer(NamedTuple):
    """What a broker answered for one partition."""

    partition: int
    code: int
    high_water: int
    data: bytes


class Fetched:
    """A broker's answer to a `Fetch`.

    Attributes:
        answers: what it says of each partition.
        code: an error of the request as a whole; 0: none.
    """

    __slots__ = ("answers", "code")

    def __init__(self, answers: list[Answer], code: int) -> None:
        self.answers = answers
        self.code = code

    @classmethod
    def decode(cls, source: BytesIO) -> "Fetched":
        """Read the rest of a response.

        Raises:
            ValueError: it is cut short, or no such response.
        """
        body = source.read()
        try:
            return cls(*_read(body))
        except error as e:
            raise ValueError(f"a fetch response of {len(body)} bytes is cut short: {e}") from e


class Packed(RequestStruct):  # type: ignore[misc]  # the client tells no types
    """A request as it goes out."""

    API_KEY = _FETCH
    API_VERSION = _VERSION
    SCHEMA = Schema()
    RESPONSE_TYPE = cast(type[Response], Fetched)

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    def encode(self) -> bytes:
        return self._packed

    def __repr__(self) -> str:
        return f"Packed({len(self._packed)} bytes)"


class Fetch(Request[Packed]):  # type: ignore[misc]  # likewise
    """A request for what follows some places in one topic; it is sent through the client.

    Args:
        topic: one topic.
        places: partitions and offsets.
        wait: seconds that the broker may wait while there is nothing.
        each: the most bytes of one partition; a first batch larger than that comes whole.
        all: the most bytes in all; likewise.
    """

    API_KEY = _FETCH

    def __init__(self, topic: str, places: Iterable[tuple[int, int]], *, wait: float, each: int, all: int) -> None:
        name = topic.encode()
        asked = [_ASKED.pack(partition, _UNKNOWN, offset, _UNKNOWN, each) for partition, offset in places]
        head = _HEAD.pack(-1, int(wait * 1000), 1, all, _READ_UNCOMMITTED, *_NO_SESSION, 1, len(name))
        self._bytes = b"".join((head, name, _PARTITIONS.pack(len(asked)), *asked, _TAIL))

    def build(self, request_struct_class: type[Packed]) -> Packed:
        return request_struct_class(self._bytes)


def _read(body: bytes) -> tuple[list[Answer], int]:
    answers = []
    _, code, _, topics = _ANSWER.unpack_from(body)
    at = _ANSWER.size
    for _ in range(topics):
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size + length
        (partitions,) = _PARTITIONS.unpack_from(body, at)
        at += _PARTITIONS.size
        for _ in range(partitions):
            partition, its, high_water, _, _, aborted = _GIVEN.unpack_from(body, at)
            at += _GIVEN.size + _ABORTED * max(aborted, 0)
            _, size = _DATA.unpack_from(body, at)
            at += _DATA.size
            end = at + max(size, 0)
            if end > len(body):
                raise error(f"partition {partition} says it has {size} bytes")
            answers.append(Answer(partition, its, high_water, body[at:end]))
            at = end
    return answers, code
