"""`doctor`: is all as it must be, and what is the cure where it is not?"""

import platform
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from rich.text import Text

from farandole.eventstore import Stored, StoreError, without_secrets
from farandole.eventstore.finding import Finding
from farandole.projections.fold import Applied, Fold, Verdict, status_of
from farandole.reactors import Choreography
from farandole.reactors.client import Client
from farandole.reactors.governing import stopped_in

from .errors import FAILED, one_line
from .output import Output
from .running import Target, attached
from .served import in_force, may_serve
from .tables import MARKS, Found, findings_grid
from .words import refusal

MOST_RECORDS: Final = 200_000
"""Logs of more records are not read through unless asked for."""
_PACKAGES: Final = ("farandole", "aiokafka", "fastavro", "pydantic")


async def doctor(store: str, choreography: Choreography | None, out: Output, *, everything: bool) -> int:
    """Look at the installation, the store and the log; 1 if anything will not work."""
    findings = [_versions(), *await _store(store, choreography)]
    usable = not any(f.severity == "error" for f in findings)
    if choreography is None:
        findings.append(Finding("log", "warning", "not looked at", "name an app, or --choreography NAME"))
    elif usable:
        findings += await _log(Target(choreography, store), everything)
    bad = sum(f.severity == "error" for f in findings)
    if out.as_json:
        out.document({"store": without_secrets(store), "healthy": not bad, "findings": findings})
    else:
        _print(out, findings)
    return FAILED if bad else 0


def _versions() -> Finding:
    said = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return Finding("versions", "ok", f"{said}, Python {platform.python_version()}, {platform.system()}")


async def _store(store: str, choreography: Choreography | None) -> Sequence[Finding]:
    scheme = store.partition(":")[0].lower()
    if scheme == "sqlite":
        from farandole.eventstore.sqlite.diagnose import diagnose as look_at_file

        return await look_at_file(store)
    if scheme == "kafka":
        from farandole.eventstore.kafka import diagnose as look_at_cluster

        found = await look_at_cluster(store, choreography.name if choreography else "doctor")
        general = ("transport", "broker", "registry")
        return [f for f in found if choreography is not None or f.check in general]
    if scheme == "memory":
        return [
            Finding("store", "warning", "a log in memory is seen by its own process only", "use sqlite:/// or kafka://")
        ]
    return [
        Finding(
            "store", "error", f"'{without_secrets(store)}' is no store URL", "kafka://host:9092 or sqlite:///file.db"
        )
    ]


async def _log(target: Target, everything: bool) -> list[Finding]:
    try:
        async with attached(target) as client:
            ends = await client.store.ends(range(client.store.partitions))
            records = sum(end.next - end.first for end in ends.values())
            size = f"{client.store.partitions} partitions, {records:,} records"
            if records > MOST_RECORDS and not everything:
                return [Finding("log", "ok", f"{size}; not read through", "farandole doctor --all reads it")]
            return [*await _folded(client, size), *await _rejected(client), *await may_serve(target, client)]
    except StoreError as e:
        # Of a log that no worker has made yet there is nothing to say but that.
        return [Finding("log", "warning", one_line(e), "start a worker")]


async def _folded(client: Client, size: str) -> list[Finding]:
    refused: Counter[str] = Counter()
    partitions = range(client.store.partitions)

    def note(record: Stored, out: Applied) -> None:
        if Verdict(out.verdict).refused:
            refused[Verdict(out.verdict).name.lower()] += 1

    client.follower.listener = note
    await client.follower.up_to_date(partitions)
    folds = [client.follower.fold(p) for p in partitions]
    return [_identity(folds, size), *await in_force(client, folds), *_stopped(folds), *_refused(refused), _runs(folds)]


def _stopped(folds: Sequence[Fold]) -> list[Finding]:
    """Kill switches that somebody may have forgotten."""
    return [
        Finding(
            f"reactor {name}" if name else "all reactors",
            "warning",
            "stopped: no step of it is begun" if name else "stopped: no step is begun",
            f"let it go on: farandole resume --reactor {name}" if name else "let them go on: farandole resume --all",
        )
        for name in stopped_in(folds)
    ]


def _identity(folds: Sequence[Fold], size: str) -> Finding:
    ids = {fold.log_id for fold in folds}
    made = {fold.made_of for fold in folds if fold.made_of is not None}
    if None in ids:
        missing = sum(fold.log_id is None for fold in folds)
        return Finding(
            "log", "warning", f"{size}; {missing} partitions have no genesis", "start a worker, which writes it"
        )
    if made != {len(folds)}:
        return Finding(
            "log",
            "error",
            f"it was made with {', '.join(map(str, sorted(made)))} partitions and has {len(folds)}: runs no longer hash to where they live",
            "make a choreography of another name, and let this one drain",
        )
    # Two processes that make a log at once may each name some of its partitions.
    name = min(i for i in ids if i is not None)
    return Finding("log", "ok", f"{name[:12]}…, {size}, fold version {max(fold.version for fold in folds)}")


def _refused(refused: Counter[str]) -> list[Finding]:
    if not refused:
        return [Finding("records", "ok", "none refused, none unreadable")]
    said = ", ".join(f"{count:,} × {refusal(Verdict[name.upper()])}" for name, count in refused.most_common())
    if refused["unreadable"] or refused["unknown_kind"]:
        return [Finding("records", "warning", f"refused: {said}", "see who else writes to this topic")]
    return [Finding("records", "ok", f"refused: {said}")]


async def _rejected(client: Client) -> list[Finding]:
    count = 0
    async for _ in client.store.rejected():
        count += 1
    if not count:
        return []
    return [
        Finding(
            "rejected", "warning", f"{count:,} unreadable records were put aside", "see who else writes to this topic"
        )
    ]


def _runs(folds: Sequence[Fold]) -> Finding:
    states = Counter(status_of(fold, run).status for fold in folds for run in fold.runs.values())
    said = ", ".join(f"{count:,} {status}" for status, count in states.most_common()) or "none open"
    if states["failed"]:
        return Finding("runs", "warning", said, "farandole failures, then farandole retry")
    if states["unserved"]:
        return Finding(
            "runs", "warning", said, "farandole runs --status unserved; start the service that takes their events"
        )
    return Finding("runs", "ok", said)


def _print(out: Output, findings: Sequence[Finding]) -> None:
    out.print(findings_grid((Found(f.severity, f.check, f.cause, f.cure) for f in findings), 26))
    counts = Counter(f.severity for f in findings)
    bad = [f"{n} {word}{'s'[: n != 1]}" for word in ("error", "warning") if (n := counts[word])]
    worst = "error" if counts["error"] else "warning" if counts["warning"] else "ok"
    out.print(Text(f"\n{', '.join(bad) or 'all is well'}", style=MARKS[worst][1]))
