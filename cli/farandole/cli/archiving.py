"""`archive`: what no open run needs leaves the log."""

from datetime import UTC, datetime
from pathlib import Path

from farandole.reactors.archive import Archived
from farandole.reactors.archive import archive as archive_log

from .errors import CliError
from .output import Output
from .running import Target, attached


async def archive(target: Target, out: Output, *, to: Path, before: str | None, dry: bool) -> int:
    """Archive a log, and tell what left each partition."""
    until = None if before is None else _milliseconds(before)
    found: list[Archived] = []
    async with attached(target) as client:
        async for each in archive_log(client, to, until=until, dry=dry):
            found.append(each)
            if not out.as_json:
                out.print(_line(each, dry))
    if out.as_json:
        out.document(
            {
                "done": not dry,
                "partitions": [
                    {
                        "partition": each.partition,
                        "first": each.first,
                        "before": each.before,
                        "file": str(each.file) if each.file else None,
                        "why": each.why or None,
                    }
                    for each in found
                ],
            }
        )
    return 0


def _line(each: Archived, dry: bool) -> str:
    if each.why:
        return f"partition {each.partition}: nothing, for {each.why}"
    what = f"partition {each.partition}: offsets {each.first:,} to {each.before - 1:,}"
    return f"{what} would leave the log" if dry else f"{what} → {each.file}"


def _milliseconds(date: str) -> int:
    try:
        found = datetime.fromisoformat(date)
    except ValueError as e:
        raise CliError(f"'{date}' is no date; write it as 2026-01-31 or 2026-01-31T12:00") from e
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
