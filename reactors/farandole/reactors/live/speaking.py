"""What handlers say, on its way out: gathered for a moment and sent together, so that a token costs next to nothing.

A handler never waits for any of it. What cannot be sent waits in a buffer of fixed size; what finds no room is lost,
and the next piece says that something was.
"""

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from farandole.eventstore import Live, Record, StoreClosed, StoreError, TooLarge
from farandole.reactors.about import of_work
from farandole.schemas import EncodingError, system_records
from farandole.schemas.envelope import Kind

if TYPE_CHECKING:
    from farandole.reactors.dispatch import Work
    from farandole.reactors.scribe import Scribe

log = logging.getLogger("farandole.step")

_FIRST: Final = 0.02
"""Seconds for which the first piece waits for more."""
_EVERY: Final = 0.1
"""Seconds between two sendings."""
_RETRY: Final = 1.0
_QUIET: Final = 60.0
"""Seconds for which it is not said again that nothing can be sent."""
_MOST: Final = 64 << 10
"""Characters of one take that wait at most; one record holds no more."""
_MOST_KIND: Final = 40
_MOST_ALL: Final = 1 << 20
"""Characters that wait at most in all."""


class Speaker:
    """Sends what the handlers of one worker say. To be made and used in its event loop; `Voice` may be used anywhere."""

    def __init__(self, scribe: "Scribe", live: Live) -> None:
        self.loop = asyncio.get_running_loop()
        self.thread = threading.get_ident()
        self.scribe = scribe
        self._live = live
        self._voices: dict[Voice, None] = {}
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._sending: dict[int, asyncio.Task[None]] = {}
        """By partition: one that takes nothing now holds up no other."""
        self._sent_at = 0.0
        self._told: dict[str, float] = {}
        self._closed = False

    def room_for(self, voice: "Voice", size: int) -> bool:
        """Take so many characters more, if there is room."""
        if self._closed or self._size + size > _MOST_ALL:
            return False
        self._size += size
        self._voices[voice] = None
        if self._timer is None and voice.partition not in self._sending:
            self._timer = self.loop.call_at(max(self._sent_at + _EVERY, self.loop.time() + _FIRST), self._begin)
        return True

    def made_room(self, size: int) -> None:
        """So many characters wait no longer."""
        self._size -= size

    async def close(self) -> None:
        """Send nothing more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        sending = list(self._sending.values())
        for each in sending:
            each.cancel()
        if sending:
            await asyncio.wait(sending)

    def tell(self, about: str, what: str, *args: object, extra: Mapping[str, object] | None = None) -> None:
        """Log a warning, unless one about the same was logged a moment ago."""
        now = self.loop.time()
        if now - self._told.get(about, float("-inf")) > _QUIET:
            self._told[about] = now
            log.warning(what, *args, extra=extra)

    def _begin(self) -> None:
        self._timer = None
        by_partition: dict[int, list[tuple[Voice, Record]]] = defaultdict(list)
        for voice in [voice for voice in self._voices if voice.partition not in self._sending]:
            del self._voices[voice]
            record = voice.record()
            if record is not None:
                by_partition[voice.partition].append((voice, record))
        for partition, said in by_partition.items():
            sending = self._append(partition, [record for _, record in said], [voice for voice, _ in said])
            self._sending[partition] = self.loop.create_task(sending, name=f"live {partition}")
            self._sending[partition].add_done_callback(partial(self._done, partition))

    def _done(self, partition: int, sending: "asyncio.Task[None]") -> None:
        del self._sending[partition]
        self._sent_at = self.loop.time()
        if not sending.cancelled() and (error := sending.exception()) is not None:
            log.error("what steps say could not be sent", exc_info=error)
        waits = any(voice.partition not in self._sending for voice in self._voices)
        if self._timer is None and waits and not self._closed:
            self._timer = self.loop.call_later(_EVERY, self._begin)

    async def _append(self, partition: int, records: list[Record], voices: "Iterable[Voice]") -> None:
        """Send it, again and again as long as there is room for what comes meanwhile."""
        while True:
            try:
                await self._live.append(partition, records)
            except StoreClosed:
                return
            except StoreError as e:
                self.tell("sending", "what steps say live waits, and may be lost: %s", e)
                if isinstance(e, TooLarge) or all(voice.waits_too_long for voice in voices):
                    for voice in voices:
                        voice.lose()
                    return
                await asyncio.sleep(_RETRY)
            else:
                return


class Voice:
    """What one attempt says. It may be called in any thread."""

    __slots__ = ("_index", "_lost", "_personal", "_pieces", "_size", "_speaker", "_take", "_work")

    def __init__(self, speaker: Speaker, work: "Work") -> None:
        self._speaker = speaker
        self._work = work
        self._pieces: list[tuple[str, list[str]]] = []
        self._personal = False
        self._size = self._index = 0
        self._lost = False
        self._take = ""

    def __call__(self, kind: str, text: str, personal: bool) -> None:
        speaker = self._speaker
        if threading.get_ident() == speaker.thread:
            self._say(kind, text, personal)
        else:
            speaker.loop.call_soon_threadsafe(self._say, kind, text, personal)

    @property
    def partition(self) -> int:
        """Of its run."""
        return self._work.serving.fold.partition

    @property
    def waits_too_long(self) -> bool:
        """Whether half of what may wait does, or nobody is interested any more."""
        return self._size > _MOST // 2 or not self._work.owed

    def lose(self) -> None:
        """What was to be sent is lost."""
        self._lost = True

    def _say(self, kind: str, text: str, personal: bool) -> None:
        size = len(text) + len(kind)
        if self._size + size > _MOST or not self._speaker.room_for(self, size):
            self._lost = True
            return
        self._size += size
        self._personal = self._personal or personal
        if self._pieces and self._pieces[-1][0] == kind == "text":
            self._pieces[-1][1].append(text)
        else:
            self._pieces.append((kind[:_MOST_KIND], [text]))

    def record(self) -> Record | None:
        """All that waits, to be sent; None if nobody is interested any more."""
        pieces, size = self._pieces, self._size
        self._pieces, self._size = [], 0
        self._speaker.made_room(size)
        if not pieces or not self._work.owed:
            return None
        if not self._take:
            self._take = self._speaker.scribe.new_name().hex()
        content = {
            "take": self._take,
            "index": self._index,
            "lost": self._lost,
            "personal": self._personal,
            "pieces": [{"kind": kind, "text": "".join(texts)} for kind, texts in pieces],
        }
        self._index += len(pieces)
        self._lost = False
        work = self._work
        try:
            return self._speaker.scribe.of_step(
                Kind.PROGRESS, work.run.id, work.pair, content, attempt=work.attempt, says=system_records.LIVE
            )
        except EncodingError as e:
            where = work.reactor.where
            self._speaker.tell(where, "%s: what it says live is not sent: %s", where, e, extra=of_work(work))
            self._lost = True
            return None
