"""What was found, for people and for programs."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from .examine import Examination
from .record import Kind


@dataclass(slots=True)
class Report:
    """The figures of one examination."""

    records: int
    records_by_verdict: dict[str, int]
    records_by_kind: dict[str, int]
    runs: int
    runs_by_state: dict[str, int]
    runs_by_result: dict[str, int]
    events: int
    failed_attempts: int
    refused_outcomes: int
    schemas: int
    digests: list[str]
    problems: list[str]
    seconds: float

    @classmethod
    def of(cls, found: Examination) -> "Report":
        heads = [(head, verdict) for part in found.partitions for _, head, verdict in part.records]
        runs = found.runs
        return cls(
            records=len(heads),
            records_by_verdict={verdict.name: count for verdict, count in sorted(found.verdicts.items())},
            records_by_kind=_count("unreadable" if head is None else _kind(head.kind) for head, _ in heads),
            runs=len(runs),
            runs_by_state=_count(run.state for run in runs),
            runs_by_result=_count(run.result or "none yet" for run in runs),
            events=sum(len(run.history) for run in runs),
            failed_attempts=sum(run.failures for run in runs),
            refused_outcomes=sum(
                1 for head, verdict in heads if head is not None and head.kind == Kind.OUTCOME and verdict >= 16
            ),
            schemas=len(found.catalogue),
            digests=[f"{part.fold.digest:016x}" for part in found.partitions],
            problems=found.problems,
            seconds=round(found.seconds, 3),
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        lines = [
            f"{self.records} records in {len(self.digests)} partitions, {self.schemas} schemas, {self.seconds:.1f} s",
            f"verdicts: {_list(self.records_by_verdict)}",
            f"kinds: {_list(self.records_by_kind)}",
            f"{self.runs} runs: {_list(self.runs_by_state)}; results: {_list(self.runs_by_result)}",
            f"{self.events} events, {self.failed_attempts} failed attempts, {self.refused_outcomes} refused outcome records",
        ]
        lines += [f"BROKEN: {problem}" for problem in self.problems[:50]]
        lines.append(f"{len(self.problems)} broken promises" if self.problems else "every promise is kept")
        return "\n".join(lines)


def _count(things: Any) -> dict[str, int]:
    return dict(sorted(Counter(things).items()))


def _kind(number: int) -> str:
    return Kind(number).name.lower() if number in list(Kind) else str(number)


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"
