"""Random records for a fold: every kind, with ids, times and contracts that often fit and often do not."""

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any

from checker.catalogue import Catalogue
from farandole.eventstore import Stored, partition_of
from farandole.projections.fold import Fold
from farandole.schemas import system_records
from farandole.schemas.envelope import Flag, Header, Kind, pack
from farandole.schemas.ids import derived_id, failure_id

from .making import MAKERS

PARTITIONS = 2
TYPES = (b"t.A", b"t.B", b"t.C", b"t.D", b"t.E")
REACTORS = (b"one", b"two", b"three", b"four")
RUNS = (*[key for n in range(40) if partition_of(key := b"run-%d" % n, PARTITIONS) == 0][:6], b"", b"run-astray")
FORMS = ("list", "either", "child_done", "child_failed")
SETTINGS = {
    "dedup_window": 240, "dedup_most": 48, "settle": 60, "drain": 2, "expire_after": 25, "kept": 2, "join_most": 2,
    "ahead": 60, "lost_most": 2, "lease_most": 40, "once_most": 2, "schedules_most": 2,
}  # fmt: skip


def catalogue() -> Catalogue:
    """A catalogue of the system records alone."""
    return Catalogue(
        {
            b"schema/%d" % n: b'{"fingerprint":"%s","schema":%s}'
            % (schema.fingerprint.hex().encode(), schema.schema_json.encode())
            for n, schema in enumerate(system_records.SYSTEM_RECORDS)
        }
    )


class RandomLog:
    """Makes the next record of partition 0, given the fold so far, so that many records are to the point.

    Args:
        seed: equal seeds and folds make equal logs.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._steady = seed % 2
        """Whether contracts are seldom replaced, so that more comes of them."""
        self._offset = 0
        self._time = 1_000
        self._number = 0
        self._pending: list[tuple[bytes | None, bytes | None, list[Header]]] = []
        self._sent: list[tuple[bytes | None, bytes | None, list[Header]]] = []
        self._genesis_at = self._random.choice((0, 0, 0, 5, 40, 10**6))

    def next(self, fold: Fold) -> Stored:
        r = self._random
        if len(self._sent) == self._genesis_at:
            record = self._control(
                Kind.GENESIS, {"log_id": "l", "partitions": 2, "fold_version": 1, "settings": SETTINGS}
            )
        elif self._steady and len(self._sent) in (1, 150):
            record = self._fitting(fold)
        elif self._pending and r.random() < 0.7:
            record = self._pending.pop(r.choice((0, 0, 0, -1)))
        elif self._sent and r.random() < 0.05:
            record = r.choice(self._sent)
        else:
            record = self._make(fold)
        self._sent.append(record)
        self._offset += r.choice((1, 1, 1, 2))
        self._time += r.choice((0, 0, 1, 1, 2, 3, -2, r.randrange(60) if r.random() < 0.1 else 1))
        return Stored(0, self._offset, self._time, *record)

    # ── what makers of features use ──────────────────────────────────────────────────────────────────────────────────

    @property
    def random(self) -> Random:
        return self._random

    @property
    def time(self) -> int:
        """The time of the last record, or so."""
        return self._time

    def type(self) -> bytes:
        return self._random.choice(TYPES)

    def id(self) -> bytes:
        return self._id()

    def append(self) -> bytes:
        return self._append()

    def key(self, fold: Fold) -> bytes:
        """Mostly of an open run."""
        return self._key(fold)

    def any_key(self) -> bytes:
        return self._random.choice(RUNS)

    def pair(self, fold: Fold) -> tuple[bytes, tuple[bytes, bytes, bytes], int]:
        return self._pair(fold)

    def headers(self, kind: int, id: bytes, type: bytes, **more: Any) -> list[Header]:
        return self._headers(kind, id, type, **more)

    def later(self, records: list[tuple[bytes | None, bytes | None, list[Header]]]) -> None:
        """Records that come once others have come between."""
        self._pending += records

    # ── what all logs have ───────────────────────────────────────────────────────────────────────────────────────────

    def _make(self, fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
        r = self._random
        makers = (self._start, self._outcome, self._failure, self._command, self._contract, self._setting, self._odd)
        weights = (14, 40, 12, 12, 1 if self._steady else 10, 1, 3)
        maker = r.choices((*makers, *(partial(m.make, self) for m in MAKERS)), (*weights, *(m.weight for m in MAKERS)))
        return maker[0](fold)

    def _id(self) -> bytes:
        self._number += 1
        return b"x%d" % (self._number if self._random.random() < 0.95 else self._random.randrange(1, 20))

    def _append(self) -> bytes:
        return self._random.randbytes(16)

    def _key(self, fold: Fold) -> bytes:
        if fold.runs and self._random.random() < 0.9:
            return self._random.choice(sorted(fold.runs))
        return self._random.choice(RUNS)

    def _headers(self, kind: int, id: bytes, type: bytes, **more: Any) -> list[Header]:
        return pack(kind=kind, id=id, type=type, source=b"/t/x", sent=0, **{"append": self._append(), **more})

    def _start(self, fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
        r = self._random
        not_after = r.choice((0, 0, 0, self._time + r.randrange(-5, 5)))
        flags = r.choices((0, int(Flag.NO_REACTOR), int(Flag.END)), (20, 10, 1))[0]
        headers = self._headers(Kind.START, self._id(), r.choice(TYPES), not_after=not_after, flags=flags)
        return r.choice(RUNS), b"", headers

    def _pair(self, fold: Fold) -> tuple[bytes, tuple[bytes, bytes, bytes], int]:
        """A run's key and a pair that it owes, or one that nobody owes; and its attempts so far."""
        r = self._random
        key = self._key(fold)
        run = fold.runs.get(key)
        if run is not None and run.owed and r.random() < 0.95:
            pair = run.owed[r.choice(sorted(run.owed))]
            return key, pair.key, pair.attempts
        return key, (b"x%d" % r.randrange(1, 30), r.choice(REACTORS), b""), 0

    def _outcome(self, fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
        r = self._random
        key, (trigger, reactor, generation), _ = self._pair(fold)
        count = r.choice((0, 1, 1, 1, 1, 2, 3))
        append = self._append()
        fan, begins = 0, b""
        if r.random() < (0.4 if reactor == b"one" else 0.1):
            fan, begins = int(Flag.FANOUT), b"\0".join((r.choice(TYPES), b"t.A"))
        records = []
        for index in range(max(count, 1)):
            flags = r.choices((0, Flag.NO_REACTOR, Flag.END, Flag.END | Flag.FINAL_END), (20, 3, 2, 1))[0]
            headers = self._headers(
                Kind.OUTCOME, derived_id(trigger, reactor, generation, index), r.choice(TYPES), append=append,
                index=index, count=count, flags=int(flags) | fan, branch=b"" if index else begins, causation=trigger, reactor=reactor, generation=generation,
            )  # fmt: skip
            records.append((key, None if not count else b"", headers))
        if r.random() < 0.1:
            r.shuffle(records)
        first, *rest = records
        self._pending += rest[: len(rest) - (r.random() < 0.1)]
        return first

    def _failure(self, fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
        r = self._random
        key, (trigger, reactor, generation), attempts = self._pair(fold)
        attempt = max(attempts + r.choice((1, 1, 1, 1, 1, 1, 0, 2)), 1)
        headers = self._headers(
            Kind.FAILURE, failure_id(trigger, reactor, generation, attempt), b"farandole.Failure", attempt=attempt,
            flags=r.choice((0, int(Flag.LAST))), delay=5, causation=trigger, reactor=reactor, generation=generation,
        )  # fmt: skip
        return key, b"", headers

    def _command(self, fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
        r = self._random
        key = self._key(fold)
        run = fold.runs.get(key)
        kinds = (Kind.SIGNAL, Kind.CANCEL, Kind.PAUSE, Kind.RESUME, Kind.RETRY, Kind.OWE, Kind.EXPIRE)
        kind = r.choices(kinds, (5, 1, 2, 2, 5, 4, 3))[0]
        more: dict[str, Any] = {
            "not_after": r.choice((0, *[self._time + r.randrange(-3, 40)] * 9, self._time + r.randrange(50, 90)))
        }
        type = b"farandole." + kind.name.title().encode()
        if kind is Kind.SIGNAL:
            type = r.choice(TYPES)
            more["flags"] = r.choices((0, int(Flag.NO_REACTOR), int(Flag.END)), (20, 10, 1))[0]
        if kind is Kind.RETRY:
            parked = [p.parked for p in run.owed.values() if p.parked] if run else []
            more["causation"] = r.choice(sorted(parked)) if parked else r.choice((b"", b"none"))
        if kind is Kind.OWE:
            more["causation"], more["reactor"] = b"x%d" % r.randrange(1, 30), r.choice(REACTORS)
            more["extra"] = r.choice((b"", *[r.randrange(100).to_bytes(8, "big") + r.choice(TYPES)] * 9))
        return key, b"", self._headers(kind, self._id(), type, **more)

    def _control(self, kind: Kind, content: Mapping[str, Any], **more: Any) -> tuple[bytes | None, bytes, list[Header]]:
        schema = next(s for s in system_records.SYSTEM_RECORDS if s.name == f"farandole.{kind.name.title()}")
        headers = self._headers(kind, self._id(), schema.name.encode(), schema=schema.fingerprint, **more)
        return None, schema.encode(content), headers

    def _contract(self, fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
        r = self._random
        reactors = r.sample(REACTORS, r.choice((1, 1, 1, 2, 3)))
        if r.random() < 0.03:
            reactors.append(reactors[0])
        append, records = self._append(), []
        for index, reactor in enumerate(reactors):
            renames = r.choice(REACTORS).decode() if r.random() < 0.15 else ""
            in_force = fold.contracts.get(renames.encode() or reactor)
            parameters = r.choice((1, 1, 1, 2))
            failed = r.random() < 0.25
            form = (
                "failed" if failed else "event" if parameters > 1 else r.choice(("event",) * 8 + ("list",) * 3 + FORMS)
            )
            content = {
                "reactor": reactor.decode(),
                "service": "s",
                "takes": [[t.decode() for t in r.sample(TYPES, r.choice((1, 1, 2)))] for _ in range(parameters)]
                if not failed
                else [[t.decode() for t in r.sample(TYPES, r.choice((0, 1, 2)))]],
                "forms": ["failed"] if failed else [form] * parameters,
                "each": r.choice(("t.A", "t.B")) if (form == "list") is (r.random() < 0.95) else "",
                "signals": ["t.A"] if r.random() < 0.02 else [],
                "of": [o.decode() for o in r.sample(REACTORS, r.choice((0, 0, 1, 2)))]
                if failed or form == "list"
                else [],
                "enough": r.choice((0, 0, 1, 2)),
                "within": r.choice((0, 0, 10)),
                "gives": r.choice(([], [], [{"form": "list", "types": ["t.A"]}])),
                "compensates": r.random() < 0.3,
                "unless": [t.decode() for t in r.sample(TYPES, r.choice((0, 0, 1, 2)))],
                "state": r.choices(("active", "retired_drop", "retired_keep"), (20, 1, 1))[0],
                "renames": renames,
                "replaces": in_force.id if in_force and r.random() < 0.9 else "",
            }
            if form in ("child_done", "child_failed", "either"):
                content["takes"][0].append(f"{r.choice(('child_done', 'child_failed'))}:{r.choice('ABCDE')}")
            if form == "either" or (form == "list" and r.random() < 0.5):
                content["takes"][0].append(r.choice(("failed:", "failed:t.A", "failed:t.B")))
            records.append(self._control(Kind.CONTRACT, content, append=append, index=index, count=len(reactors)))
        first, *rest = records
        self._pending += rest[: len(rest) - (r.random() < 0.1)]
        return first

    def _fitting(self, fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
        """Contracts that make branches, join in them and gather what they give."""
        r, append, records = self._random, self._append(), []
        lists = [{"form": "list", "types": ["t.A", "t.B"]}]
        failed = ["failed:"] if r.random() < 0.5 else []
        for index, (reactor, form, takes, more) in enumerate(
            (
                (b"one", "event", [["t.A", "t.B"]], {"gives": lists}),
                (b"two", "list", [["t.C", "t.D", *failed]], {"each": "t.A", "within": r.choice((0, 5, 20))}),
                (b"three", "list", [["t.E", "t.B"]], {"each": "t.B", "enough": r.choice((0, 0, 2)), "within": 10}),
                (b"four", "event", [["t.C"], ["t.E", "t.D"]], {}),
            )
        ):
            in_force = fold.contracts.get(reactor)
            content = {
                "reactor": reactor.decode(), "service": "s", "takes": takes, "forms": [form] * len(takes), "gives": [],
                "replaces": in_force.id if in_force else "", **more,
            }  # fmt: skip
            records.append(self._control(Kind.CONTRACT, content, append=append, index=index, count=4))
        first, *self._pending = records
        return first

    def _setting(self, fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
        r = self._random
        name = r.choice((*SETTINGS, "unknown"))
        replaces = getattr(fold.settings, name, 0)
        content = {"name": name, "value": SETTINGS.get(name, 1) + r.randrange(-1, 9), "replaces": replaces}
        return self._control(Kind.SETTING, content)

    def _odd(self, fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
        """What no writer should write."""
        r = self._random
        kinds = (
            Kind.ANSWER,
            Kind.CLAIM,
            Kind.TICK,
            Kind.POLICY,
            Kind.VERSION,
            Kind.RELEASED,
            Kind.CONTRACT,
            Kind.SCHEDULE,
        )
        kind = r.choice(kinds)
        headers = self._headers(kind, self._id(), b"t.Odd")
        spoil = r.randrange(8)
        if spoil == 0:
            headers = [h for h in headers if h[0] != r.choice(("ce_id", "ce_source", "ce_type", "fa"))]
        elif spoil == 1:
            headers = [(name, value[:-1] if name == "fa" else value) for name, value in headers]
        elif spoil == 2:
            headers = [(name, b"" if name == "ce_type" else value) for name, value in headers]
        elif spoil == 3:
            headers = [(name, b"y" if name == "ce_id" else value) for name, value in headers]
        elif spoil == 4:
            headers = self._headers(kind, self._id(), b"t.Odd", index=3, count=2)
        return self._key(fold), r.choice((None, b"", b"\xc3\x01")), headers
