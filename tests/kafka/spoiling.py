"""A proxy that puts another error code into a broker's answer to an append, which has the records all the same."""

import asyncio
import struct
from typing import Final

from farandole.testing.proxy import TcpProxy

_LENGTH = struct.Struct(">i")
_PRODUCE: Final = 0
_CODE = struct.Struct(">h")


class SpoilingProxy(TcpProxy):
    """Passes everything on but for the error codes of answers to appends that it was told of.

    Answers to Produce requests of up to version 8, the newest that the client writes, are understood.
    """

    def __init__(self, port: int, target: int) -> None:
        super().__init__(port, target)
        self.spoilt = 0
        """How many answers were."""
        self._about = b""
        self._code = 0
        self._awaited: set[bytes] = set()

    def spoil(self, about: bytes, code: int) -> None:
        """Answer the next append in which these bytes stand with an error code, once."""
        self._about, self._code = about, code

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, outward: bool) -> None:
        try:
            while True:
                head = await reader.readexactly(_LENGTH.size)
                message = await reader.readexactly(*_LENGTH.unpack(head))
                if outward:
                    self._note(message)
                else:
                    message = self._spoil(message)
                writer.write(head + message)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass

    def _note(self, request: bytes) -> None:
        key, version, correlation = struct.unpack_from(">hh4s", request)
        if self._about and key == _PRODUCE and self._about in request:
            assert version <= 8, f"answers of version {version} are not understood"
            self._awaited.add(correlation)
            self._about = b""

    def _spoil(self, answer: bytes) -> bytes:
        correlation, topics = struct.unpack_from(">4si", answer)
        if correlation not in self._awaited or topics != 1:
            return answer
        (name,) = struct.unpack_from(">h", answer, 8)
        at = 8 + 2 + name + 4 + 4  # the topic, how many partitions, the partition
        assert _CODE.unpack_from(answer, at) == (0,), "the broker took it"
        self._awaited.remove(correlation)
        self.spoilt += 1
        return answer[:at] + _CODE.pack(self._code) + answer[at + 2 :]
