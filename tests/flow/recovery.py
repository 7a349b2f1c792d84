"""What kills cost: figures from a log and the times of the kills."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from checker import Examination, Report
from checker.ids import step_key
from checker.record import Kind

from .workers import Kill


def seconds_to_recover(found: Examination, kills: Sequence[Kill]) -> list[float]:
    """For each kill, the seconds until its service appended again, if it did so before it was killed again."""
    times: dict[str, list[int]] = {}
    for part in found.partitions:
        for raw, head, _ in part.records:
            if head is not None and head.kind in (Kind.OUTCOME, Kind.FAILURE):
                times.setdefault(head.source.decode().rpartition("/")[2], []).append(raw.time)
    took = []
    for kill in kills:
        again = min((k.at for k in kills if k.service == kill.service and k.at > kill.at), default=2**63)
        if after := [t for t in times.get(kill.service, ()) if kill.at < t < again]:
            took.append((min(after) - kill.at) / 1000)
    return sorted(took)


def charges(found: Examination, ledger: Path) -> tuple[int, int, list[str]]:
    """Attempts that charged, different keys among them, and orders whose one effect is not there or too much."""
    noted = Counter(ledger.read_text().split())
    wanted = {
        step_key(run.key, run.start_id, run.start_id, b"take_payment"): run
        for run in found.runs
        if any(event.type == b"orders.PaymentTaken" for event in run.history)
    }
    wrong = [f"{run.key.decode()} was never charged" for key, run in wanted.items() if key not in noted]
    wrong += [f"{key} was charged for no order" for key in noted if key not in wanted]
    return noted.total(), len(noted), wrong


def report(found: Examination, kills: Sequence[Kill], seconds: float, ledger: Path) -> str:
    """The figures for people."""
    took = seconds_to_recover(found, kills)
    attempts, keys, _ = charges(found, ledger)
    lines = [
        str(Report.of(found)),
        f"{seconds:.1f} s; {len(kills)} kills: " + str(dict(Counter(kill.service for kill in kills))),
        f"charged {attempts} times for {keys} orders",
    ]
    if took:
        lines.append(
            f"appending again after a kill: median {took[len(took) // 2]:.2f} s, longest {took[-1]:.2f} s; "
            f"{len(kills) - len(took)} times killed again, or done, before that"
        )
    return "\n".join(lines)
