"""`status` and `show` tell who has a long step in hand, and how far it has come."""

import asyncio
from pathlib import Path

import pytest

from farandole.reactors import Choreography, Step, desk, leases
from farandole.schemas import End, Start

from .conftest import Cli, Said


class ReportAsked(Start): ...


class ReportWritten(End): ...


async def test_status_and_show_tell_who_works_on_a_step_and_how_far_it_is(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"CLAIM_AFTER": 0.2, "RENEW": 0.2, "_LOOK": 0.1}.items():
        monkeypatch.setattr(leases, name, value)
    monkeypatch.setattr(desk, "_FIRST", 0.0)
    reports, hold, store = Choreography("reports"), asyncio.Event(), f"sqlite:///{tmp_path / 'reports.db'}"

    @reports.reactor
    async def write_report(asked: ReportAsked, step: Step) -> ReportWritten:
        step.progress(0.4, "page 3")
        await hold.wait()
        return ReportWritten()

    async def said(*words: str) -> Said:
        return await asyncio.to_thread(cli, *words, "night", "-c", "reports", "-s", store)

    async with reports.work(store) as client:
        run = await client.start(ReportAsked(), run_id="night")

        async with asyncio.timeout(30):
            while not (await run.progress() and any(step.claimed_until for step in (await run.status()).owed)):
                await asyncio.sleep(0.02)
        (told,) = await run.progress()
        assert (told.reactor, told.done, told.note) == ("write_report", 0.4, "page 3")
        for words in ("status", "show"):
            line = next(line for line in (await said(words)).out.splitlines() if line.startswith("  write_report: "))
            assert "claimed by a worker of reports until " in line
            assert "; 40%, page 3, told " in line
        (step,) = (await said("status", "--json")).json["owed"]
        assert (step["progress"]["done"], step["progress"]["note"]) == (0.4, "page 3")
        assert step["claimed_until"] is not None
        hold.set()
        await run.result(ReportWritten, timeout="60s")
        assert await run.progress() == []
        assert "write_report: " not in (await said("status")).out
