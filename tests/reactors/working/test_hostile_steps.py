"""Steps that somebody asked for with ill intent: they fail, and nothing else does."""

import logging

import pytest
from tests.reactors.working.controls import Begun, Done, Stage, Went, a_stage, eventually, virtual

from farandole.eventstore import Record
from farandole.reactors import Choreography
from farandole.schemas.envelope import Kind

HOUR = 3_600_000


def dance(taken: list[object]) -> Choreography:
    made = Choreography("dance")

    @made.reactor
    async def go(begun: Begun) -> Went:
        taken.append(begun)
        return Went()

    @made.reactor
    async def wait(went: Went) -> None:
        taken.append(went)

    return made


def an_owe(stage: Stage, made: Choreography, run: str, offset: int, type: bytes = b"dance.Begun") -> Record:
    content = {"trigger": "t", "offset": 0, "reactor": "go"}
    return stage.scribe(made).command(
        Kind.OWE, run.encode(), content, stage.clock.now() + HOUR,
        causation=b"t%d" % (offset % 2**32), reactor=b"go", extra=offset.to_bytes(8, "big") + type,
    )  # fmt: skip


@virtual
async def test_a_step_owed_for_something_else_hands_the_handler_nothing() -> None:
    taken: list[object] = []
    made = dance(taken)
    async with a_stage(made) as (stage, client, at_work):
        run = await client.start(Begun(), run_id="run")
        await eventually(lambda: len(taken) == 2)
        log = await stage.fold(made)
        [genesis] = [r.offset for r, _ in log.of(Kind.GENESIS)]
        [went] = [r.offset for r, _ in log.of(Kind.OUTCOME) if dict(r.headers)["ce_type"] == b"dance.Went"]
        end = log.folds[0].position
        nonsense = await at_work.store.inner.append(0, [Record(b"run", b"?", [("fa", b"?")])])
        for offset in (genesis, went, end + 10**6, 2**63, 2**64 - 1, nonsense):
            await at_work.store.inner.append(0, [an_owe(stage, made, "run", offset)])
        await at_work.store.inner.append(0, [an_owe(stage, made, "run", went, b"\xff\xfe")])
        await stage.folded(made, lambda log: log.folds[0].runs[b"run"].parked == 7)
        assert len(taken) == 2
        assert {len(log.of(Kind.FAILURE)) for log in [await stage.fold(made)]} == {7}, "each at its first attempt"
        assert (await run.status()).status == "failed"


@virtual
async def test_a_run_id_writes_no_line_of_its_own_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    made = Choreography("dance")

    @made.reactor
    async def go(begun: Begun) -> Done:
        raise ValueError("no")

    async with a_stage(made) as (_, client, _at_work):
        await client.start(Begun(n=1), run_id="a\n2026-01-01 ERROR all is lost\x1b[2J; rm -rf ~" + "x" * 190)
        await eventually(lambda: "failed for good" in caplog.text, within=7000)
    [line] = [r.getMessage() for r in caplog.records if "failed for good" in r.getMessage()]
    assert line.isprintable()
    assert len(line) < 800
    assert r"farandole show 'a\n2026-01-01 ERROR all is lost\x1b[2J; rm -rf ~xxx" in line
