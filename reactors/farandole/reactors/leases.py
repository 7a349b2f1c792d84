"""Claims of one worker: they keep a step that takes long in one pair of hands, and tell who was lost at it.

A handler that has worked for ten seconds is claimed, and so is every one at work when its partition goes elsewhere; the
claim is renewed until its outcome is handed in. Whoever is owed a step that another worker claims waits; once the claim
has lapsed, that worker is said to be lost, and only then is the step begun anew. Claims bind what is begun, and nothing
else: an outcome is admitted whoever made it.
"""

import asyncio
import logging
from collections.abc import Iterable
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Final

from farandole.eventstore import Record, Stored, TooLarge
from farandole.projections.fold import Pair, Run, Verdict
from farandole.schemas import failure_fields
from farandole.schemas.envelope import Kind, unpack

from .about import of_step
from .careful import FEW, Careful
from .errors import WorkerLost
from .keeping.logclock import LogClock
from .outbox import Outbox
from .scribe import Scribe
from .shown import shown
from .stats import WorkerStats
from .written import size_of

if TYPE_CHECKING:
    from .dispatch import Dispatcher, Work
    from .partition import Serving

log = logging.getLogger("farandole.worker")

CLAIM_AFTER: Final = 10.0
"""Seconds for which a handler works before it is claimed."""
LEASE: Final = 30_000
"""Milliseconds of log time for which a claim stands."""
RENEW: Final = 10.0
"""Seconds between two claims of one step."""
MARGIN: Final = 1_000
"""Milliseconds that a claim may be past its time before somebody says so: its renewal may be on its way."""
HANDOVER: Final = 0.25
"""Seconds that whoever had a partition before has to claim what is at work there. It may learn no earlier than the new
owner that the partition goes: then both claims are on their way at once, and the first in the log would win."""
_HANDOVER_MOST: Final = 3.0
"""Seconds for which it is waited for at most, as long as it is seen at work there."""
_LOOK: Final = 2.0
_AGAIN, _MOST_AGAIN = 2.0, 30.0
"""Seconds until somebody looks again what became of what was said of a claim: at first, and at most."""


class _Held:
    """A claim of ours."""

    __slots__ = ("at", "pair", "run", "serving")

    def __init__(self, serving: "Serving", run: Run, pair: Pair, at: float) -> None:
        self.serving = serving
        self.run = run
        self.pair = pair
        self.at = at
        """Loop time at which it was written last."""


class Leases:
    """Writes this worker's claims, and knows what must wait for those of others.

    Attributes:
        holder: what this worker is called in its claims.
    """

    def __init__(self, scribe: Scribe, outbox: Outbox, stats: WorkerStats) -> None:
        self.holder = scribe.new_name()
        self._stats = stats
        self._scribe = scribe
        self._outbox = outbox
        self._clock = LogClock(scribe.now)
        self._held: dict[Pair, _Held] = {}
        self._since: dict[Work, float] = {}
        """Since when handlers were seen at work."""
        self._careful: dict[Serving, None] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._stopped = False
        self.dispatcher: Dispatcher

    # ── what may begin ───────────────────────────────────────────────────────────────────────────────────────────────

    def wait(self, work: "Work") -> float | None:
        """How many seconds a step has to wait before one looks again; None: it may begin. Infinite: it will be offered.

        Of a claim that has lapsed, this says so in the log; when the log has it, the step is offered anew.
        """
        pair, serving = work.pair, work.serving
        claim = pair.work
        if claim is not None:
            if claim.holder == self.holder:
                return _LOOK if self._at_work_since_before(work) else None
            if claim.holder:
                left = claim.until + MARGIN - self._now(serving)
                if left > 0:
                    serving.losing.pop(pair, None)
                    return left / 1000
                return self._say_lost(serving, work.run, pair)
            if claim.lost:
                self._alone(serving).add(work.run, pair)
                self._watch_careful(serving)
                return inf
        careful = serving.careful
        if careful is None:
            return None
        if not careful.opened and not careful.holds(pair):
            careful.add(work.run, pair)
        return inf if careful.holds(pair) else None

    def _at_work_since_before(self, work: "Work") -> bool:
        """Whether a handler of ours works on the step since before the partition was restored."""
        serving, run, pair = work.serving, work.run.id, work.pair.key
        return any(
            other.serving is not serving
            and other.serving.fold.partition == serving.fold.partition
            and other.run.id == run
            and other.pair.key == pair
            for other in self.dispatcher.at_work_in()
        )

    def gained(self, serving: "Serving") -> None:
        """A partition is served from now on, perhaps after somebody who died of what is owed there.

        If whoever had it let go of it, one claim is enough: should we die of what is owed, whoever comes next knows that
        somebody was here since. If nobody let go, somebody may be at work, whose claims may still be on their way, and may
        not know yet that the partition went: nothing is begun until then.
        """
        now = self._now(serving)
        owed = [
            (run, pair)
            for run in serving.fold.runs.values()
            for pair in run.owed.values()
            if not pair.parked
            and pair.due <= now
            and pair.reactor in serving.served
            and self.dispatcher.at_work(pair) is None
            and (pair.work is None or not pair.work.holder)
        ]
        released, loop = serving.released, asyncio.get_running_loop()
        if owed or (serving.lived_in and not released):
            serving.gained_at, serving.other_at = loop.time(), 0.0
            since = loop.time() if released else loop.time() + HANDOVER
            serving.careful = Careful(
                1 if released else FEW,
                lambda run, pair: self._claim_first(serving, run, pair),
                one=released,
                since=since,
            )
            for run, pair in owed:
                serving.careful.add(run, pair)
            self._watch_careful(serving)
            # A timer may go off a clock's tick too early.
            loop.call_at(since + 0.01, self.look, serving)

    def look(self, serving: "Serving") -> None:
        """Those that come next may begin."""
        if serving not in self._careful:
            return
        now = asyncio.get_running_loop().time()
        if serving.careful is not None:
            if self._put_off(serving, serving.careful, now):
                return
            serving.careful.look(now)
            if not serving.careful:
                serving.careful = None
        if serving.careful is None and serving.alone is not None:
            # Those at which somebody was lost come last, so that they take nobody along.
            serving.alone.look(now)
        if serving.careful is None and not serving.alone:
            self._careful.pop(serving, None)

    def _put_off(self, serving: "Serving", careful: Careful, now: float) -> bool:
        """Whether nothing is to be begun yet, for whoever had the partition before still has time to let go."""
        if now < careful.since:
            return True
        until = min(serving.other_at + HANDOVER, serving.gained_at + _HANDOVER_MOST)
        if careful.opened or serving.released or until <= now:
            careful.opened = True
            return False
        careful.since = until
        asyncio.get_running_loop().call_at(until + 0.01, self.look, serving)
        return True

    def _alone(self, serving: "Serving") -> Careful:
        if serving.alone is None:
            serving.alone = Careful(1, lambda run, pair: self._claim_first(serving, run, pair))
        return serving.alone

    def _watch_careful(self, serving: "Serving") -> None:
        if serving not in self._careful:
            self._careful[serving] = None
            self.watch()
            # Not at once: what waits is just being offered.
            asyncio.get_running_loop().call_soon(self.look, serving)

    def _claim_first(self, serving: "Serving", run: Run, pair: Pair) -> bool:
        """Claim a step that waits here, and begin it when the log has the claim."""
        if self._stopped or not serving.active or self.dispatcher.at_work(pair) is None:
            return False
        if pair.work is not None and pair.work.holder:
            asyncio.get_running_loop().call_soon(self._offer, serving, run, pair)
            return False

        def answered(answer: "asyncio.Future[tuple[Stored, Verdict]]") -> None:
            if self._stopped or answer.cancelled() or answer.exception() is not None:
                return
            verdict = answer.result()[1]
            now = asyncio.get_running_loop().time()
            freed = [(run, pair)]
            for careful in (serving.careful, serving.alone):
                if careful is not None and verdict is Verdict.ADMITTED:
                    freed += careful.claimed(pair, now)
                elif careful is not None:
                    careful.drop(pair)
            self.look(serving)
            for each in freed:
                self._offer(serving, *each)

        self._claim(serving, run, pair).add_done_callback(answered)
        return True

    def _offer(self, serving: "Serving", run: Run, pair: Pair) -> None:
        if serving.active and serving.restored and _owed(run, pair):
            self.dispatcher.offer(serving, run, pair, None, self._now(serving))

    def _now(self, serving: "Serving") -> int:
        """Log time, as nearly as is known: by our clock, which may be wrong, or by what was read last and when."""
        read = asyncio.get_running_loop().time() - serving.read_at
        return max(self._clock.now(), serving.fold.log_time + int(read * 1000))

    # ── our claims ───────────────────────────────────────────────────────────────────────────────────────────────────

    def watch(self) -> None:
        """Something has begun: look now and then what has been at work for long."""
        if self._watch is None and not self._stopped:
            self._watch = asyncio.get_running_loop().call_later(_LOOK, self._look_around)

    def revoked(self, serving: "Serving") -> None:
        """The partition goes elsewhere: claim what is at work, and let go of what was to begin."""
        serving.careful = serving.alone = None
        self._careful.pop(serving, None)
        at_work = {work.pair for work in self.dispatcher.at_work_in(serving)}
        for work in self.dispatcher.at_work_in(serving):
            self._claim(serving, work.run, work.pair)
        self._let_go([held for held in self._held.values() if held.serving is serving and held.pair not in at_work])

    def stop(self) -> None:
        """Nothing is at work any more: let go of all that was claimed, so that whoever comes next need not wait."""
        self._stopped = True
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._let_go([held for held in self._held.values() if _owed(held.run, held.pair)])

    def _look_around(self) -> None:
        now = asyncio.get_running_loop().time()
        self._watch = None
        at_work = self.dispatcher.at_work_in()
        self._since = {work: self._since.get(work, now) for work in at_work}
        for work, since in self._since.items():
            if now - since >= CLAIM_AFTER and work.pair not in self._held and _owed(work.run, work.pair):
                self._claim(work.serving, work.run, work.pair)
        running = {work.pair for work in at_work}
        for pair, held in tuple(self._held.items()):
            if now - held.at < RENEW:
                continue
            ours = _owed(held.run, pair) and pair.work is not None and pair.work.holder == self.holder
            taken_on = self.dispatcher.at_work(pair)
            if (pair in running and _owed(held.run, pair)) or (ours and taken_on is not None and not taken_on.barred):
                self._claim(held.serving, held.run, pair)
            elif ours:
                # It is not to be begun any more: its run was paused, say, or its reactor stopped.
                self._let_go([held])
            else:
                del self._held[pair]
        for serving in tuple(self._careful):
            self.look(serving)
        if at_work or self._held or self._careful:
            self.watch()

    def _claim(self, serving: "Serving", run: Run, pair: Pair) -> "asyncio.Future[tuple[Stored, Verdict]]":
        self._held[pair] = _Held(serving, run, pair, asyncio.get_running_loop().time())
        record = self._scribe.of_step(Kind.CLAIM, run.id, pair, delay=LEASE, extra=self.holder)
        answer = serving.await_verdict(unpack(record.headers).append)
        self._stats.claims += 1
        self._put(serving, run, pair, record)
        return answer

    def _let_go(self, claims: Iterable[_Held]) -> None:
        for held in claims:
            self._held.pop(held.pair, None)
            record = self._scribe.of_step(Kind.CLAIM, held.run.id, held.pair, delay=0, extra=self.holder)
            self._put(held.serving, held.run, held.pair, record)

    # ── those of others ──────────────────────────────────────────────────────────────────────────────────────────────

    def _say_lost(self, serving: "Serving", run: Run, pair: Pair) -> float:
        """Say that whoever claims a step is lost, unless that is on its way; how many seconds until one looks again.

        It is not on its way any more if the log found it too early, by a clock that goes back or slow: then it is said
        again, less and less often.
        """
        claim, now = pair.work, asyncio.get_running_loop().time()
        tries, again = serving.losing.get(pair, (0, now))
        if claim is None or again > now or self._stopped:
            return max(again - now, _AGAIN)
        wait = min(_AGAIN * 2.0**tries, _MOST_AGAIN)
        serving.losing[pair] = (tries + 1, now + wait)
        content = failure_fields(
            WorkerLost(
                f"the worker that had the step stopped renewing its claim; this is loss number {claim.lost + 1}. A step "
                "that ends the process of its worker, or blocks its event loop for long, is lost like that"
            )
        )
        record = self._scribe.of_step(
            Kind.LOST, run.id, pair, content, attempt=pair.attempts, extra=claim.holder
        )  # fmt: skip

        def answered(answer: "asyncio.Future[tuple[Stored, Verdict]]") -> None:
            if not answer.cancelled() and answer.exception() is None:
                stored, verdict = answer.result()
                if verdict is Verdict.NOT_DUE:
                    self._clock.told(stored.time)
                    return
                serving.losing.pop(pair, None)
                if verdict is Verdict.ADMITTED:
                    self._stats.lost += 1
                    log.warning(
                        "%s in run %s: its worker was lost, loss number %d; %s",
                        pair.reactor.decode(), shown(run.id), claim.lost,
                        "it is begun anew" if run.owed.get(pair.key) is pair and not pair.parked else "it failed for good",
                        extra=of_step(serving.fold.partition, run.id, pair),
                    )  # fmt: skip

        serving.await_verdict(unpack(record.headers).append).add_done_callback(answered)
        self._put(serving, run, pair, record)
        return wait

    def _put(self, serving: "Serving", run: Run, pair: Pair, record: Record) -> None:
        partition = serving.fold.partition
        refused = partial(_too_large, partition, run.id, pair)
        self._outbox.put(partition, (record,), size_of(record), refused)


def _owed(run: Run, pair: Pair) -> bool:
    return not pair.parked and run.owed.get(pair.key) is pair


def _too_large(partition: int, run_id: bytes, pair: Pair, error: TooLarge) -> None:
    log.error("a claim is larger than the log takes: %s", error, extra=of_step(partition, run_id, pair))
